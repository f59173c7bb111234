import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable } from '../cli/lab/run-command.ts';
import { reportPage } from '../cli/render/html/report.ts';
import { documentsIn, together } from '../cli/report/documents.ts';
import { nightOf, type Span } from '../cli/report/night.ts';
import { type Message, pageOf } from './slack-page.ts';

// Draws some messages of docs/slack-messages.json in a real Chromium, for docs/messages.md (`npm run pictures`).

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const WIDTH = 720;
/** More than any of them needs. What the page leaves empty is cut off. */
const HIGHEST = 1_600;

type Messages = Readonly<Record<string, Readonly<Record<string, Message>>>>;

/** Name of the file, and where the message stands in docs/slack-messages.json. */
export const PICTURES: readonly (readonly [file: string, group: string, name: string])[] = [
  ['a-night', 'digests', 'a night'],
  ['purged', 'alerts', 'a purge that helped'],
  ['defrag-finished', 'alerts', 'goal met, then a purge'],
  ['action-ineffective', 'alerts', 'a purge that did not'],
  ['near-the-limit', 'alarms', 'near the limit: ALARM'],
  ['near-the-limit-over', 'alarms', 'near the limit: OK'],
  ['another-team', 'alarms', "another team's cache: ALARM"],
  ['no-data', 'alarms', "another team's cache: INSUFFICIENT_DATA"],
];

/** Changes with the message: a test compares it, so that no picture stays behind. */
function markOf(message: Message | undefined): string {
  return createHash('sha256').update(JSON.stringify(message)).digest('hex').slice(0, 16);
}

export function pageText(messages: Messages): string {
  const sections = PICTURES.map(([file, group, name]) => {
    const message = messages[group]?.[name];
    return `## ${sentence(name)}\n\n![${message?.text}](pictures/${file}.png)\n\n<!-- message: ${markOf(message)} -->`;
  });
  const intro = [
    '# Messages in Slack',
    '',
    'Some of the messages in [slack-messages.json](slack-messages.json), which has one for each event and kind of alarm. `npm run pictures` draws them in',
    "a Chromium, from the same blocks that Slack gets; Slack's own fonts and emoji differ.",
  ];
  return `${[intro.join('\n'), ...sections].join('\n\n')}\n`;
}

function sentence(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function runner(browser: string, folder: string, page: string) {
  return (...args: readonly string[]): string => {
    const shared = [
      '--headless',
      '--no-sandbox',
      '--hide-scrollbars',
      '--disable-gpu',
      `--user-data-dir=${folder}/profile`,
    ];
    const { status, stdout, stderr } = spawnSync(browser, [...shared, ...args, `file://${page}`], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (status !== 0) throw new Error(`${browser} ended with ${status}: ${stderr.slice(-500)}`);
    return stdout;
  };
}

function draw(browser: string, folder: string, message: Message, picture: string): void {
  const page = join(folder, 'page.html');
  const run = runner(browser, folder, page);
  // The page says how high it is.
  writeFileSync(page, `${pageOf(message)}<script>document.title = document.documentElement.offsetHeight</script>`);
  const dom = run(`--window-size=${WIDTH},${HIGHEST}`, '--dump-dom');
  const height = Number(/<title>(\d+)<\/title>/.exec(dom)?.[1]);
  writeFileSync(page, pageOf(message));
  run(`--window-size=${WIDTH},${height}`, `--screenshot=${picture}`);
}

/** The first screen of a report of a night, and of the lab on the article's recipe, from what they printed once. */
function drawReports(browser: string, folder: string): void {
  const fixture = (name: string) =>
    documentsIn(name, readFileSync(fileURLToPath(new URL(`../test/fixtures/report/${name}`, import.meta.url)), 'utf8'));
  const terms = { timezone: 'Europe/Berlin', windowsOf: (_: string, during: Span) => [during] };
  const night = together(['night.jsonl', 'audit.json'].map(fixture));
  const pages = [
    ['report', reportPage(nightOf(night.ticks), night, terms), 900],
    ['lab', reportPage(undefined, fixture('lab.json'), terms), 500],
  ] as const;
  for (const [name, html, height] of pages) {
    const page = join(folder, 'page.html');
    writeFileSync(page, html);
    runner(
      browser,
      folder,
      page,
    )(`--window-size=1100,${height}`, `--screenshot=${join(DOCS, 'pictures', `${name}.png`)}`);
  }
}

async function main(): Promise<void> {
  const found = await Promise.all(BROWSERS.map(executable));
  const browser = found.find((path) => path !== undefined);
  if (browser === undefined) {
    process.stderr.write(
      `no pictures drawn: none of ${BROWSERS.join(', ')} is installed (Debian: apt-get install chromium)\n`,
    );
    return;
  }
  const messages: Messages = JSON.parse(readFileSync(join(DOCS, 'slack-messages.json'), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-pictures-'));
  mkdirSync(join(DOCS, 'pictures'), { recursive: true });
  try {
    for (const [file, group, name] of PICTURES) {
      const message = messages[group]?.[name];
      if (message === undefined) throw new Error(`docs/slack-messages.json has no ${group} "${name}"`);
      draw(browser, folder, message, join(DOCS, 'pictures', `${file}.png`));
    }
    drawReports(browser, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(join(DOCS, 'messages.md'), pageText(messages));
}

if (import.meta.main) await main();
