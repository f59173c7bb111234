import { type Outcome, planIn, problemIn } from '../../core/domain/outcome.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { planText } from '../../core/reporting/wording/plan.ts';

/** Where something would be done, or Offpeak's defrag is on already and can be seen through. */
export function toDoIn({ outcomes }: Pick<Tick, 'outcomes'>): readonly Outcome[] {
  return outcomes.filter(
    (outcome) => planIn(outcome)?.kind === 'act' || (outcome.leased && problemIn(outcome) === undefined),
  );
}

/** Before `run --now` acts: on which nodes, and what ends it. */
export function nowLines(tick: Pick<Tick, 'outcomes' | 'instances'>): readonly string[] {
  const { instances } = tick;
  const toDo = toDoIn(tick);
  if (!tick.outcomes.some((outcome) => planIn(outcome) !== undefined || outcome.leased))
    return ['offpeak: there is nothing to do now: no node of these instances is known, or answers'];
  if (toDo.length === 0) return ['offpeak: there is nothing to do now: the plan of each node says why'];
  const nodes = toDo.map((outcome) => {
    const timezone = instances.find(({ id }) => id === outcome.instance)?.timezone;
    const plan = planIn(outcome);
    return `  ${outcome.instance} ${outcome.node}: ${plan ? planText(plan, timezone, { diagnosis: outcome.before?.diagnosis }) : ''}`;
  });
  const named = Map.groupBy(toDo, ({ instance }) => instance);
  const more = instances.some(({ id, nodes }) => nodes.length > (named.get(id)?.length ?? nodes.length));
  return [
    `offpeak: now, outside of the windows, one node of an instance after the other:`,
    ...nodes,
    ...(more ? ['  Other nodes of these instances follow where it is worth it. No other instance is acted on.'] : []),
    '  All guards but the window hold. Offpeak stays until it is done; Ctrl-C restores the settings.',
  ];
}
