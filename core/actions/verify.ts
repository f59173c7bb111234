import { type Bytes, GIB, MIB, type Milliseconds } from '../config/units.ts';
import { PURGE_MS_PER_GIB } from '../diagnosis/predict.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeMemory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';
import type { Verdict } from '../domain/verdict.ts';
import { workOf } from './defrag/predict.ts';

/** Of one look; `allocated` is what the allocator has given out, 0 where it does not say. */
export interface RssBaseline {
  readonly usedMemoryRss: Bytes;
  readonly allocated: Bytes;
}

export function rssBaseline({ memory }: Observation): RssBaseline {
  return { usedMemoryRss: memory.usedMemoryRss ?? 0, allocated: memory.allocatorAllocated ?? 0 };
}

export interface Measured {
  readonly action: Verdict['action'];
  readonly before: RssBaseline;
  readonly after: RssBaseline;
  readonly predicted: Prediction;
  readonly stall: Milliseconds;
  readonly promisedStall: Milliseconds;
  readonly unmeasured?: true;
  readonly beyond?: number;
  readonly lasted?: Milliseconds;
  readonly leaving?: Bytes;
}

/** Below this, RSS moves by itself from look to look. */
const NOISE = 8 * MIB;

/** A cure that returns less than this share of its prediction was not worth its price. */
const WORTH = 0.25;

export function verify(measured: Measured): Verdict {
  const { before, after, predicted, ...rest } = measured;
  const dataGrowth = after.allocated - before.allocated;
  const reclaimed = before.usedMemoryRss - after.usedMemoryRss + dataGrowth;
  const floor = Math.min(NOISE, predicted.reclaim / 2);
  const kind =
    reclaimed < -NOISE
      ? 'worse'
      : reclaimed > floor && reclaimed >= WORTH * predicted.reclaim
        ? 'improved'
        : 'unchanged';
  return {
    ...rest,
    kind,
    rssBefore: before.usedMemoryRss,
    rssAfter: after.usedMemoryRss,
    dataGrowth,
    reclaimed,
    predicted: predicted.reclaim,
    ...(predicted.reclaim > 0 && { share: reclaimed / predicted.reclaim }),
  };
}

/** How much of the newest measurement goes into what is remembered: old nights fade, one odd night does not rule. */
const NEWEST = 0.5;

/** Below this a purge's time is mostly its fixed cost, and says nothing about the rate. */
const RATE_FLOOR = 16 * MIB;

const RATE_BOUNDS = [20, 4000] as const;

const KEPT_BOUNDS = [0, Number.MAX_SAFE_INTEGER] as const;

const SHARE_BOUNDS = [0.1, 1.2] as const;

/** A node of few large collections takes thirty times what its number of keys says. */
const WORK_BOUNDS = [0.02, 200] as const;

/** The formula is pessimistic already; a first second on a busy machine must not keep a node out for a month. */
const FIRST_BOUNDS = [0.05, 2] as const;

/** What a purge has taught about its node. `settled` is the look after it. */
export function learnFromPurge(memory: NodeMemory, verdict: Verdict, settled: Observation): NodeMemory {
  const { allocatorResident: resident, allocatorActive: active } = settled.memory;
  const { purgeMsPerGiB: knownRate = PURGE_MS_PER_GIB, keptPages: knownKept } = memory.learned;
  const rate = verdict.reclaimed >= RATE_FLOOR ? verdict.stall / (verdict.reclaimed / GIB) : undefined;
  const kept = resident === undefined || active === undefined ? undefined : Math.max(0, resident - active);
  const learned: Learned = {
    ...memory.learned,
    ...(rate !== undefined && { purgeMsPerGiB: blend(knownRate, rate, RATE_BOUNDS) }),
    ...(kept !== undefined && { keptPages: Math.round(blend(knownKept ?? kept, kept, KEPT_BOUNDS)) }),
    ...dated(settled),
  };
  return {
    ...memory,
    learned,
    ineffective: { ...memory.ineffective, purge: counted(memory.ineffective.purge, verdict) },
  };
}

/** What a finished defrag has taught about its node. */
export function learnFromDefrag(
  memory: NodeMemory,
  verdict: Verdict,
  settled: Observation,
  lease: Pick<Lease, 'progress' | 'predicted' | 'cpu' | 'noise'>,
): NodeMemory {
  // The prediction was scaled by the share known before: what is learned is the share of the unscaled one.
  const { defragShare: known = 1 } = memory.learned;
  const share = verdict.share === undefined ? undefined : verdict.share * known;
  const learned: Learned = {
    ...memory.learned,
    ...(share !== undefined && { defragShare: blend(known, share, SHARE_BOUNDS), ...dated(settled) }),
    ...workLearned(memory.learned, lease),
    ...firstCycleLearned(memory.learned, lease),
  };
  return {
    ...memory,
    learned,
    ineffective: { ...memory.ineffective, defrag: counted(memory.ineffective.defrag, verdict) },
  };
}

function workLearned(
  { defragWork }: Learned,
  { progress: { work }, predicted: { duration }, cpu }: Pick<Lease, 'progress' | 'predicted' | 'cpu'>,
): Pick<Learned, 'defragWork'> {
  const predicted = workOf(duration, cpu) ?? 0;
  return work === undefined || predicted <= 0 ? {} : { defragWork: rated(defragWork, work / predicted, WORK_BOUNDS) };
}

function firstCycleLearned(
  { firstCycle: known }: Learned,
  { progress: { firstCycle }, predicted, noise = 0 }: Pick<Lease, 'progress' | 'predicted' | 'noise'>,
): Pick<Learned, 'firstCycle'> {
  const { firstCycle: foreseen = 0 } = predicted;
  if (foreseen <= 0 || firstCycle === undefined || noise > 0) return {};
  return { firstCycle: rated(known, firstCycle / foreseen, FIRST_BOUNDS) };
}

/** `ratio`: measured ÷ predicted, by the ratio known before. The first measurement counts whole: what it replaces was a guess. */
function rated(known: number | undefined, ratio: number, bounds: readonly [number, number]): number {
  const measured = ratio * (known ?? 1);
  return blend(known ?? Math.min(bounds[1], Math.max(bounds[0], measured)), measured, bounds);
}

function dated({ at, engine }: Observation): Pick<Learned, 'at' | 'version'> {
  return { at, version: engine.version };
}

/** The newest is bounded before it counts: an outlier is worth no more than the worst that is possible. */
function blend(known: number, newest: number, [low, high]: readonly [number, number]): number {
  return known + (Math.min(high, Math.max(low, newest)) - known) * NEWEST;
}

export function counted(ineffective: number, verdict: Verdict): number {
  return verdict.kind === 'improved' ? 0 : ineffective + 1;
}
