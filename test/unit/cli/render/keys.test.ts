import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keysLines } from '../../../../cli/render/keys.ts';
import { keysJson } from '../../../../cli/render/keys-json.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import type { Estimate, KeyFinding, KeyReport, KeySample, SamplingEnd } from '../../../../core/domain/keys.ts';
import type { NodeSurvey } from '../../../../core/keys/survey.ts';
import { anEngine, anObservation, NOW } from '../../../support/builders.ts';
import { aSample } from '../../core/keys/key-builders.ts';

const MIB = 1024 * 1024;
const about = (mib: number): Estimate => ({ value: mib * MIB, low: mib * 0.9 * MIB, high: mib * 1.1 * MIB });
const of = <Kind extends string>(kind: Kind) => ({ kind, pattern: 'session:*', sampled: 40, bytes: about(10) });

const FINDINGS: readonly KeyFinding[] = [
  { ...of('pack'), entries: 100, each: 72, packed: 20 },
  { ...of('encoding'), type: 'hash', by: 'entries', setting: 'hash-max-listpack-entries', limit: 128, needed: 300 },
  { ...of('encoding'), type: 'set', by: 'entries', setting: 'set-max-intset-entries', limit: 512, needed: 700 },
  { ...of('encoding'), type: 'zset', by: 'value', setting: 'zset-max-listpack-value', limit: 64, needed: 80 },
  { ...of('rounding'), share: 0.19, near: { fits: 1024, over: 12 }, padding: 5 * MIB },
  { ...of('rounding'), share: 0.1, padding: 5 * MIB },
  { ...of('compressible'), left: 0.3, size: 5000 },
  { ...of('ttl-missing'), share: 0.08 },
  { ...of('never-expires'), isEvictable: false },
  { ...of('never-expires'), isEvictable: true },
  { ...of('uneven-expiry'), at: 200_000, expiring: 0.6 },
];

const REPORT: KeyReport = {
  population: 5_000_000,
  drawn: 20_000,
  distinct: 19_900,
  bytes: about(1000),
  dataset: 2000 * MIB,
  quantum: 8,
  patterns: [
    {
      pattern: 'session:*',
      sampled: 900,
      types: ['string/raw', 'string/int', 'list/quicklist', 'hash/listpack'],
      keys: 200_000,
      bytes: about(300),
      size: { p10: 100, p50: 200, p90: 300 },
      withTtl: 0.92,
      ttl: { p10: 1000, p50: 60_000, p90: 3_600_000 },
    },
  ],
  others: { keys: 1000, bytes: about(1) },
  findings: FINDINGS,
};

function sampled(
  report: Partial<KeyReport> = {},
  end: SamplingEnd = { kind: 'time' },
  space: Partial<KeySample['space']> = {},
): NodeSurvey {
  const { facts: _, ...sample } = {
    ...aSample([], { assumed: ['hash-max-listpack-value'], hasLengths: false, ...space }),
    end,
  };
  return {
    instance: 'sessions',
    node: '10.0.3.17:6379',
    observation: anObservation(),
    result: { kind: 'sampled', report: { ...REPORT, ...report }, sample },
  };
}

const linesOf = (survey: NodeSurvey) => keysLines(survey, { paint: plainPaint, unicode: true }).join('\n');

describe('the table', () => {
  const text = linesOf(sampled());

  test('has figures with their intervals, and what they cost', () => {
    expect(text).toMatch(/^sessions {2}10\.0\.3\.17:6379 {2}primary$/m);
    expect(text).toMatch(
      /session:\* +200,000 +300 MiB +270 MiB - 330 MiB +30 % +100 B +200 B +300 B +92 % +1 s +1 min +1 h/,
    );
    expect(text).toMatch(/\(other keys\) +1,000/);
    expect(text.replace(/\s+/g, ' ')).toMatch(/took 1 s and 10 ms of the main thread \(1 % of 2 %/);
  });

  test('says what limits the figures', () => {
    const flat = text.replace(/\s+/g, ' ');
    expect(flat).toContain('INFO counts 1.95 GiB of data: a few very large keys are probably missing');
    expect(flat).toContain('the defaults stand in for hash-max-listpack-value');
    expect(flat).toContain('no CLIENT NO-TOUCH before Redis 7.2');
    expect(flat).toContain('the time was over before all samples were drawn');
  });

  test.each([
    ['redis', '8.2.3', true],
    ['redis', '7.4.1', false],
    ['valkey', '8.1.1', true],
    ['valkey', '8.0.1', false],
    ['keydb', '9.0.0', false],
  ] as const)('says of %s %s whether its layout was measured', (name, version, isOther) => {
    const observation = anObservation({ engine: anEngine({ name, version }) });
    expect(linesOf({ ...sampled(), observation }).includes('they were not')).toBe(isOther);
  });

  test('has a remedy for each finding', () => {
    expect(text.match(/→ /g)).toHaveLength(FINDINGS.length);
    expect(text.replace(/\s+/g, ' ')).toContain(
      'raise set-max-intset-entries to 700, if their members are whole numbers',
    );
  });

  test('says so where there is nothing to gain', () => {
    const healthy = linesOf(
      sampled({ findings: [], dataset: 900 * MIB }, { kind: 'enough' }, { assumed: [], hasLengths: true }),
    );
    expect(healthy).toContain('nothing to gain that is worth a change');
    expect(healthy).not.toMatch(/INFO counts|stand in|NO-TOUCH/);
  });
});

test.each<readonly [result: NodeSurvey['result'], text: RegExp]>([
  [{ kind: 'failed', message: 'it cannot be reached' }, /it cannot be reached/],
  [{ kind: 'same-data', as: '10.0.3.18:6379' }, /the same data as 10\.0\.3\.18:6379/],
  [{ kind: 'interrupted' }, /interrupted before/],
])('a node that was not sampled: %j', (result, text) => {
  expect(linesOf({ instance: 'i', node: 'n', result })).toMatch(text);
});

test.each<readonly [end: SamplingEnd, text: RegExp]>([
  [{ kind: 'guard', blocker: { kind: 'loading' } }, /stopped: the server is loading/],
  [{ kind: 'guard', blocker: { kind: 'near-limit', rss: MIB, limit: MIB } }, /near the limit of 1 MiB/],
  [{ kind: 'empty' }, /there are no keys/],
  [{ kind: 'failed', message: 'gone' }, /gone/],
  [{ kind: 'interrupted' }, /interrupted/],
])('nothing drawn: %j', (end, text) => expect(linesOf(sampled({ drawn: 0 }, end))).toMatch(text));

test('docs/cli-json.md names every field', () => {
  const page = readFileSync(new URL('../../../../docs/cli-json.md', import.meta.url), 'utf8');
  const documented = new Set([...page.matchAll(/`([\w.]+)`/g)].flatMap(([, name = '']) => name.split('.')));
  const others = [
    { instance: 'i', node: 'n', result: { kind: 'failed', message: 'm' } },
    { instance: 'i', node: 'n', result: { kind: 'same-data', as: 'o' } },
  ] as const;
  const keys = new Set<string>();
  const document = keysJson(NOW, 'prod', [sampled(), ...others]);
  JSON.parse(document, (key, value) => {
    if (key !== '' && !/^\d+$/.test(key)) keys.add(key);
    return value;
  });
  expect([...keys].filter((key) => !documented.has(key))).toEqual([]);
  expect(document).not.toMatch(/\b1[4-9]\d{11}\b/);
});
