import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import type { Facts, Plan, StopPlan, StopReason } from '../domain/plan.ts';
import type { Prediction } from '../domain/prediction.ts';
import { admit } from '../guards/admission.ts';
import { defragCandidate, purgeCandidate, purgeFor } from './candidates.ts';

/** Right after a defrag a purge is part of the cure, without a second look or a cooldown: an eighth of `purge.minReclaim` is worth it. */
const AFTER_DEFRAG_SHARE = 1 / 8;

/** What to do with a node on which no lease of ours stands. */
export function plan(facts: Facts): Plan {
  const { observation, diagnosis } = facts;
  if (!diagnosis.layers)
    return { kind: 'skip', reason: isActiveDefragOn(observation) ? 'foreign-defrag' : 'no-layers' };
  const defrag = admit(facts, defragCandidate(facts), facts.policy.defrag.cooldown);
  if (defrag.kind === 'act') return defrag;
  const purge = admit(facts, purgeCandidate(facts), facts.policy.purge.cooldown);
  if (purge.kind === 'act') return purge;
  // Neither acts. What would be done at another time says the most; then what is there to cure and cannot be.
  return defrag.reason === 'healthy' || (purge.instead && !defrag.instead) ? purge : defrag;
}

/**
 * The purge that belongs to a finished defrag: at once, while the pages that it freed are still there, and once for each lease
 * (`since`, epoch ms): a job that died right after it has left no other trace.
 */
export function planAfterDefrag(facts: Facts, since: number): Plan {
  const { diagnosis, policy, memory } = facts;
  if ((memory.lastPurgeAt ?? 0) >= since) {
    const until = (memory.lastPurgeAt ?? 0) + policy.purge.cooldown;
    return { kind: 'skip', reason: 'cooling-down', blockers: [{ kind: 'cooling-down', until }], until };
  }
  const worth = AFTER_DEFRAG_SHARE * policy.purge.minReclaim;
  return admit(facts, purgeFor(facts, diagnosis.cures.purge, 'after-defrag', worth), 0);
}

/** The second look decides, and only for what the first one asked for as well. */
export function revalidate(first: Plan, second: Plan): Plan {
  if (first.kind === 'skip' || second.kind === 'skip') return second;
  return first.action.kind === second.action.kind ? second : { kind: 'skip', reason: 'changed' };
}

/** What was started ends, whatever else may speak for carrying on. */
export function stopping({ predicted }: { readonly predicted: Prediction }, because: StopReason): StopPlan {
  return { kind: 'act', action: { kind: 'stop-defrag', because }, reason: because, predicted };
}
