import type { InstanceConfig } from '../../core/config/schema.ts';
import { type Outcome, type Status, statusOf, stepsOf } from '../../core/domain/outcome.ts';
import { countText } from '../../core/format/units.ts';
import { wrapText } from '../../core/format/wrap.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { COLUMNS, outcomeLines, stepLines } from './outcome.ts';
import type { Style } from './style.ts';
import { clockText, zoneOf } from './zone.ts';

/** A whole tick: one block for each node, and what remains to be said of all. */
export function tickLines(tick: Tick, style: Style): readonly string[] {
  return [
    headline(tick, style),
    ...problemLines(tick, style),
    ...tick.outcomes.flatMap((outcome) => ['', ...nodeBlock(outcome, style, tick.instances)]),
  ];
}

/** The lines of a table, for the nodes of a tick. */
export type Table = (
  outcomes: readonly Outcome[],
  style: Style,
  instances: readonly InstanceConfig[],
) => readonly string[];

/** The same as a table. */
export function briefLines(tick: Tick, style: Style, table: Table): readonly string[] {
  return [
    headline(tick, style),
    ...problemLines(tick, style),
    '',
    ...table(tick.outcomes, style, tick.instances),
    '',
    style.paint('faint', '  The bars and findings of each node: add --full, or name fewer of them'),
  ];
}

function nodeBlock(outcome: Outcome, style: Style, instances: readonly InstanceConfig[]): readonly string[] {
  const instance = instances.find(({ id }) => id === outcome.instance);
  const [, ...rest] = stepsOf(outcome);
  return [...outcomeLines(outcome, style, instance), ...rest.flatMap((step) => stepLines(step, style, instance))];
}

/** In words, in the order in which they are counted. */
const STATUSES: Readonly<Record<Status, string>> = {
  observed: 'observed',
  acted: 'acted',
  unreachable: 'unreachable',
  'not-reached': 'not reached',
  'not-data-node': 'not a data node',
  'config-problem': 'with a config problem',
  failed: 'failed',
};

function headline({ at, stage, instances, outcomes, leased }: Tick, { paint }: Style): string {
  const nodes = outcomes.length;
  const steps = outcomes.flatMap(stepsOf).map(statusOf);
  const counts = Object.entries(STATUSES)
    .map(([status, words]) => [words, steps.filter((one) => one === status).length] as const)
    .filter(([, count]) => count > 0)
    .map(([words, count]) => `${countText(count)} ${words}`);
  const held = leased.length > 0 ? [`${countText(leased.length)} being defragmented`] : [];
  const summary = [`${countText(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`, ...counts, ...held].join(', ');
  return paint('faint', `${clockText(at, zoneOf(instances))}  ${stage}: ${summary}`);
}

function problemLines({ problem, remarks, undelivered, troubles }: Tick, { paint }: Style): readonly string[] {
  const problems = [
    ...(problem === undefined ? [] : [`no action was planned, because the state store is unavailable: ${problem}`]),
    ...remarks,
    ...(undelivered > 0 ? [`${countText(undelivered)} metrics or alerts could not be delivered`] : []),
    // A mistake in a discovery is among the remarks already.
    ...troubles.filter((trouble) => !remarks.includes(trouble)).map((trouble) => `unexpected failure: ${trouble}`),
  ];
  return problems.flatMap((text) => wrapText(text, COLUMNS)).map((line) => paint('bad', line));
}
