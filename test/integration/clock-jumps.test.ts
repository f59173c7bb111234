import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/server/start.ts';
import { clientOf, retainPages } from '../support/fragmented.ts';
import { configYaml } from '../support/job.ts';
import { aWorkplace, runOffpeak, untilOldEnough } from '../support/offpeak.ts';
import { lacksServer, plainServer } from '../support/servers.ts';
import { stepsOf } from '../support/tick-document.ts';

const PRELOAD = join(import.meta.dirname, '..', 'support', 'preload-clock.ts');
const HOUR = 3_600_000;

describe.skipIf(lacksServer('plain'))('F19: the wall clock is set while a purge waits for its second look', () => {
  let server: RunningServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await plainServer();
    redis = clientOf(server);
    await untilOldEnough(redis);
  });
  beforeEach(() => retainPages(redis));
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  test.each([
    ['back by an hour', -HOUR],
    ['back by half a minute', -30_000],
    ['forward by an hour', HOUR],
  ])(
    '%s: it waits for twelve seconds, and purges',
    async (_, jump) => {
      using place = aWorkplace();
      place.write('prod.yml', configYaml(server.port));
      const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_JUMP_MS: String(jump), CLOCK_AFTER_MS: '4000' };
      const started = performance.now();
      const run = await runOffpeak(['run', '--json', '-c', 'prod.yml'], { cwd: place.folder, env });
      const lasted = performance.now() - started;
      expect({ code: run.code, steps: stepsOf(run.documents) }).toEqual({ code: 0, steps: ['purge'] });
      // A clock that was set forward must not cut the wait short: pages that leave by themselves would be purged.
      expect(lasted).toBeGreaterThan(12_000);
    },
    100_000,
  );
});
