import type { Observation } from '../../core/domain/observation.ts';
import { latestIn, type Outcome, type Problem, planIn, problemIn, stepsOf } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import type { Tick } from '../../core/reconcile/scope.ts';

/** What was planned on a node that may not be there, and on one of any kind. */
export function planOf(outcome: Outcome | undefined): Plan | undefined {
  return outcome && planIn(outcome);
}

export function troubleOf(outcome: Outcome | undefined): Problem | undefined {
  return outcome && problemIn(outcome);
}

/** The latest observation. */
export function lookOf(outcome: Outcome | undefined): Observation | undefined {
  return outcome && latestIn(outcome)?.observation;
}

/** What was planned in each step of these ticks: the action, or the reason for none. */
export function plansOf(ticks: readonly Tick[]): readonly string[] {
  return ticks
    .flatMap(({ outcomes }) => outcomes.flatMap(stepsOf))
    .map(planIn)
    .map((plan) => (plan?.kind === 'act' ? plan.action.kind : (plan?.reason ?? 'none')));
}
