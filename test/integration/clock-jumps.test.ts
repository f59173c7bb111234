import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configYaml, OPEN } from '../support/job.ts';
import { bulk, infoServer } from '../support/odd-server.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
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
