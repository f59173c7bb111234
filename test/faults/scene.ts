import type { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import type { Names } from '../../core/adapters/dns/names.ts';
import { numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import { HOUR, MIB, SECOND } from '../../core/config/units.ts';
import { planIn, problemIn, statusOf, stepsOf } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Ports } from '../../core/ports/ports.ts';
import type { Tick, TickOptions } from '../../core/reconcile/scope.ts';
import { endPause, putPause } from '../../core/state/pauses.ts';
import { clientOf, fragment, retainPages, settingsOf } from '../support/fragmented.ts';
import { aJob, type Job, OPEN } from '../support/job.ts';
import { defragServer, keepingServer, plainServer } from '../support/servers.ts';
import { messesOf, type Settings } from './messes.ts';
import { type RedisProxy, redisProxy } from './redis-proxy.ts';
import type { Seen } from './table.ts';

/** So little CPU that no defrag is over before its trouble is. */
const FLOORS = `
    purge: { minReclaim: 24MiB, maxBlock: 1s }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxOpsPerSecond: 100000`;

/** What is written to fragment it. */
export const HOLED = 120 * MIB;

/** A fragmented server behind a proxy, and a healthy one. */
export interface Place extends AsyncDisposable {
  readonly server: RunningServer;
  readonly healthy: RunningServer;
  readonly redis: Redis;
  readonly proxy: RedisProxy;
}

/** The real job on such a place, and a clock that can be moved on. */
export interface Scene extends Omit<Place, 'healthy'> {
  readonly job: Job;
  /** Time passes, for the job. */
  pass(ms: number): void;
  /** A tick that switches defrag on; ends when it runs. */
  start(): Promise<void>;
  /** What the tick made of the troubled node; that the healthy one was served as always is checked each time. */
  tick(options?: Partial<TickOptions>): Promise<string>;
  /** A run is ended by it. */
  pause(): Promise<unknown>;
  /** Ticks, with the instance paused so that a run is ended, until nothing of ours is left. */
  cleanUp(before: Settings, redis?: Redis): Promise<CleanedUp>;
  told(): readonly string[];
}

/** How many ticks it took, and what is left all the same. */
export type CleanedUp = Pick<Seen, 'clean' | 'messes'>;

/** A mess is not taken for one before nobody comes for it in so many ticks. */
const MOST_TICKS = 3;

interface SceneOptions {
  readonly stateFile?: string;
  /** How the troubled instance is called; by default by its address. */
  readonly host?: string;
  readonly names?: Names;
  /** In place of the ports that keep everything for the test. */
  readonly ports?: (kept: Ports) => Partial<Ports>;
}

export async function aPlace(action: 'defrag' | 'purge', args: readonly string[] = []): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await (action === 'defrag' ? defragServer({ args }) : keepingServer({ args })));
  const healthy = stack.use(await plainServer());
  const proxy = stack.use(await redisProxy(server.port));
  const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
  if (action === 'defrag') await fragment(redis, HOLED);
  else await retainPages(redis, 100 * MIB);
  await outlived(redis);
  const owned = stack.move();
  return { server, healthy, redis, proxy, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Fresh free pages, new ones each time: those of the main thread go by decay while others are looked at. What the server's own
 * thread for freeing has freed stays: of 200 MiB, 43 to 56.
 */
export async function replenished({ redis }: Place): Promise<void> {
  const value = 'x'.repeat(MIB);
  const keys = Array.from({ length: 200 }, (_, index) => `big:${index}`);
  await redis.call('MEMORY', 'PURGE');
  let tries = 0;
  do {
    expect(tries++, 'no pages stay').toBeLessThan(10);
    for (const key of keys) await redis.set(key, value);
    await redis.flushall('ASYNC');
    await new Promise((resolve) => setTimeout(resolve, 500));
  } while ((await between(redis, 'allocator_resident', 'allocator_active')) < 36 * MIB);
}

async function between(redis: Redis, upper: string, lower: string): Promise<number> {
  const info = parseInfo(await redis.info('memory'));
  return (numberField(info, upper) ?? 0) - (numberField(info, lower) ?? 0);
}

/** A place of its own, and the job on it. */
export async function aScene(action: 'defrag' | 'purge', args: readonly string[] = []): Promise<Scene> {
  const place = await aPlace(action, args);
  const scene = sceneAt(place);
  return {
    ...scene,
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

export function configAt(
  { proxy, healthy }: Pick<Place, 'healthy' | 'proxy'>,
  scheme = 'redis',
  host = '127.0.0.1',
): string {
  const instance = (id: string, url: string) => `  - id: ${id}\n    url: ${url}${OPEN}${FLOORS}\n`;
  return `instances:\n${instance('ill', `${scheme}://${host}:${proxy.port}`)}${instance('well', `redis://127.0.0.1:${healthy.port}`)}`;
}

/** Longer than a server takes to notice what was set. */
const SHORT_MS = 250;

/** The job on a place that others use as well, one after the other. */
export function sceneAt(place: Place, { stateFile, host, names, ports: others }: SceneOptions = {}): Scene {
  let offset = 0;
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  // Every end of a defrag waits 12 s for the allocator's decay: what is left behind does not depend on it.
  const sleep = async (ms: number) => {
    const short = Math.min(ms, SHORT_MS);
    offset += ms - short;
    await wait(short);
  };
  const clock: Clock = { now: () => Date.now() + offset, sleep, pause: wait };
  const job = aJob(configAt(place, 'redis', host), {
    clock,
    ...(names && { names }),
    ...(stateFile !== undefined && { stateFile }),
    ...(others && { others }),
  });
  const { store } = job.ports;

  const tick = async (options?: Partial<TickOptions>) => {
    const published = job.metrics.length;
    const result = await job.tick(options);
    expectServed(result, job, published);
    return outcomeOf(result);
  };
  const pause = () =>
    putPause(store, 'ill', { until: clock.now() + HOUR, reason: 'fault', by: 'test', at: clock.now() });
  return {
    ...place,
    job,
    tick,
    async start() {
      expect(await tick()).toBe('acted: start-defrag');
      // serverCron sees the switch within a second; a clock that is moved on must not take that for a defrag that has ended.
      await seen(place.redis, 'memory', /^active_defrag_running:[1-9]/m);
    },
    pass: (ms) => {
      offset += ms;
    },
    pause,
    async cleanUp(before, client = place.redis) {
      await pause();
      for (let clean = 1; ; clean++) {
        // Whoever died or lost its way is busy no longer, by its own clock, which may be ahead (job-process.ts).
        offset += 150 * SECOND;
        await tick();
        const messes = messesOf(before, await settingsOf(client), await store.list(''));
        if (messes.length > 0 && clean < MOST_TICKS) continue;
        await endPause(store, 'ill');
        return { clean, messes };
      }
    },
    told: () => [...new Set(job.alerts.filter(({ instance }) => instance !== 'well').map(({ event }) => event))],
    async [Symbol.asyncDispose]() {
      job[Symbol.dispose]();
    },
  };
}

/** What a tick made of the troubled instance, in the words of the table. */
export function outcomeOf({ outcomes, undelivered }: Pick<Tick, 'outcomes' | 'undelivered'>): string {
  const all = outcomes.filter((outcome) => outcome.instance === 'ill');
  // Why no purge follows a stop is said where there are free pages, and how many there are depends on the moment.
  const isStopped = all.some((outcome) => outcome.kind === 'stopped');
  const ill = all.flatMap(stepsOf).filter((step) => !isStopped || planIn(step)?.kind === 'act');
  const words = ill.map((step) => `${statusOf(step)}: ${problemIn(step)?.kind ?? reasonOf(planIn(step))}`);
  return [...words, ...(undelivered > 0 ? ['not all delivered'] : [])].join('; ');
}

/** Not `expect.poll`, which side by side takes one test for another. */
export async function seen(redis: Redis, section: string, words: string | RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await redis.info(section)).toMatch(words), { timeout: 60_000, interval: 100 });
}

function reasonOf(plan: Plan | undefined): string {
  if (!plan) return 'no plan';
  return plan.kind === 'skip' ? plan.reason : plan.action.kind;
}

/** S6: whatever the one is like, the other is looked at, and published. */
function expectServed({ outcomes }: Tick, job: Job, published: number): void {
  expect(outcomes.find(({ instance }) => instance === 'well')?.kind).toBe('observed');
  const instances = job.metrics.slice(published).map(({ dimensions }) => JSON.stringify(dimensions));
  for (const id of ['ill', 'well']) expect(instances.some((text) => text.includes(`"${id}"`))).toBe(true);
}

/** A server that has just started is left alone for ten seconds. */
async function outlived(redis: Redis): Promise<void> {
  while ((numberField(parseInfo(await redis.info('server')), 'uptime_in_seconds') ?? 0) < 11) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
