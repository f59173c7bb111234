import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executable } from '../../cli/lab/run-command.ts';
import { reportPage } from '../../cli/render/html/report.ts';
import { documentsIn, together } from '../../cli/report/documents.ts';
import { nightOf } from '../../cli/report/night.ts';

// The report in a real Chromium, as people open it: from a file, on three widths, in the light and in the dark.

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const FIXTURES = join(import.meta.dirname, '../fixtures/report');
const documents = together(
  ['night.jsonl', 'audit.json', 'keys.json'].map((name) =>
    documentsIn(name, readFileSync(join(FIXTURES, name), 'utf8')),
  ),
);
const html = reportPage(nightOf(documents.ticks), documents, {
  timezone: 'Europe/Berlin',
  windowsOf: (_, { from, until }) => [{ from, until }],
});

function aFinding(at: number) {
  return { rule: 'big-key', answer: 'finding', severity: 'advice', evidence: `key ${at} is large`, remedy: 'split it' };
}

/** In CI it is installed where it is missing: without it nothing of this is tested. */
async function browserPath(): Promise<string | undefined> {
  const found = await executable('chromium');
  if (found !== undefined || !process.env.CI) return found;
  spawnSync('sh', ['-c', 'apt-get update && apt-get install -y --no-install-recommends chromium'], { stdio: 'ignore' });
  const installed = await executable('chromium');
  if (installed === undefined) throw new Error('chromium is missing, and apt-get could not install it');
  return installed;
}

const path = await browserPath();

describe.skipIf(path === undefined)(
  `the report in Chromium${path ? '' : ' (skipped: chromium is not on the PATH)'}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        ...(path && { executablePath: path }),
        args: ['--no-sandbox', '--disable-gpu'],
      });
    });
    afterAll(() => browser.close());

    /** Without a network, and with the policy of the page itself in force, unless a test has to look inside. */
    async function open(
      width: number,
      { colorScheme = 'light', bypassCSP = false }: { colorScheme?: 'light' | 'dark'; bypassCSP?: boolean } = {},
    ) {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        bypassCSP,
        offline: true,
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.setContent(html);
      return { page, complaints, close: () => context.close() };
    }

    test.each([1280, 800, 360])('at %i pixels nothing is cut off, and nothing overlaps the edge', async (width) => {
      const { page, complaints, close } = await open(width);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.locator('h2').allTextContents()).toEqual(
        expect.arrayContaining([
          'In short',
          'The night',
          'Memory, before and after',
          'What was done',
          'What to do',
          'All nodes',
        ]),
      );
      expect(complaints).toEqual([]);
      await close();
    });

    test.each(['light', 'dark'] as const)(
      'has no fault that an accessibility check finds, in the %s',
      async (colorScheme) => {
        const { page, close } = await open(1280, { colorScheme, bypassCSP: true });
        await page.addScriptTag({ path: AXE });
        const faults = await page.evaluate(
          "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0]?.html))",
        );
        expect(faults).toEqual([]);
        await close();
      },
    );

    test('the table of nodes sorts by a column of figures, and says so', async () => {
      const { page, close } = await open(1280);
      const table = page.locator('table[data-sorts]');
      const names = () => table.locator('tbody tr th').allTextContents();
      const before = await names();
      await table.getByRole('button', { name: 'RSS' }).click();
      const largestFirst = await names();
      await table.getByRole('button', { name: 'RSS' }).click();
      expect(await names()).toEqual(largestFirst.toReversed());
      expect(largestFirst.at(-1)).toContain('queue');
      expect(new Set(before)).toEqual(new Set(largestFirst));
      expect(await table.locator('th[aria-sort]').allTextContents()).toEqual(['RSS']);
      await close();
    });

    test('on paper no column is cut off, and what is on a click on the screen is printed', async () => {
      const nodes = [{ instance: 'a', node: 'n:1', answers: Array.from({ length: 200 }, (_, at) => aFinding(at)) }];
      const audit = { at: '2026-11-26T02:00:00.000Z', nodes, totals: { critical: 0, warning: 0, advice: 200 } };
      const many = together([documents, documentsIn('many.json', JSON.stringify(audit))]);
      const context = await browser.newContext({ viewport: { width: 718, height: 1000 } });
      const page = await context.newPage();
      await page.setContent(reportPage(nightOf(many.ticks), many, { timezone: 'UTC', windowsOf: () => [] }));
      const last = page.getByText('Key 199 is large.');
      expect(await last.isVisible()).toBe(false);
      await page.emulateMedia({ media: 'print' });
      expect(await last.isVisible()).toBe(true);
      const cut = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).length";
      expect(await page.evaluate(cut)).toBe(0);
      await context.close();
    });

    test('without scripts it says the same', async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.setContent(html);
      expect(await page.locator('section').count()).toBeGreaterThan(5);
      expect(await page.locator('table[data-sorts] th').first().textContent()).toBe('Node');
      await context.close();
    });
  },
);
