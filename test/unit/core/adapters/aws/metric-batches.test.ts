import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planMetricBatches, toDatum } from '../../../../../core/adapters/aws/metric-batches.ts';
import type { Metric } from '../../../../../core/domain/metric-catalogue.ts';
import { aMetric } from '../../../../support/telemetry-builders.ts';

const NOW = Date.parse('2026-11-23T02:14:05.120Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const manyDimensions = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`D${n}`, 'x']));

describe('what CloudWatch would refuse is dropped and named', () => {
  test.each<[string, Partial<Metric>, RegExp]>([
    ['NaN', { value: Number.NaN }, /^value NaN is not a finite number$/],
    ['infinity', { value: Number.POSITIVE_INFINITY }, /^value Infinity is not a finite/],
    ['minus infinity', { value: Number.NEGATIVE_INFINITY }, /^value -Infinity is not a finite/],
    ['a value too large', { value: 2 ** 361 }, /outside -2\^360 to 2\^360$/],
    ['a value too small', { value: -(2 ** 361) }, /outside -2\^360 to 2\^360$/],
    ['an empty name', { name: '' }, /^metric name "" is empty$/],
    ['a long name', { name: 'N'.repeat(256) }, /^metric name has 256 characters, at most 255/],
    ['31 dimensions', { dimensions: manyDimensions(31) }, /^31 dimensions, at most 30/],
    ['an empty dimension value', { dimensions: { Node: '' } }, /^dimension "Node" "" is empty$/],
    ['a blank dimension value', { dimensions: { Node: '  ' } }, /^dimension "Node" " {2}" is empty$/],
    ['a long dimension value', { dimensions: { Node: 'x'.repeat(1025) } }, /has 1025 characters, at most 1024/],
    ['a long dimension name', { dimensions: { ['D'.repeat(256)]: 'x' } }, /has 256 characters, at most 255/],
    ['an empty dimension name', { dimensions: { '': 'x' } }, /^dimension name "" is empty$/],
    ['a colon before a dimension name', { dimensions: { ':Node': 'x' } }, /starts with a colon$/],
    ['an accent', { dimensions: { Node: 'sessões' } }, /"sessões" holds characters other than printable ASCII$/],
    ['a line break', { dimensions: { Node: 'a\nb' } }, /"a\\nb" holds characters other than printable ASCII$/],
    ['a timestamp of two weeks ago', { at: NOW - 14 * DAY }, /^timestamp 2026-11-09T\S+ is older than two weeks$/],
    ['a timestamp three hours ahead', { at: NOW + 3 * HOUR }, /^timestamp \S+ is over two hours ahead$/],
    ['a timestamp that is none', { at: Number.NaN }, /^timestamp NaN is not a time$/],
  ])('%s', (_, over, why) => {
    const good = aMetric({ at: NOW });
    const { batches, rejected } = planMetricBatches([good, aMetric({ at: NOW, ...over }), good], NOW);
    expect(batches).toEqual([[good, good]]);
    expect(rejected).toEqual([{ what: expect.any(String), why: expect.stringMatching(why) }]);
  });

  test.each<[string, Partial<Metric>]>([
    ['the largest value', { value: 2 ** 360 }],
    ['a negative value', { value: -123.5 }],
    ['zero', { value: 0 }],
    ['30 dimensions', { dimensions: manyDimensions(30) }],
    ['no dimensions', { dimensions: {} }],
    ['the longest names and value', { name: 'N'.repeat(255), dimensions: { ['D'.repeat(255)]: 'x'.repeat(1024) } }],
    ['13 days ago', { at: NOW - 13 * DAY }],
    ['an hour ahead', { at: NOW + HOUR }],
  ])('but not %s', (_, over) => {
    const metric = aMetric({ at: NOW, ...over });
    expect(planMetricBatches([metric], NOW)).toEqual({ batches: [[metric]], rejected: [] });
  });

  test('the label says which metric of which node it was, on one short line', () => {
    const label = (over: Partial<Metric>) =>
      planMetricBatches([aMetric({ value: Number.NaN, ...over })], NOW).rejected[0]?.what;
    expect(label({})).toBe('UsedMemory{Stage=prod,Instance=sessions,Node=primary}');
    expect(label({ dimensions: { Node: 'a\n{"level":"error"}' } })).not.toContain('\n');
    expect(label({ dimensions: { Node: 'x'.repeat(5_000) } })).toHaveLength(200);
  });
});

describe('requests hold as much as CloudWatch takes', () => {
  test('1000 datums are one request, 1001 are two, and none are none', () => {
    const sizes = (count: number) =>
      planMetricBatches(Array(count).fill(aMetric({ at: NOW })), NOW).batches.map((batch) => batch.length);
    expect(sizes(0)).toEqual([]);
    expect(sizes(1000)).toEqual([1000]);
    expect(sizes(1001)).toEqual([1000, 1]);
    expect(sizes(2500)).toEqual([1000, 1000, 500]);
  });

  test('fat datums are split by size, below 1 MB', () => {
    const dimensions = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`D${n}`, 'x'.repeat(1024)]));
    const { batches } = planMetricBatches(Array(100).fill(aMetric({ at: NOW, dimensions })), NOW);
    expect(batches.length).toBe(4);
    for (const batch of batches) expect(bodyBytes(batch)).toBeLessThan(1_000_000);
  });

  test('a datum that no request carries is named, not sent alone', () => {
    const { batches, rejected } = planMetricBatches([aMetric({ at: NOW })], NOW, { datums: 10, bytes: 310 });
    expect(batches).toEqual([]);
    expect(rejected[0]?.why).toMatch(/^takes \d+ bytes, more than one request of 310 bytes carries$/);
  });

  test('whatever is given: nothing is lost, doubled or reordered, and every request is within the limits', () => {
    const metric = fc.record({
      name: fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 5 })),
      unit: fc.constantFrom('Bytes' as const, 'Count/Second' as const),
      value: fc.double(),
      dimensions: fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 60 }), { maxKeys: 4 }),
      at: fc.integer({ min: NOW - 15 * DAY, max: NOW + 3 * HOUR }),
    });
    const limits = { datums: 7, bytes: 1_500 };
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 40 }), (metrics) => {
        const { batches, rejected } = planMetricBatches(metrics, NOW, limits);
        const kept = batches.flat();
        expect(kept.length + rejected.length).toBe(metrics.length);
        expect(kept).toEqual(metrics.filter((metric) => kept.includes(metric)));
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(limits.datums);
          expect(bodyBytes(batch)).toBeLessThanOrEqual(limits.bytes);
        }
      }),
    );
  });
});

/** The body as the SDK writes it: seconds with a fraction as timestamps. */
function bodyBytes(batch: readonly Metric[]): number {
  const data = batch.map((metric) => ({ ...toDatum(metric), Timestamp: metric.at / 1000 }));
  return Buffer.byteLength(JSON.stringify({ Namespace: 'Offpeak', MetricData: data }));
}
