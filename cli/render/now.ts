import type { Config } from '../../core/config/schema.ts';
import { type Outcome, planIn } from '../../core/domain/outcome.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { planText } from '../../core/reporting/wording/plan.ts';

/** Where something would be done. */
export function plannedIn({ outcomes }: Pick<Tick, 'outcomes'>): readonly Outcome[] {
  return outcomes.filter((outcome) => planIn(outcome)?.kind === 'act');
}

/** Before `run --now` acts: on which nodes, and what ends it. */
export function nowLines(tick: Tick, { instances }: Pick<Config, 'instances'>): readonly string[] {
  const planned = plannedIn(tick);
  if (planned.length === 0) return ['offpeak: there is nothing to do now: the plan of each node says why'];
  const nodes = planned.map((outcome) => {
    const timezone = instances.find(({ id }) => id === outcome.instance)?.timezone;
    const plan = planIn(outcome);
    return `  ${outcome.instance} ${outcome.node}: ${plan ? planText(plan, timezone, { diagnosis: outcome.before?.diagnosis }) : ''}`;
  });
  return [
    `offpeak: now, outside of the windows, one node of an instance after the other:`,
    ...nodes,
    '  All guards but the window hold. Offpeak stays until it is done; Ctrl-C restores the settings.',
  ];
}
