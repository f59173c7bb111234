import type { InstanceConfig } from '../../core/config/schema.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import { countText, isoText } from '../../core/format/units.ts';
import { wrapText } from '../../core/format/wrap.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { COLUMNS, outcomeLines, stepLines } from './outcome.ts';
import type { Style } from './style.ts';

/** A whole tick: one block for each node, steps on the same node in one block, and what remains to be said of all. */
export function tickLines(tick: Tick, style: Style, instances: readonly InstanceConfig[]): readonly string[] {
  const nodes = Map.groupBy(tick.outcomes, ({ instance, node }) => `${instance} ${node}`);
  const blocks = [...nodes.values()].map((outcomes) => nodeBlock(outcomes, style, instances));
  return [
    headline(tick, nodes.size, style),
    ...problemLines(tick, style),
    ...blocks.flatMap((block) => ['', ...block]),
  ];
}

function nodeBlock(
  [first, ...rest]: readonly Outcome[],
  style: Style,
  instances: readonly InstanceConfig[],
): readonly string[] {
  if (!first) return [];
  const instance = instances.find(({ id }) => id === first.instance);
  return [...outcomeLines(first, style, instance), ...rest.flatMap((outcome) => stepLines(outcome, style, instance))];
}

const STATUSES = ['observed', 'acted', 'unreachable', 'not-reached', 'failed'] as const;

function headline({ at, stage, outcomes, leased }: Tick, nodes: number, { paint }: Style): string {
  const counts = STATUSES.map(
    (status) => [status, outcomes.filter((outcome) => outcome.status === status).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${countText(count)} ${status.replace('-', ' ')}`);
  const held = leased.length > 0 ? [`${countText(leased.length)} being defragmented`] : [];
  const time = isoText(at)
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
  const summary = [`${countText(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`, ...counts, ...held].join(', ');
  return paint('faint', `${time}  ${stage}: ${summary}`);
}

function problemLines({ problem, remarks, undelivered, troubles }: Tick, { paint }: Style): readonly string[] {
  const problems = [
    ...(problem === undefined ? [] : [`no action was planned: the state store is unavailable: ${problem}`]),
    ...remarks,
    ...(undelivered > 0 ? [`${countText(undelivered)} metrics or alerts could not be delivered`] : []),
    ...troubles.map((trouble) => `unexpected failure: ${trouble}`),
  ];
  return problems.flatMap((text) => wrapText(text, COLUMNS)).map((line) => paint('bad', line));
}
