import { HOUR, type Milliseconds } from '../../config/units.ts';
import { valueBytesOf } from '../../diagnosis/cycle.ts';
import { heapOf, predictFirstCycle } from '../../diagnosis/first-cycle.ts';
import { defragProspect } from '../../diagnosis/prospect.ts';
import type { Facts, Plan } from '../../domain/plan.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { withoutIt } from '../obstructed.ts';
import { predictDuration } from './predict.ts';
import { defragSettings } from './settings.ts';

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
  return {
    kind: 'act',
    action: { kind: 'start-defrag', settings, cpu, expiresAt: leaseEnd(facts) },
    reason: 'fragmented',
    predicted,
  };
}

/** How long a run takes, and its first cycle. */
export function predictedRun({ observation, memory: { learned } }: Facts, cpu: number): Partial<Prediction> {
  const heap = heapOf(observation);
  const duration = predictDuration(heap, cpu, learned);
  return {
    firstCycle: predictFirstCycle(heap, learned),
    ...(duration !== undefined && { duration, isLearned: learned.defragWork !== undefined }),
  };
}

/** No run goes on for longer, whatever the window is (redis#5603: runs without an end). */
const LONGEST_RUN: Milliseconds = 12 * HOUR;

/** Epoch ms at which a run that starts now ends at the latest. */
export function leaseEnd({ now, policy, window, attended = LONGEST_RUN }: Facts): number {
  const longest = Math.min(policy.defrag.maxDuration ?? LONGEST_RUN, attended);
  return Math.min(now + longest, window.open ? window.closesAt : Number.POSITIVE_INFINITY);
}
