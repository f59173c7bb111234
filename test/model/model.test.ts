import { expect, test } from 'vitest';
import { tryModel } from './run.ts';

const STEPS = 2500;

/** The same sequences every time: what has once been found stays found. `npm run test:nightly` looks for more. */
test.each([20_261_124, 1])(
  'no invariant is violated, whatever happens to servers, store, clock and job: from the seed %d',
  async (seed) => {
    const { failure, steps, deeds, killed } = await tryModel(STEPS, seed);
    expect(failure).toBeUndefined();
    expect(steps).toBeGreaterThanOrEqual(STEPS);
    // It is about something: defrags, purges and deaths have happened.
    expect(Math.min(deeds['defrag-on'] ?? 0, deeds['defrag-off'] ?? 0, deeds.purge ?? 0, killed)).toBeGreaterThan(20);
  },
);
