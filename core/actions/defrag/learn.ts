import type { Lease } from '../../domain/lease.ts';
import { type NodeHistory, withAction } from '../../domain/node-history.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Learned } from '../../domain/prediction.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { blend, counted, dated } from '../learning.ts';
import { workOf } from './predict.ts';

const SHARE_BOUNDS = [0.1, 1.2] as const;

/** A node of few large collections takes thirty times what its number of keys says. */
const WORK_BOUNDS = [0.02, 200] as const;

/** The formula is pessimistic already; a first second on a busy machine must not keep a node out for a month. */
const FIRST_BOUNDS = [0.05, 2] as const;

/** What a finished defrag has taught about its node. */
export function learnFromDefrag(
  memory: NodeHistory,
  verdict: Verdict,
  settled: Observation,
  lease: Pick<Lease, 'progress' | 'predicted' | 'cpu' | 'noise'>,
): NodeHistory {
  // The prediction was scaled by the share known before: what is learned is the share of the unscaled one.
  const { defragShare: known = 1 } = memory.learned;
  const share = verdict.share === undefined ? undefined : verdict.share * known;
  const learned: Learned = {
    ...memory.learned,
    ...(share !== undefined && { defragShare: blend(known, share, SHARE_BOUNDS), ...dated(settled) }),
    ...workLearned(memory.learned, lease),
    ...firstCycleLearned(memory.learned, lease),
  };
  return withAction({ ...memory, learned }, 'defrag', counted(memory.byAction.defrag, verdict));
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
