import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricBatches, toDatum } from '../../../../../core/adapters/aws/metric-batches.ts';
import type { Metric } from '../../../../../core/domain/metric.ts';
import { aMetric } from '../../../../support/telemetry-builders.ts';

const NOW = Date.parse('2026-11-23T02:14:05.120Z');

describe('requests hold as much as CloudWatch takes', () => {
  test('1000 datums are one request, 1001 are two, and none are none', () => {
    const sizes = (count: number) =>
      metricBatches(Array(count).fill(aMetric({ at: NOW }))).map((batch) => batch.length);
    expect(sizes(0)).toEqual([]);
    expect(sizes(1000)).toEqual([1000]);
    expect(sizes(1001)).toEqual([1000, 1]);
    expect(sizes(2500)).toEqual([1000, 1000, 500]);
  });

  test('fat datums are split by size, below 1 MB', () => {
    const dimensions = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`D${n}`, 'x'.repeat(1024)]));
    const batches = metricBatches(Array(100).fill(aMetric({ at: NOW, dimensions })));
    expect(batches.length).toBe(4);
    for (const batch of batches) expect(bodyBytes(batch)).toBeLessThan(1_000_000);
  });

  test('whatever is given: nothing is lost, doubled or reordered, and every request is within the limits', () => {
    const metric = fc.record({
      name: fc.string({ minLength: 1, maxLength: 40 }),
      unit: fc.constantFrom('Bytes' as const, 'Count/Second' as const),
      value: fc.double({ noDefaultInfinity: true, noNaN: true }),
      dimensions: fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 60 }), { maxKeys: 4 }),
      at: fc.integer({ min: 0, max: 2 * NOW }),
    });
    const limits = { datums: 7, bytes: 1_500 };
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 40 }), (metrics) => {
        const batches = metricBatches(metrics, limits);
        expect(batches.flat()).toEqual(metrics);
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
