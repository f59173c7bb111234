import { beforeAll, describe, expect, test } from 'vitest';
import { type Tried, tryModel } from './run.ts';

const STEPS = 1500;

/** As docs/safety.md has them. */
const LAWS = {
  S1: 'nothing is started outside an open window, while paused, or under a blocker',
  S2: 'whatever the job switched on is off, and every setting as before, at the latest one tick after it has to be',
  S3: 'what a human switched on or set is left alone',
  S4: 'at most one node of an instance or shard and of a host is acted on at a time, so many of the stage and of a group, none of a version or group that fell; replicas first',
  S5: 'no client waits for longer than was promised',
  S6: 'one node’s trouble keeps no other from being looked at and published',
  S7: 'no action goes untold, and none is told again without a death or a store that failed',
  S9: 'a version on the deny-list is never toggled',
};

/** Laws of an if-clause, and how often it was so. */
const APPLIES: readonly (readonly [law: string, times: number])[] = [
  ['S3 a human was there, too', 1],
  ['S4 replicas first', 20],
  ['S4 a primary with peers', 10],
  ['S4 a shared host', 50],
  ['S4 the last place of the stage', 15],
  ['S4 a version that fell', 3],
  ['S4 a version that fell, in a later letter', 1],
  ['S4 a version that cannot be checked', 1],
  ['S4 the last place of a group', 10],
  ['S4 a primary with peers in a shard', 15],
  ['S4 replicas first in a shard', 15],
  ['S1 a Cluster that is unsettled', 1],
  ['S1 a Cluster whose discovery fails', 1],
  ['S1 a letter that is late', 3],
  ['S4 a letter that comes again', 20],
  ['S4 a worker that acts', 8],
  ['S6 a discovery that fails', 1],
  ['S2 a parameter group that has to be restored', 5],
  ['S4 a parameter group in the last places of the stage', 1],
  ['S5 cycle', 100],
  ['S5 purge', 50],
];

/** The same sequences every time: what has once been found stays found. `npm run test:nightly` looks for more. */
describe.each([2, 5])('whatever happens to servers, store, clock, people and job, from the seed %d', (seed) => {
  let tried: Tried;
  beforeAll(async () => {
    tried = await tryModel(STEPS, seed);
  }, 600_000);

  test('it is about something: defrags, purges and deaths', () => {
    const { steps, deeds, killed, failure } = tried;
    // What was found is the last sequence: which law it breaks is told below.
    if (failure !== undefined) return;
    expect(steps).toBeGreaterThanOrEqual(STEPS);
    expect(Math.min(deeds['defrag-on'] ?? 0, deeds['defrag-off'] ?? 0, deeds.purge ?? 0, killed)).toBeGreaterThan(20);
  });

  test.each(APPLIES)('… and about what the law asks for: %s, at least %d times', (law, times) => {
    expect(tried.failure ?? tried.applied[law] ?? 0).toBeGreaterThanOrEqual(times);
  });

  test.each(Object.entries(LAWS))('%s %s', (law) => {
    expect(tried.failure ?? '').not.toMatch(new RegExp(`^(Error: )?${law}: `, 'm'));
  });

  test('nothing else goes wrong', () => expect(tried.failure).toBeUndefined());
});
