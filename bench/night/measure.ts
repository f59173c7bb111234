import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { onFreshCopy, rssOf } from '../../cli/lab/demo/floor.ts';
import { monotonic, type Span, type Waits, waitsIn } from '../support/latencies.ts';
import { probed } from '../support/probing.ts';
import { cpuSeconds, infoOf, type Prepared, prepared, settled } from '../support/server.ts';
import type { Arm } from './arms.ts';
import type { CliRun } from './cli.ts';
import { type NoiseKind, startNoise } from './noise/start.ts';
import type { Recipe } from './recipes.ts';

/** The result of one arm on one server. */
export interface Cell extends Partial<CliRun> {
  /** Bytes: RSS before, at rest after, and of a fresh server with the same data. */
  readonly before: number;
  readonly after: number;
  readonly floor: number;
  /** Until the action was over. */
  readonly seconds: number;
  /** Of the server's process, without what serving the prober takes. */
  readonly cpu: number;
  readonly idle: Waits;
  /** Absent for a restart. */
  readonly action?: Waits;
}

export interface Subject {
  readonly binary: ServerBinary;
  readonly recipe: Recipe;
  readonly noise: NoiseKind;
  readonly seed: number;
}

/** The baseline, and the shortest time of measuring clients: in the few milliseconds of a purge, the tail would be nothing but the purge. */
const IDLE_MS = 10_000;

export async function measure({ binary, recipe, noise, seed }: Subject, arm: Arm): Promise<Cell> {
  await using ready = await prepared(binary, recipe.build, { args: recipe.args(binary.version) });
  const before = await rssOf(ready.redis);
  const seen = await underNoise(ready, arm, noise, seed);
  if (arm.action) await settled(ready.redis);
  const after = await rssOf(ready.redis);
  const fresh = await freshServer(binary, ready.redis);
  return arm.action
    ? { ...seen, before, after, floor: fresh.rss }
    : { ...seen, before, after: fresh.rss, floor: fresh.rss, seconds: fresh.seconds, cpu: fresh.cpu };
}

async function underNoise(ready: Prepared, arm: Arm, kind: NoiseKind, seed: number) {
  await using _ = await startNoise(kind, ready.server.pid, seed);
  const { result, samples } = await probed(ready.server.port, async () => {
    const idle = await timed(ready, () => wait(IDLE_MS));
    const action = arm.action && (await timed(ready, () => watched(ready, arm.action)));
    return { idle, action };
  });
  const { idle, action } = result;
  const rate = idle.cpu / lengthOf(idle.span);
  return {
    ...action?.result.said,
    idle: waitsIn(idle.span, samples),
    ...(action && { action: waitsIn(action.span, samples) }),
    seconds: action?.result.seconds ?? 0,
    cpu: action ? Math.max(0, action.cpu - rate * lengthOf(action.span)) : 0,
  };
}

/** The action, and the rest of the shortest time of measuring clients. */
async function watched(ready: Prepared, action: Arm['action']) {
  const began = performance.now();
  const acting = async () => {
    const said = await action?.(ready);
    return { said, seconds: (performance.now() - began) / 1000 };
  };
  const [result] = await Promise.all([acting(), wait(IDLE_MS)]);
  return result;
}

interface Timed<T> {
  readonly result: T;
  readonly span: Span;
  readonly cpu: number;
}

async function timed<T>({ redis }: Prepared, work: () => Promise<T>): Promise<Timed<T>> {
  const cpu = cpuSeconds(await infoOf(redis));
  const from = monotonic();
  const result = await work();
  const to = monotonic();
  return { result, span: { from, to }, cpu: cpuSeconds(await infoOf(redis)) - cpu };
}

function lengthOf({ from, to }: Span): number {
  return (to - from) / 1_000_000;
}

/** What a fresh server with the same data has at rest, and what a restart costs: from SAVE to the last key, clients have no server. */
async function freshServer(binary: ServerBinary, redis: Redis) {
  const began = performance.now();
  const before = cpuSeconds(await infoOf(redis));
  return await onFreshCopy(binary, redis, async (copy) => {
    const seconds = (performance.now() - began) / 1000;
    const saving = cpuSeconds(await infoOf(redis)) - before;
    const cpu = saving + cpuSeconds(await infoOf(copy));
    await settled(copy);
    return { rss: await rssOf(copy), seconds, cpu };
  });
}
