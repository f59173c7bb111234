import { expect, test } from 'vitest';
import { exactTotal, spreadOf, total } from '../../../../core/keys/estimate.ts';
import { mulberry32 } from '../../../support/random.ts';

/** With these, chance is 0.7 % either way. */
const TRIALS = 1000;

test.each([
  ['a tenth of the keys, of one size', 0.1, () => 100],
  [
    '2 % of the keys, of sizes with a long tail',
    0.02,
    (random: () => number) => Math.exp(6 + 1.2 * (random() + random() + random() - 1.5)),
  ],
  ['all keys, of spread sizes', 1, (random: () => number) => 100 + 9900 * random()],
])('the interval holds the truth in about 95 of 100 samples: %s', (_, share, sizeOf) => {
  const random = mulberry32(42);
  const population = Array.from({ length: 20_000 }, () => (random() < share ? sizeOf(random) : 0));
  const truth = population.reduce((sum, size) => sum + size, 0);
  const held = Array.from({ length: TRIALS }, () => {
    const drawn = Array.from({ length: 2000 }, () => population[Math.floor(random() * population.length)] ?? 0);
    const { low, high } = exactTotal(
      drawn.filter((size) => size > 0),
      drawn.length,
      population.length,
    );
    return low <= truth && truth <= high;
  }).filter(Boolean).length;
  expect(held / TRIALS).toBeGreaterThan(0.92);
  expect(held / TRIALS).toBeLessThan(0.98);
});

test('bounds of a model widen the interval, and the estimate is between them', () => {
  const values = Array.from({ length: 100 }, () => ({ low: 10, high: 20 }));
  const { value, low, high } = total(values, 1000, 1_000_000);
  expect(value).toBe(1_500_000);
  expect(low).toBeLessThan(1_000_000);
  expect(high).toBeGreaterThan(2_000_000);
});

test('nothing drawn, and nothing found, is zero', () => {
  const zero = { value: 0, low: 0, high: 0 };
  expect(exactTotal([], 0, 100)).toEqual(zero);
  expect(exactTotal([], 100, 100)).toEqual(zero);
  expect(exactTotal([5], 1, 10)).toEqual({ value: 50, low: 50, high: 50 });
});

test('percentiles', () => {
  expect(spreadOf([])).toBeUndefined();
  expect(spreadOf(Array.from({ length: 10 }, (_, index) => index))).toEqual({ p10: 1, p50: 5, p90: 9 });
});
