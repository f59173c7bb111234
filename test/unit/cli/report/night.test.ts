import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../cli/options.ts';
import { reportPage } from '../../../../cli/render/html/report.ts';
import { documentsIn, together } from '../../../../cli/report/documents.ts';
import { isBroken, nightOf, returnedBy, totalsOf } from '../../../../cli/report/night.ts';
import { HOUR, MIB, MINUTE } from '../../../../core/config/units.ts';
import { isoText } from '../../../../core/format/units.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/report');
const fixture = (name: string) => documentsIn(name, readFileSync(join(FIXTURES, name), 'utf8'));

/** A night on four servers: two were defragmented, one is small, one is not there. */
const all = together(['night.jsonl', 'audit.json', 'keys.json'].map(fixture));

describe('what a night was', () => {
  const night = nightOf(all.ticks);
  if (!night) throw new Error('the fixture has ticks');

  test('nodes with an action come first, each with its spans and actions', () => {
    expect(night.nodes.map(({ instance, actions, spans }) => [instance, actions.length, spans.length])).toEqual([
      ['carts', 2, 1],
      ['sessions', 2, 1],
      ['search', 0, 0],
      ['queue', 0, 0],
    ]);
    expect(night.nodes[3]).toMatchObject({ problem: expect.stringContaining('ECONNREFUSED') });
    for (const { spans } of night.nodes) for (const { from, until } of spans) expect(until).toBeGreaterThan(from);
  });

  test('what a purge returned after a defrag counts once', () => {
    const [carts] = night.nodes;
    const defrag = carts?.actions.find(({ verdict }) => verdict.action === 'defrag');
    expect(returnedBy(carts?.actions ?? [])).toBe(defrag?.verdict.reclaimed);
    expect(totalsOf(night)).toMatchObject({ acted: 2, actions: 4, unseen: 1 });
    expect(Math.round(totalsOf(night).returned / MIB)).toBe(138);
  });

  test('a defrag may be longer in a thousandth of its time, a purge never', () => {
    const verdict = {
      action: 'defrag',
      rssBefore: 2,
      rssAfter: 1,
      reclaimed: 1,
      predicted: 1,
      stall: 9,
      promisedStall: 5,
      text: '',
    };
    expect(isBroken({ ...verdict, beyond: 0.0009 })).toBe(false);
    expect(isBroken({ ...verdict, beyond: 0.002 })).toBe(true);
    expect(isBroken(verdict)).toBe(true);
    expect(isBroken({ ...verdict, stall: 5 })).toBe(false);
  });

  test('a defrag that is on at the end is a span to the end', () => {
    const on = nightOf(all.ticks.slice(0, 3));
    expect(on?.nodes[0]?.spans).toEqual([{ from: expect.any(Number), until: on?.until }]);
  });

  test('nothing of nothing', () => expect(nightOf([])).toBeUndefined());
});

describe('the page', () => {
  const terms = { timezone: 'Europe/Berlin', windowsOf: () => [] };
  const html = reportPage(nightOf(all.ticks), all, terms);

  test('has every time in one zone, which it names', () => {
    expect(html).toContain('Times are in Europe/Berlin.');
    const [done] = nightOf(all.ticks)?.nodes[0]?.actions ?? [];
    const local = new Date((done?.at ?? 0) + HOUR).toISOString().slice(0, 19).replace('T', ' ');
    expect(html).toContain(`<td>${local.slice(11)}</td>`);
    // Over midnight, each has its date.
    const later = all.ticks.map((tick) => ({ ...tick, at: isoText(Date.parse(tick.at) + 4 * HOUR + 3 * MINUTE) }));
    const midnight = reportPage(nightOf(later), all, terms);
    expect(midnight).toMatch(/<td>2026-11-26 23:59:\d\d<\/td>/);
    expect(midnight).toMatch(/<td>2026-11-27 00:00:\d\d<\/td>/);
    expect(html).not.toContain('UTC');
  });

  test('says in its first lines what was done', () => {
    expect(html).toContain('2 nodes of 4 treated: 138 MiB returned of 137 MiB predicted (101 %).');
    expect(html).toContain('1 node could not be seen');
  });

  test('loads nothing and runs nothing but the sorting of its tables', () => {
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/(src|href|url)\s*[=(]\s*["']?https?:/);
    expect(html).toMatch(/default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-/);
  });

  test('a name of a node is text, whatever it holds', () => {
    const odd = {
      ...all.ticks[0],
      outcomes: [{ instance: '<script>alert(1)</script>', node: '"><img>', status: 'observed' }],
    };
    const documents = documentsIn('odd', JSON.stringify({ ...odd, remarks: ['<b>x</b>'] }));
    const page = reportPage(nightOf(documents.ticks), documents, terms);
    expect(page).not.toMatch(/<img|<b>x|<script>alert/);
  });

  test('each sentence stands there once, with the nodes that it is about', () => {
    expect(html.match(/<dd>maxmemory is not set: the data may grow/g)).toHaveLength(1);
  });
});

describe('what is not a document', () => {
  test.each([
    ['no JSON', '{"at":', 'report: f:1: this line is not JSON'],
    ['another program', '{"hello":1}', 'report: f:1: this is not a document of Offpeak'],
    ['a tick without its time', '{"outcomes":[],"stage":"s"}', 'report: f:1: the tick cannot be read: at:'],
    ['a list', '[]', 'report: f:1: this is not a document of Offpeak'],
  ])('%s is named by its line', (_, content, message) => {
    expect(() => documentsIn('f', content)).toThrow(UsageError);
    expect(() => documentsIn('f', content)).toThrow(message);
  });

  test('empty lines are none', () =>
    expect(documentsIn('f', '\n\n')).toEqual({ ticks: [], audits: [], keys: [], labs: [] }));
});
