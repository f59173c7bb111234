import { layersOf } from '../../diagnosis/layers.ts';
import { purgeProspect } from '../../diagnosis/prospect.ts';
import type { Facts, Plan } from '../../domain/plan.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { withoutIt } from '../obstructed.ts';

/** A purge, or why it would be of no use here. Whether active defrag is on is not asked: a purge does not need its switch. */
export function purgeCandidate(facts: Facts): Plan {
  return purgeFor(facts, lastingPages(facts), 'free-pages');
}

/** A purge of these pages, where it is worth it and can be had. `share`: this part of `purge.minReclaim` is enough. */
export function purgeFor(
  facts: Facts,
  predicted: Prediction,
  reason: 'free-pages' | 'after-defrag',
  share?: number,
): Plan {
  const prospect = purgeProspect(facts, predicted, share);
  if (prospect.kind !== 'worthwhile') return withoutIt(prospect, { action: 'purge', predicted });
  return { kind: 'act', action: { kind: 'purge' }, reason, predicted };
}

/** What both checks found: pages that came after the first one have not had their chance to go by themselves. */
function lastingPages({ diagnosis, earlier }: Facts): Prediction {
  const predicted = diagnosis.reclaimable.purge;
  const before = earlier && layersOf(earlier.memory)?.freePages;
  const now = diagnosis.layers?.freePages;
  if (before === undefined || now === undefined || before >= now) return predicted;
  const reclaim = Math.max(0, predicted.reclaim - (now - before));
  // The younger pages are purged with the others: they count for the time, not for the gain.
  return { reclaim, stall: predicted.stall };
}
