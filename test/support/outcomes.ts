import type { Observation } from '../../core/domain/observation.ts';
import { latestIn, type Outcome, type Problem, planIn, problemIn } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';

/** What was planned on a node that may not be there, and on one of any kind. */
export function planOf(outcome: Outcome | undefined): Plan | undefined {
  return outcome && planIn(outcome);
}

export function troubleOf(outcome: Outcome | undefined): Problem | undefined {
  return outcome && problemIn(outcome);
}

/** The latest look. */
export function lookOf(outcome: Outcome | undefined): Observation | undefined {
  return outcome && latestIn(outcome)?.observation;
}
