import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ARM_NAMES, ARMS } from '../../../../../cli/lab/trial/arms.ts';
import { trialJson } from '../../../../../cli/render/lab/json.ts';
import { momentCells, momentLines, trialLines } from '../../../../../cli/render/lab/lines.ts';
import { armText } from '../../../../../cli/render/lab/words.ts';
import { plainPaint } from '../../../../../cli/render/style.ts';
import { bannedIn } from '../../../../support/banned-words.ts';
import { ALL_ARMS, anArm, aReading, aTrial } from '../../../../support/trials.ts';

const STYLE = { paint: plainPaint, unicode: true };
const of = (name: (typeof ARM_NAMES)[number]) => ALL_ARMS.find(({ arm }) => arm === name) ?? anArm(name);

describe('what an arm did, in words', () => {
  test.each(ARM_NAMES)('%s: sentences, without a banned word', (name) => {
    const text = armText(of(name), ALL_ARMS);
    expect(text).toMatch(/^\S.*\S\.$/);
    expect(text).not.toMatch(/ {2}|undefined|NaN/);
    expect(bannedIn(text)).toEqual([]);
  });

  test('a purge that returned nothing says so', () => {
    expect(armText(of('purge'), ALL_ARMS)).toMatch(/^Returned nothing, in 4 ms\./);
  });

  test('a defrag says its share of a restart, its prediction and its end', () => {
    expect(armText(of('offpeak'), ALL_ARMS)).toBe(
      'Returned 97 MiB, 97 % of what a restart returns, in 11 s. Predicted: 95 MiB. It ended: the rest is not worth it.',
    );
  });

  test('a defragger that did not begin: its thresholds; Offpeak that did nothing: why', () => {
    expect(armText(anArm('defaults', { ended: 'did not begin' }), ALL_ARMS)).toMatch(
      /^Did not begin: .*active-defrag-ignore-bytes/,
    );
    expect(armText(anArm('offpeak', { ended: 'too little' }), ALL_ARMS)).toBe('Did nothing: too little.');
  });

  test('padding: what it costs, and that a lower ratio is not less memory', () => {
    const text = armText(of('uniform'), ALL_ARMS);
    expect(text).toContain('padding costs 280 MiB of used_memory (400 MiB becomes 680 MiB, 70 % more)');
    expect(text).toContain('80 MiB more than without it');
    expect(text).toContain('The ratio is lower because the data are larger');
  });

  test('values split by size that save nothing', () => {
    expect(armText(of('by-size'), ALL_ARMS)).toContain('RSS is about the same');
  });

  test('an arm alone is not compared', () => {
    for (const name of ARM_NAMES) expect(armText(of(name), [of(name)])).not.toMatch(/undefined|NaN/);
  });
});

describe('the lines', () => {
  const lines = trialLines(aTrial(), STYLE);

  test.each(Object.values(ARMS))('have a bar, a row and words for: %s', (title) => {
    expect(lines.filter((line) => line.trimStart().startsWith(`${title} `)).length).toBeGreaterThanOrEqual(3);
  });

  test('fit into 120 columns', () => {
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test('an arm that was not measured says why', () => {
    const failed = [{ arms: ['offpeak' as const], problem: 'its server has gone away' }];
    expect(trialLines(aTrial({ failed }), STYLE).join('\n')).toMatch(
      /Offpeak, .*not measured: its server has gone away/,
    );
  });

  test('a fast clock is explained, the article’s own is not', () => {
    expect(lines[0]).toContain('TTLs run 10 times faster');
    const slow = aTrial({ table: { title: 'x', clock: 1, moments: [] } });
    expect(trialLines(slow, STYLE).join('\n')).not.toContain('TTLs run 1 times');
  });

  test('the whole table, for a log: a head, and a row for each moment', () => {
    const { table } = aTrial();
    if (!table) throw new Error('the trial has a table');
    const [blank, title, head, ...rows] = momentLines(table, STYLE);
    expect([blank, title]).toEqual(['', `The article's table: ${table.title}`]);
    expect(head).toMatch(/when .*used .*RSS .*ratio/);
    expect(rows).toHaveLength(table.moments.length);
  });

  test('a row of the table has the article’s ratio beside what was measured', () => {
    expect(momentCells({ when: 260, reading: aReading(100, 100) }, 1)).toEqual([
      ...['after 4 min 20 s', '100 MiB', '201 MiB', '2.01', '2.58', '100 MiB', '0 B'],
    ]);
    const theirs = (when: 60 | 260 | 'rest') => momentCells({ when, reading: aReading(100, 100) }, 10)[4];
    expect([theirs(60), theirs(260), theirs('rest')]).toEqual(['', '', '2.58']);
  });
});

describe('the document', () => {
  const page = readFileSync(new URL('../../../../../docs/cli-json.md', import.meta.url), 'utf8');
  const documented = new Set([...page.matchAll(/`([\w.]+)`/g)].flatMap(([, name = '']) => name.split('.')));
  const line = trialJson(aTrial({ failed: [{ arms: ['decay'], problem: 'why' }] }));
  const keysOf = (value: unknown): readonly string[] => {
    if (Array.isArray(value)) return value.flatMap(keysOf);
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
  };

  test('docs/cli-json.md names every field', () => {
    expect([...new Set(keysOf(JSON.parse(line)).filter((key) => !documented.has(key)))]).toEqual([]);
  });

  test('is one line; times are ISO 8601', () => {
    expect(line).not.toContain('\n');
    expect(line).toContain('"at":"2026-11-26T18:00:00.000Z"');
  });
});
