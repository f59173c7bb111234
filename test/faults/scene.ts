import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { RunningServer } from '../../cli/server/start.ts';
import { endPause, putPause } from '../../functions/maintain/pauses.ts';
import type { Clock } from '../../functions/maintain/ports.ts';
import type { Tick } from '../../functions/maintain/run.ts';
import { readState } from '../../functions/maintain/state.ts';
import { HOUR, MIB, SECOND } from '../../functions/shared/config/units.ts';
import { numberField, parseInfo } from '../../functions/shared/redis/info.ts';
import { createFileStore } from '../../functions/shared/state/file-store.ts';
import { clientOf, fragment, retainPages, settingsOf } from '../support/fragmented.ts';
import { aJob, type Job, OPEN } from '../support/job.ts';
import { defragServer, plainServer } from '../support/servers.ts';
import { type RedisProxy, redisProxy } from './redis-proxy.ts';

/** So little CPU that no defrag is over before its trouble is. */
const FLOORS = `
    purge: { minReclaim: 24MiB, maxBlock: 1s }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxOpsPerSecond: 100000`;

/** A fragmented server behind a proxy, a healthy one beside it, the real job, and a clock that can be moved on. */
export interface Scene extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
  readonly proxy: RedisProxy;
  readonly job: Job;
  /** Time passes, for the job. */
  pass(ms: number): void;
  /** What the tick made of the troubled node; that the healthy one was served as always is checked each time. */
  tick(): Promise<string>;
  /** Ticks, with the instance paused so that a run is ended, until nothing of ours is left; how many it took. */
  ticksUntilClean(before: Readonly<Record<string, string>>, redis?: Redis): Promise<number>;
  told(): readonly string[];
}

export async function aScene(cure: 'defrag' | 'purge', args: readonly string[] = []): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await defragServer({ args }));
  const healthy = stack.use(await plainServer());
  const proxy = stack.use(await redisProxy(server.port));
  const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
  if (cure === 'defrag') await fragment(redis, 120 * MIB);
  else await retainPages(redis, 100 * MIB);
  await outlived(redis);
  let offset = 0;
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const clock: Clock = { now: () => Date.now() + offset, sleep: wait, pause: wait };
  const instance = (id: string, port: number) => `  - id: ${id}\n    url: redis://127.0.0.1:${port}${OPEN}${FLOORS}\n`;
  const job = stack.use(aJob(`instances:\n${instance('ill', proxy.port)}${instance('well', healthy.port)}`, { clock }));
  const store = createFileStore(job.stateFile);
  const owned = stack.move();

  const tick = async () => {
    const published = job.metrics.length;
    const result = await job.tick();
    expectServed(result, job, published);
    const ill = result.outcomes.filter((outcome) => outcome.instance === 'ill');
    return ill.map(({ status, plan, problem }) => `${status}: ${problem?.kind ?? reasonOf(plan)}`).join('; ');
  };
  return {
    server,
    redis,
    proxy,
    job,
    tick,
    pass: (ms) => {
      offset += ms;
    },
    async ticksUntilClean(before, client = redis) {
      await putPause(store, 'ill', { until: clock.now() + HOUR, reason: 'fault', by: 'test', at: clock.now() });
      for (let ticks = 1; ticks <= 3; ticks++) {
        // Whoever died or lost its way is busy no longer.
        offset += 120 * SECOND;
        await tick();
        const leases = (await readState(store)).leases;
        const settings = await settingsOf(client);
        if (leases.size === 0 && isDeepStrictEqual(settings, before)) {
          expect([...(await store.list('outbox#')).keys()]).toEqual([]);
          await endPause(store, 'ill');
          return ticks;
        }
      }
      expect(await settingsOf(client)).toEqual(before);
      throw new Error('a lease is left');
    },
    told: () => [...new Set(job.alerts.filter(({ instance }) => instance !== 'well').map(({ event }) => event))],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function reasonOf(plan: Tick['outcomes'][number]['plan']): string {
  if (!plan) return 'no plan';
  return plan.kind === 'skip' ? plan.reason : plan.action.kind;
}

/** S6: whatever the one is like, the other is looked at, and published. */
function expectServed({ outcomes }: Tick, job: Job, published: number): void {
  expect(outcomes.find(({ instance }) => instance === 'well')?.status).toBe('observed');
  const instances = job.metrics.slice(published).map(({ dimensions }) => JSON.stringify(dimensions));
  for (const id of ['ill', 'well']) expect(instances.some((text) => text.includes(`"${id}"`))).toBe(true);
}

/** A server that has just started is left alone for ten seconds. */
async function outlived(redis: Redis): Promise<void> {
  while ((numberField(parseInfo(await redis.info('server')), 'uptime_in_seconds') ?? 0) < 11) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
