import { isOfConfig, type Outcome, problemIn, statusOf, stepsOf } from '../domain/outcome.ts';
import type { Tick } from './scope.ts';

/** What an invocation returns: counts only, for a person who invokes it by hand. */
export interface Summary {
  readonly ticks: number;
  readonly nodes: number;
  readonly acted: number;
  readonly unreachable: number;
  readonly leased: number;
}

/** The job did not work: a bug, metrics or alerts that could not be delivered, or a state that could not be read. */
export class MaintenanceFailed extends Error {
  override readonly name = 'MaintenanceFailed';
}

export function summarize(ticks: readonly Tick[]): Summary {
  const outcomes = ticks.flatMap((tick) => tick.outcomes);
  const nodes = new Set(outcomes.map(({ instance, node }) => `${instance} ${node}`));
  return {
    ticks: ticks.length,
    nodes: nodes.size,
    acted: outcomes.flatMap(stepsOf).filter((step) => statusOf(step) === 'acted').length,
    unreachable: ticks[0]?.outcomes.filter(({ kind }) => kind === 'unreachable').length ?? 0,
    leased: ticks.at(-1)?.leased.length ?? 0,
  };
}

/**
 * A node that is down is an alarm's business; that the job does not work, or cannot with its config, is the invocation's.
 * @throws {MaintenanceFailed}
 */
export function failIfUnexpected(ticks: readonly Tick[]): void {
  const reasons = ticks.flatMap(({ outcomes, problem, undelivered, troubles = [] }) => [
    ...outcomes.flatMap(reasonOf),
    ...troubles,
    ...(problem === undefined ? [] : [`the state could not be read: ${problem}`]),
    ...(undelivered > 0 ? [`${undelivered} metrics or alerts could not be delivered`] : []),
  ]);
  if (reasons.length > 0) throw new MaintenanceFailed(reasons.join('\n'));
}

function reasonOf(outcome: Outcome): readonly string[] {
  const { instance, node, notices } = outcome;
  const problem = problemIn(outcome);
  const unreadable = notices.find((notice) => notice.kind === 'state-unavailable')?.why;
  const isOfJob = problem?.expected === false || problem?.kind === 'state-unavailable' || isOfConfig(outcome.kind);
  const why = unreadable ?? (isOfJob ? problem?.message : undefined);
  return why === undefined ? [] : [`${instance} ${node}: ${why}`];
}
