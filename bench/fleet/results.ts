import type { Summary } from '../../core/reconcile/summary.ts';
import type { RecordedCall } from '../../test/support/aws-proxy.ts';
import { markdownTable, median } from '../statistics.ts';
import type { Scraped } from './exporter.ts';
import type { Invoked } from './job.ts';

export type Mix = 'healthy' | 'mixed';

/** One invocation, with what it has asked of others. */
export interface Ticked extends Invoked<Summary> {
  /** Connections to nodes that were open at once, at most, as the servers have counted them. */
  readonly sockets: number;
  readonly calls: readonly Pick<RecordedCall, 'operation'>[];
}

export interface Row {
  readonly mix: Mix;
  readonly nodes: number;
  readonly cold: Ticked;
  /** Of the same container, after the cold one. */
  readonly warm: readonly Ticked[];
  readonly exporter?: Scraped;
}

const HEAD = [
  'nodes',
  'fleet',
  '',
  'wall s',
  'CPU s',
  'peak RSS MiB',
  'sockets at once',
  'calls to AWS',
  'acted',
  'unreachable',
];

export const seconds = (ms: number) => (ms / 1000).toFixed(2);
export const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

/** A line for the first tick of a container, one for the median of the next, and one for redis_exporter. */
export function tableOf(rows: readonly Row[]): string {
  return markdownTable([HEAD, ...rows.flatMap(linesOf)], 3);
}

function linesOf({ mix, nodes, cold, warm, exporter }: Row): readonly (readonly string[])[] {
  const [last] = warm.slice(-1);
  const of = (one: 'wall' | 'cpu') => seconds(median(warm.map((tick) => tick[one])));
  const names = [nodes.toLocaleString('en'), mix];
  return [
    [...names, 'Offpeak, first tick', seconds(cold.wall), seconds(cold.cpu), mib(cold.rss), ...askedOf(cold)],
    ...(last ? [[...names, 'Offpeak, next ticks', of('wall'), of('cpu'), mib(last.rss), ...askedOf(last)]] : []),
    ...(exporter ? [[...names, 'redis_exporter', ...scrapedOf(exporter)]] : []),
  ];
}

function askedOf({ sockets, calls, answer }: Ticked): readonly string[] {
  return [String(sockets), callsText(calls), String(answer.acted), String(answer.unreachable)];
}

/** How many there were of each. */
export function callsText(calls: Ticked['calls']): string {
  return [...Map.groupBy(calls, ({ operation }) => operation)].map(([name, all]) => `${all.length} ${name}`).join(', ');
}

function scrapedOf({ wall, cpu, rss }: Scraped): readonly string[] {
  return [seconds(wall), seconds(cpu), mib(rss), '', '', '', ''];
}
