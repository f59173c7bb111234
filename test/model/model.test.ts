import { beforeAll, describe, expect, test } from 'vitest';
import { type Tried, tryModel } from './run.ts';

const STEPS = 1500;

/** As docs/safety.md has them. */
const LAWS = {
  S1: 'nothing is started outside an open window, while paused, or under a blocker',
  S2: 'whatever the job switched on is off, and every setting as before, at the latest one tick after it has to be',
  S3: 'what a human switched on or set is left alone',
  S4: 'at most one node of an instance and of a host is acted on at a time, so many of the stage, none of a version that fell; replicas first',
  S5: 'no predicted stall above the promise is ever started',
  S6: 'one node’s trouble keeps no other from being looked at and published',
  S7: 'no action goes untold, and none is told again without a death or a store that failed',
  S9: 'a version on the deny-list is never toggled',
};

/** The same sequences every time: what has once been found stays found. `npm run test:nightly` looks for more. */
describe.each([20_261_124, 1])(
  'whatever happens to servers, store, clock, people and job, from the seed %d',
  (seed) => {
    let tried: Tried;
    beforeAll(async () => {
      tried = await tryModel(STEPS, seed);
    });

    test('it is about something: defrags, purges and deaths', () => {
      const { steps, deeds, killed, failure } = tried;
      if (failure === undefined) expect(steps).toBeGreaterThanOrEqual(STEPS);
      expect(Math.min(deeds['defrag-on'] ?? 0, deeds['defrag-off'] ?? 0, deeds.purge ?? 0, killed)).toBeGreaterThan(20);
    });

    test.each(Object.entries(LAWS))('%s %s', (law) => {
      expect(tried.failure ?? '').not.toMatch(new RegExp(`^(Error: )?${law}: `, 'm'));
    });

    test('nothing else goes wrong', () => expect(tried.failure).toBeUndefined());
  },
);
