import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { SECOND } from '../../core/config/units.ts';
import { fragmentedServer } from '../support/fragmented-server.ts';
import { configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { aContainer, awsBackend, contextOf } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { bulk, infoServer } from '../support/odd-server.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';
import { stepsOf } from '../support/tick-document.ts';

const PRELOAD = join(import.meta.dirname, '..', 'support', 'preload-clock.ts');
const HOUR = 3_600_000;
const MIB = 1024 * 1024;

/** A server that keeps a gigabyte of free pages, however long it is looked at: a real one may return them by itself. */
const INFO = readFileSync(new URL('../fixtures/info/redis-7.0.15.txt', import.meta.url), 'utf8')
  .replace(/^(allocator_resident|used_memory_rss):(\d+)/gm, (_, name, bytes) => `${name}:${Number(bytes) + 1024 * MIB}`)
  .replace(/^uptime_in_seconds:\d+/m, 'uptime_in_seconds:86400');

test.concurrent.each([
  ['back by an hour', -HOUR],
  ['back by half a minute', -30_000],
  ['forward by an hour', HOUR],
])(
  'F19: the wall clock is set %s while a purge waits for its second look: it waits for twelve seconds',
  async (_, jump) => {
    await using server = await infoServer(() => bulk(INFO));
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port, `${OPEN}\n    purge: { maxBlock: 10s }`));
    const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CLOCK_JUMP_MS: String(jump), CLOCK_AFTER_MS: '4000' };
    const started = performance.now();
    const run = await runOffpeak(['plan', '--json', '-c', 'prod.yml'], { cwd: place.folder, env });
    const lasted = performance.now() - started;
    expect({ code: run.code, steps: stepsOf(run.documents) }).toEqual({ code: 0, steps: ['purge'] });
    // A clock that was set forward must not cut the wait short: pages that leave by themselves would be purged.
    expect(lasted).toBeGreaterThan(12_000);
  },
);

describeWithMoto('a wall clock that is set back an hour', () => {
  test.skipIf(lacksServer('defrag'))('does not stretch an invocation that follows a defrag', async () => {
    await using aws = await awsBackend();
    await using fragmented = await fragmentedServer();
    const { server, redis } = fragmented;
    // So little CPU that the defrag outlasts the invocation.
    const slow = SMALL_FLOORS.replace('maxStall: 100ms', 'maxStall: 100ms, maxCpu: 1%');
    using container = aContainer(configYaml(server.port, OPEN + slow, 'slow'));
    const wall = Date.now.bind(Date);
    const start = wall();
    // From the first word of our defrag on.
    let isBack = false;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => wall() - (isBack ? HOUR : 0));
    const watching = setInterval(async () => {
      isBack ||= /active_defrag_running:[1-9]/.test(await redis.info('memory'));
    }, 50);
    try {
      // As Lambda's own runtime has it: by the wall clock.
      const context = { ...contextOf(), getRemainingTimeInMillis: () => start + 90 * SECOND - Date.now() };
      const summary = await container.invoke(context);
      expect(isBack).toBe(true);
      expect(summary).toMatchObject({ nodes: 1, leased: 1 });
      expect(aws.proxy.requests.length).toBeGreaterThan(0);
    } finally {
      clearInterval(watching);
      clock.mockRestore();
    }
  });
});
