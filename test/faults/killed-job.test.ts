import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HOUR } from '../../core/config/units.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { putPause } from '../../core/state/pauses.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { lacksServer } from '../support/servers.ts';
import { type JobRuns, jobRuns, killAfterEach } from './job-runs.ts';
import type { Settings } from './messes.ts';
import { aPlace, HOLED, type Place, replenished, sceneAt } from './scene.ts';
import { faultTable } from './table.ts';

const table = faultTable(import.meta.filename);
const isLacking = lacksServer('defrag') || lacksServer('plain');
const LONG = 1_800_000;
/** On a busy machine RSS may be read before it has fallen: a purge is told as the one or as the other. */
const OF_A_PURGE = ['purged', 'action-ineffective'];

/** The job as processes of their own, on one place for all tests of a group. */
function onAPlace(action: 'defrag' | 'purge') {
  let place: Place;
  let runs: JobRuns;
  let before: Settings;
  beforeAll(async () => {
    place = await aPlace(action);
    before = await settingsOf(place.redis);
    runs = jobRuns(place);
  });
  beforeEach(() => runs.forget());
  afterAll(async () => {
    runs?.[Symbol.dispose]();
    await place?.[Symbol.asyncDispose]();
  });
  return () => ({ place, runs, before });
}

describe.skipIf(isLacking)('the job as processes of their own, on a fragmented server', () => {
  const here = onAPlace('defrag');
  const changed = async (): Promise<readonly string[]> => {
    const { place, before } = here();
    return isDeepStrictEqual(await settingsOf(place.redis), before) ? [] : ['defrag-aborted'];
  };

  const starting = table.row('the job killed (`kill -9`) after each effect of the tick that starts');
  test(
    'killed after each effect of the tick that starts a defrag',
    async () => {
      const prepare = async () => {
        await refragmented(here().place.redis, HOLED);
        return [];
      };
      starting(await killAfterEach({ ...here(), prepare, owed: changed }));
    },
    LONG,
  );

  const ending = table.row('the job killed (`kill -9`) after each effect of the tick that ends');
  test(
    'killed after each effect of the tick that ends a defrag',
    async () => {
      const { place, runs } = here();
      const prepare = async () => {
        await refragmented(place.redis, HOLED);
        const { told } = await runs.tick('starter');
        const now = Date.now();
        await putPause(createFileStore(runs.stateFile), 'ill', {
          until: now + HOUR,
          reason: 'fault',
          by: 'test',
          at: now,
        });
        return told;
      };
      ending(await killAfterEach({ ...here(), prepare, owed: async () => ['defrag-aborted'] }));
    },
    LONG,
  );

  const twoAtOnce = table.row('two jobs at once');
  test('two at once', async () => {
    const { place, runs, before } = here();
    await refragmented(place.redis, HOLED);
    const ticks = await Promise.all([runs.tick('one'), runs.tick('another')]);
    const outcomes = ticks.flatMap((tick) => tick.outcomes).sort();
    expect(outcomes.filter((outcome) => outcome === 'acted: start-defrag')).toHaveLength(1);
    await using scene = sceneAt(place, { stateFile: runs.stateFile });
    const cleaned = await scene.cleanUp(before);
    const told = [...new Set([...ticks.flatMap((tick) => tick.told), ...scene.told()])];
    twoAtOnce({ outcome: 'one acts: start-defrag', ...cleaned, told });
  });
});

describe.skipIf(isLacking)('the job as processes of their own, on a server with free pages', () => {
  const here = onAPlace('purge');

  const purging = table.row('the job killed (`kill -9`) after each effect of the tick that purges');
  test(
    'killed after each effect of the tick that purges',
    async () => {
      const { redis } = here().place;
      let purges = await purgesOf(redis);
      const prepare = async () => {
        // What came after the last kill was no second purge.
        expect(await purgesOf(redis)).toBe(purges);
        await replenished(here().place);
        purges = await purgesOf(redis);
        return [];
      };
      const owed = async () => {
        const earlier = purges;
        purges = await purgesOf(redis);
        expect(purges - earlier).toBeLessThanOrEqual(1);
        return purges > earlier ? [...OF_A_PURGE, 'action-failed'] : [];
      };
      const seen = await killAfterEach({ ...here(), prepare, owed });
      const told = seen.told.map((word) => (OF_A_PURGE.includes(word) ? 'purged' : word));
      purging({ ...seen, told: [...new Set(told)] });
    },
    LONG,
  );
});

/** How many the server has carried out. */
async function purgesOf(redis: Redis): Promise<number> {
  return Number(/cmdstat_memory\|purge:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}
