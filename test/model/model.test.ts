import { expect, test } from 'vitest';
import { tryModel } from './run.ts';

/** The same sequences every time: what has once been found stays found. */
const STEPS = 2500;

test('no invariant is violated, whatever happens to servers, store, clock and job, in a fixed sequence', async () => {
  const { failure, steps, deeds, killed } = await tryModel(STEPS, 20_261_124);
  expect(failure).toBeUndefined();
  expect(steps).toBeGreaterThanOrEqual(STEPS);
  // It is about something: defrags, purges and deaths have happened.
  expect(Math.min(deeds['defrag-on'] ?? 0, deeds['defrag-off'] ?? 0, deeds.purge ?? 0, killed)).toBeGreaterThan(20);
});

test('and none in one that nobody has seen before', async () => {
  const seed = Date.now() % 1_000_000_000;
  const { failure } = await tryModel(STEPS, seed);
  expect(failure, `again: SEED=${seed} npm run test:nightly`).toBeUndefined();
});
