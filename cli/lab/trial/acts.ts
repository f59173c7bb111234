import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Bytes } from '../../../core/config/units.ts';
import { type Outcome, planIn, stepsOf } from '../../../core/domain/outcome.ts';
import type { Tick } from '../../../core/reconcile/scope.ts';
import { reasonText } from '../../../core/reporting/wording/plan.ts';
import { defragByDefaults, QUIET_S, settled } from '../at-rest.ts';
import type { ServerBinary } from '../binary.ts';
import { folderOf, onFreshCopy } from '../floor.ts';
import { openNight } from '../night.ts';
import type { RunningServer } from '../start.ts';
import type { ArmName } from './arms.ts';
import { readingOf } from './reading.ts';
import type { Reading } from './result.ts';

/** One server of a site, with the data in it. */
export interface Ready {
  readonly binary: ServerBinary;
  readonly server: RunningServer;
  readonly redis: Redis;
}

/** What an arm has done, as far as it differs from waiting. */
export interface Done {
  /** Until the action was over, where not all of it counts. */
  readonly seconds?: number;
  readonly ended?: string;
  readonly predicted?: Bytes;
  /** Of another server than the arm's own. */
  readonly after?: Reading;
}

/** Arms that do something; the others only wait. */
export const ACTS: Partial<Record<ArmName, (ready: Ready, signal: AbortSignal) => Promise<Done>>> = {
  purge,
  'thread-off-purge': purge,
  defaults,
  offpeak,
  restart,
};

async function purge({ redis }: Ready): Promise<Done> {
  await redis.call('MEMORY', 'PURGE');
  return {};
}

async function defaults({ redis }: Ready, signal: AbortSignal): Promise<Done> {
  const began = performance.now();
  const ended = await defragByDefaults(redis, signal);
  // That it rests is known only when it has rested for a while.
  return { ended, seconds: Math.max(0, (performance.now() - began) / 1000 - QUIET_S) };
}

const EVERY_MS = 2000;

/** The engine itself, tick after tick, with nothing known of the node. */
async function offpeak({ server, redis }: Ready, signal: AbortSignal): Promise<Done> {
  const night = await openNight({
    ...{ id: 'lab', port: server.port, memoryLimit: '64GiB' },
    ...{ folder: await folderOf(redis), every: EVERY_MS, signal },
  });
  const seen: Tick[] = [];
  for await (const tick of night.ticks) seen.push(tick);
  signal.throwIfAborted();
  return endOf(seen.flatMap(({ outcomes }) => outcomes).flatMap(stepsOf));
}

/** Why it ended, or why nothing was done, in words; and what its first plan predicted. */
export function endOf(steps: readonly Outcome[]): Done {
  const plans = steps.flatMap((step) => planIn(step) ?? []);
  const acts = plans.filter((plan) => plan.kind === 'act');
  const last = acts.findLast(({ action }) => action.kind === 'stop-defrag') ?? acts.at(-1) ?? plans.at(-1);
  const [first] = acts;
  return { ...(last && { ended: reasonText(last) }), ...(first && { predicted: first.predicted.reclaim }) };
}

/** RSS of the server is sampled ten times a second. */
const SAMPLED_MS = 1000;

/** A fresh server with the same data: from SAVE to the last key clients would have none. */
async function restart({ binary, redis }: Ready, signal: AbortSignal): Promise<Done> {
  const began = performance.now();
  const measure = async (copy: Redis) => {
    const seconds = (performance.now() - began) / 1000;
    // What loading has left is not the data's.
    await copy.call('MEMORY', 'PURGE');
    await wait(SAMPLED_MS, undefined, { signal });
    return { seconds, after: await readingOf(copy) };
  };
  return await onFreshCopy(binary, redis, measure, signal);
}

/** For arms that only wait. Returns after how many seconds RSS was where it stayed. */
export async function atRest(all: readonly Redis[], signal: AbortSignal): Promise<number> {
  return Math.max(...(await Promise.all(all.map((redis) => settled(redis, signal)))));
}
