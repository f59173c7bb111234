import { HOUR, type Milliseconds } from '../config/units.ts';
import { defragProspect, purgeProspect } from '../diagnosis/prospect.ts';
import type { Prospect } from '../domain/diagnosis.ts';
import type { Observation } from '../domain/observation.ts';
import type { Facts, Plan } from '../domain/plan.ts';
import type { Prediction } from '../domain/prediction.ts';
import { HARD_BOUND } from './defrag/pace.ts';
import { type Heap, predictDuration, predictFirstCycle } from './defrag/predict.ts';
import { defragSettings, valueBytesOf } from './defrag/settings.ts';

// What would be worth doing, were it allowed.

type Instead = NonNullable<Extract<Plan, { kind: 'skip' }>['instead']>;

/** Active defrag, or why it would be of no use here. */
export function defragCandidate(facts: Facts): Plan {
  const { observation, diagnosis, policy } = facts;
  const { settings, stall, cpu } = defragSettings(
    policy.defrag,
    observation.defrag.settings ?? {},
    observation.engine,
    valueBytesOf(observation),
  );
  const predicted: Prediction = { reclaim: diagnosis.reclaimable.defrag, stall, ...predictedRun(facts, cpu) };
  const prospect = defragProspect(facts, diagnosis.layers);
  const instead = { action: 'start-defrag', predicted } as const;
  if (prospect.kind !== 'worthwhile') return withoutIt(prospect, instead);
  if (isStallTooLong(predicted, policy)) return { kind: 'skip', reason: 'would-stall', instead };
  return {
    kind: 'act',
    action: { kind: 'start-defrag', settings, cpu, expiresAt: leaseEnd(facts) },
    reason: 'fragmented',
    predicted,
  };
}

/** Its cycles, or the one wait as it begins: that may be as long as a purge may block. */
function isStallTooLong({ stall, firstCycle = 0 }: Prediction, { defrag, purge }: Facts['policy']): boolean {
  return stall > defrag.maxStall || firstCycle > Math.max(HARD_BOUND * defrag.maxStall, purge.maxBlock);
}

function predictedRun({ observation, memory: { learned } }: Facts, cpu: number): Partial<Prediction> {
  const heap = heapOf(observation);
  const duration = predictDuration(heap, cpu, learned);
  return {
    firstCycle: predictFirstCycle(heap, learned),
    ...(duration !== undefined && { duration, isLearned: learned.defragWork !== undefined }),
  };
}

export function heapOf({ keys, memory }: Pick<Observation, 'keys' | 'memory'>): Heap {
  const { allocatorAllocated: allocated = 0, allocatorActive: active = 0, memAllocator } = memory;
  return {
    allocated,
    active,
    ...(keys !== undefined && { keys }),
    ...(memAllocator !== undefined && { memAllocator }),
  };
}

/** No run goes on for longer, whatever the window is (redis#5603: runs without an end). */
const LONGEST_RUN: Milliseconds = 12 * HOUR;

function leaseEnd({ now, policy, window, attended = LONGEST_RUN }: Facts): number {
  const longest = Math.min(policy.defrag.maxDuration ?? LONGEST_RUN, attended);
  return Math.min(now + longest, window.open ? window.closesAt : Number.POSITIVE_INFINITY);
}

/** A purge, or why it would be of no use here. Whether active defrag is on is not asked: its switch is not this cure's. */
export function purgeCandidate(facts: Facts): Plan {
  return purgeFor(facts, lastingPages(facts), 'free-pages');
}

/** A purge of these pages, where it is worth it and can be had. */
export function purgeFor(
  facts: Facts,
  predicted: Prediction,
  reason: 'free-pages' | 'after-defrag',
  worth?: number,
): Plan {
  const prospect = purgeProspect(facts, predicted, worth);
  if (prospect.kind !== 'worthwhile') return withoutIt(prospect, { action: 'purge', predicted });
  return { kind: 'act', action: { kind: 'purge' }, reason, predicted };
}

/** The plan that follows from a cure that is not to be had. */
function withoutIt(prospect: Exclude<Prospect, { kind: 'worthwhile' }>, instead: Instead): Plan {
  switch (prospect.kind) {
    case 'little':
      return { kind: 'skip', reason: 'healthy' };
    case 'already-on':
      return { kind: 'skip', reason: 'foreign-defrag' };
    case 'denied-version':
      return { kind: 'skip', reason: 'denied-version', denial: prospect.denial };
    case 'would-block':
      return { kind: 'skip', reason: 'would-block', instead };
    case 'unknown-engine': {
      // At any time of day: no window makes it known.
      const blockers = [{ kind: 'unknown-engine', engine: 'unknown', version: prospect.version }] as const;
      return { kind: 'skip', reason: 'unknown-engine', instead, blockers };
    }
    default:
      return { kind: 'skip', reason: prospect.kind };
  }
}

/** What both looks found: pages that came after the first one have not had their chance to go by themselves. */
function lastingPages({ diagnosis, observation, earlier }: Facts): Prediction {
  const predicted = diagnosis.reclaimable.purge;
  const before = earlier && freePagesIn(earlier);
  const now = freePagesIn(observation);
  if (before === undefined || now === undefined || before >= now) return predicted;
  const reclaim = Math.max(0, predicted.reclaim - (now - before));
  // The younger pages are purged with the others: they count for the time, not for the gain.
  return { reclaim, stall: predicted.stall };
}

function freePagesIn({ memory }: Observation): number | undefined {
  const { allocatorResident, allocatorActive } = memory;
  return allocatorResident === undefined || allocatorActive === undefined
    ? undefined
    : allocatorResident - allocatorActive;
}
