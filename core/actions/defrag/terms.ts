import { MINUTE, type Milliseconds } from '../../config/units.ts';
import type { Blocker } from '../../domain/blocker.ts';
import type { Acting, Facts, StartDefrag } from '../../domain/plan.ts';
import type { Terms } from '../../domain/terms.ts';
import { SHORT_WAIT } from '../../domain/timings.ts';
import { canaryDied } from '../../guards/canary.ts';
import { immovable } from '../../guards/modules.ts';
import { cooledAt } from '../cooldown.ts';

/** A defrag that the end of the window cuts off at once costs and returns nothing. */
const SHORTEST: Milliseconds = 1 * MINUTE;

/** What a start asks for. */
export function terms(facts: Facts, { predicted, action }: Acting): Terms {
  const { memory, policy } = facts;
  const cooled = cooledAt(memory.byAction.defrag, policy.defrag.cooldown);
  const coolingUntil = Math.max(cooled, memory.byAction.defrag?.restUntil ?? 0);
  const long = action.kind === 'start-defrag' ? tooLong(facts, predicted, action) : undefined;
  const blockers = [moduleTypes(facts), canaryDied(facts), long];
  return {
    ...(coolingUntil > 0 && { coolingUntil }),
    time: predicted.stall,
    secondCheck: SHORT_WAIT,
    openFor: SHORTEST,
    isLasting: true,
    blockers: blockers.filter((blocker) => blocker !== undefined),
  };
}

function moduleTypes({ observation, policy }: Facts): Blocker | undefined {
  if (!observation.examined) return undefined;
  const modules = immovable(observation.examined.modules, observation.engine, policy.defrag.allowModules);
  return modules.length > 0 ? { kind: 'module-types', modules } : undefined;
}

/** The share of a learned, or of an estimated, duration that has to fit into the time. */
const FITS = { learned: 0.9, estimated: 0.5 };

/** A run that cannot finish is not started: measured, a run that was cut off at half of its scan had returned nothing. */
function tooLong(facts: Facts, predicted: Acting['predicted'], { expiresAt, cpu }: StartDefrag): Blocker | undefined {
  const { duration, isLearned = false } = predicted;
  if (duration === undefined) return undefined;
  const available = expiresAt - facts.now;
  if (duration * (isLearned ? FITS.learned : FITS.estimated) <= available) return undefined;
  return { kind: 'too-long', required: duration, available, cpu, bound: boundOf(facts, expiresAt), isLearned };
}

function boundOf({ window, attended, now }: Facts, expiresAt: number): 'window' | 'maxDuration' | 'schedule' {
  if (window.open && expiresAt >= window.closesAt) return 'window';
  return attended !== undefined && expiresAt >= now + attended ? 'schedule' : 'maxDuration';
}
