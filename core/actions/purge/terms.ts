import { purgePatience } from '../../diagnosis/predict.ts';
import type { Acting, Facts } from '../../domain/plan.ts';
import type { Terms } from '../../domain/terms.ts';
import { DECAY, SHORT_WAIT } from '../../domain/timings.ts';
import { cooledAt } from '../cooldown.ts';

/** What a purge asks for. The one that follows a defrag belongs to it: no cooldown, and no wait for pages that leave by themselves. */
export function terms({ memory, policy }: Facts, { reason, predicted }: Acting): Terms {
  const isAfterDefrag = reason === 'after-defrag';
  const cooled = cooledAt(memory.byAction.purge, policy.purge.cooldown);
  return {
    ...(!isAfterDefrag && cooled > 0 && { coolingUntil: cooled }),
    time: purgePatience(predicted.stall),
    secondCheck: isAfterDefrag ? SHORT_WAIT : DECAY,
    isLasting: false,
    blockers: [],
  };
}
