import type { Facts, Plan } from '../../domain/plan.ts';
import { admit } from '../../guards/admission.ts';
import { purgeFor } from './propose.ts';
import { terms } from './terms.ts';

/** Right after a defrag, a purge is part of the same action, without a cooldown of its own: an eighth of `purge.minReclaim` is worth it. */
const AFTER_DEFRAG_SHARE = 1 / 8;

/**
 * The purge that belongs to a finished defrag: at once, while the pages that it freed are still there, and once for each lease
 * (`since`, epoch ms): a job that died right after it has left no other trace.
 */
export function planAfterDefrag(facts: Facts, since: number): Plan {
  const { diagnosis, policy, memory } = facts;
  const { lastAt = 0 } = memory.byAction.purge ?? {};
  if (lastAt >= since) {
    const until = lastAt + policy.purge.cooldown;
    return { kind: 'skip', reason: 'cooling-down', blockers: [{ kind: 'cooling-down', until }], until };
  }
  const proposal = purgeFor(facts, diagnosis.reclaimable.purge, 'after-defrag', AFTER_DEFRAG_SHARE);
  return proposal.kind === 'act' ? admit(facts, proposal, terms(facts, proposal)) : proposal;
}
