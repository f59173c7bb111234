import { expect, test } from 'vitest';
import { reportPage } from '../../../../../cli/render/html/report.ts';
import { documentsIn } from '../../../../../cli/report/documents.ts';
import { nightOf } from '../../../../../cli/report/night.ts';

const MIB = 1024 * 1024;
const TERMS = { timezone: 'UTC', windowsOf: () => [] };

function drawn(...lines: readonly object[]): string {
  const documents = documentsIn('night.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
  return reportPage(nightOf(documents.ticks), documents, TERMS);
}

const tick = (at: string, outcomes: readonly object[]) => ({ at: `2026-11-26T${at}:00.000Z`, stage: 'prod', outcomes });

const layers = { data: 10 * MIB, fragmentation: 0, freePages: 190 * MIB, overhead: 6 * MIB };
const node = { instance: 'a', node: '10.0.0.1:6379', memory: { rss: 206 * MIB } };
const diagnosis = { verdict: 'findings', layers, findings: [{ text: 'a purge returns 190 MiB' }] };
const verdict = {
  ...{ action: 'purge', rssBefore: 206 * MIB, rssAfter: 16 * MIB, reclaimed: 190 * MIB, predicted: 190 * MIB },
  ...{ stall: 4, promisedStall: 100, text: 'returned' },
};

test('what a step found before its action is not shown as what came after it', () => {
  const html = drawn(tick('02:00', [{ ...node, status: 'acted', diagnosis, verdict }]));
  expect(html).toContain('206 MiB before, 16 MiB after');
  expect(html).not.toContain('A purge returns 190 MiB');
  expect(html).toContain('Each promise of a stall was kept.');
});

test('a defrag that is on at the end is said, and its findings are not work for a person', () => {
  const on = { ...node, status: 'observed', diagnosis, leased: true };
  const html = drawn(tick('02:00', [on]), tick('02:05', [on]));
  expect(html).toContain('No action has ended yet.');
  expect(html).toContain('Active defrag is on at 1 node.');
  expect(html).toContain('Active defrag is on: the next tick goes on with it, or ends it.');
  expect(html).not.toContain('A purge returns');
});

test('an empty night has no pictures and no table', () => {
  const html = drawn(tick('02:00', []), tick('03:00', []));
  expect(html).toContain('No node was checked.');
  expect(html).not.toMatch(/<svg|<table/);
});

test('the same trouble of many nodes is one sentence', () => {
  const outcomes = Array.from({ length: 200 }, (_, at) => ({
    ...{ instance: 'a', node: `n${at}:1`, status: 'unreachable', problem: { message: `n${at}:1 did not answer` } },
  }));
  const html = drawn(tick('02:00', outcomes));
  expect(html).toContain('a n4:1 and 195 more</dt><dd>Did not answer.</dd>');
});

test('of a thousand findings, forty are in sight; the gravest are first, and those of the stage have its name', () => {
  const finding = (severity: string, evidence: string) => ({
    ...{ rule: 'big-key', answer: 'finding', severity, evidence, remedy: 'split it' },
  });
  const answers = Array.from({ length: 999 }, (_, at) => finding('advice', `key ${at} is large`));
  const audit = {
    ...{ at: '2026-11-26T02:00:00.000Z', totals: { critical: 1, warning: 0, advice: 999 } },
    ...{ answers: [finding('critical', 'no alarm')], nodes: [{ instance: 'a', node: 'n:1', answers }] },
  };
  const html = drawn(audit);
  expect(html).toContain('1 critical, 0 warnings, 999 advice.');
  expect(html).toMatch(/<dl><dt>critical: big-key<\/dt><dd>stage: No alarm\. Split it\.<\/dd>/);
  expect(html).toContain('<details><summary>960 more</summary>');
  expect(html).toContain('Key 998 is large.');
});

test('nodes whose keys were not sampled are named', () => {
  const nodes = [
    { instance: 'a', node: 'n:1', problem: 'n:1 cannot be reached: ECONNREFUSED' },
    { instance: 'a', node: 'n:2' },
  ];
  const html = drawn({ at: '2026-11-26T02:00:00.000Z', nodes });
  expect(html).toContain('1 node could not be sampled.');
  expect(html).toContain('<dt>a n:1</dt><dd>Cannot be reached: ECONNREFUSED.</dd>');
});
