import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterCount, afterRound, keysAtOnce, type Pace, restFor, STANDING } from '../../../../core/keys/pace.ts';

test('begins with a few keys, and then takes as many as a quarter of a millisecond of each batch allows', () => {
  expect(keysAtOnce(STANDING, 1000)).toBe(4);
  expect(keysAtOnce({ ...STANDING, perKey: 0.02 }, 1000)).toBe(37);
  expect(keysAtOnce({ ...STANDING, perKey: 0.02 }, 5)).toBe(5);
  expect(keysAtOnce({ ...STANDING, perKey: 0.0001 }, 1000)).toBe(64);
  expect(keysAtOnce({ ...STANDING, perKey: 50 }, 1000)).toBe(1);
});

test('counts what the answers took, less the way, until the server has counted', () => {
  const pace = afterRound(STANDING, 4, [1.5, 0.5, 0.4], 0.5);
  expect(pace).toMatchObject({ busy: 1, perKey: 0.25, by: 'latency' });
  // The server has counted 0.02 ms, and as much again is around it.
  expect(afterCount(pace, 0.02, 4, 0)).toMatchObject({ busy: 0.04, perKey: 0.01, by: 'commandstats' });
});

test('then a round counts by the server’s figure, and never for more than it took', () => {
  const counted: Pace = { busy: 1, keys: 100, perKey: 0.01, by: 'commandstats' };
  expect(afterRound(counted, 50, [20, 3, 3], 0.5).busy).toBeCloseTo(1.5);
  expect(afterRound(counted, 50, [0.6, 0.5, 0.5], 0.5).busy).toBeCloseTo(1.1);
  expect(afterCount(counted, 5, 0, 0)).toBe(counted);
});

test('rests so long that its share of the time stays within the budget, whatever the rounds cost', () => {
  const cost = fc.double({ min: 0.001, max: 200, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(cost, { minLength: 1, maxLength: 30 }),
      fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      (costs, budget) => {
        let elapsed = 0;
        let busy = 0;
        for (const one of costs) {
          busy += one;
          elapsed += one;
          elapsed += restFor({ busy }, budget, elapsed);
          expect(busy / elapsed).toBeLessThanOrEqual(budget * 1.0001);
        }
      },
    ),
  );
});
