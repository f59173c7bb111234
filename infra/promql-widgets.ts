import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import { DIMENSION, type MetricDefinition, OTLP_PREFIX } from '../core/domain/metric.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';
import { bytesText } from '../core/format/units.ts';
import { ACCOUNTS, titleOf } from './instance-widgets.ts';
import { chart, DAY_SECONDS, type Query, type Widget } from './widgets.ts';

// The graphs of nodes whose metrics are sent by OTLP: the same as of classic metrics, asked for by PromQL.

type Labels = Readonly<Record<string, string>>;

const { usedMemory, usedMemoryRss, memFragmentationRatio } = NODE_METRICS;
const { defragStall, blockedTime, reclaimedMemory, predictedReclaim } = NODE_METRICS;

/** The rows of one instance: its name and limit, then the graphs; each node is a line. */
export function promqlInstance(config: Config, instance: InstanceConfig): readonly (readonly Widget[])[] {
  const { id, thresholds, defrag, purge } = instance;
  const of = { [DIMENSION.stage]: config.stage, [DIMENSION.instance]: id };
  const step = config.schedule.every / SECOND;
  const { fragmentationWarning: warning, fragmentationCritical: critical } = thresholds;
  // How such a graph marks a value is in no page that could be read: the title names it.
  const alarms = `warning from ${warning.ratio} and ${bytesText(warning.floor)}, critical from ${critical.ratio}`;
  return [
    [titleOf(instance)],
    [
      chart({
        title: `${id}: used, RSS`,
        queries: [usedMemory, usedMemoryRss].map((one) => latest(one, of, step)),
        step,
      }),
      chart({
        title: `${id}: fragmentation ratio (${alarms})`,
        queries: [latest(memFragmentationRatio, of, step)],
        step,
      }),
      promqlStack(config, instance),
      chart({
        title: `${id}: returned each day, against predicted`,
        queries: [perDay(reclaimedMemory, of), perDay(predictedReclaim, of)],
        step: DAY_SECONDS,
      }),
      chart({
        title: `${id}: how long clients waited (maxStall ${defrag.maxStall} ms, maxBlock ${purge.maxBlock} ms)`,
        queries: [latest(defragStall, of, step), latest(blockedTime, of, step)],
        step,
      }),
    ],
  ];
}

/** All nodes of an instance in one stack. */
export function promqlStack(config: Config, { id, metrics }: InstanceConfig): Widget {
  const of = { [DIMENSION.stage]: config.stage, [DIMENSION.instance]: id };
  const step = config.schedule.every / SECOND;
  const queries = ACCOUNTS[metrics].map(
    (one): Query => ({ query: `sum(${latest(one, of, step).query})`, label: one.name }),
  );
  return chart({ title: `${id}: what RSS is made of, all nodes`, queries, step, stacked: true });
}

/** The nodes of the stage with the highest values. */
export function promqlWorst(
  { stage, schedule }: Config,
  title: string,
  metric: MetricDefinition,
  count: number,
): Widget {
  const step = schedule.every / SECOND;
  const { query } = latest(metric, { [DIMENSION.stage]: stage }, step);
  return chart({ title: `${title}, worst ${count}`, queries: [{ query: `topk(${count}, ${query})` }], step });
}

/** What the nodes that returned most have returned each day. */
export function promqlReturned({ stage }: Config, count: number): Widget {
  const { query } = perDay(reclaimedMemory, { [DIMENSION.stage]: stage });
  return chart({
    title: 'Bytes returned each day',
    queries: [{ query: `topk(${count}, ${query})` }],
    step: DAY_SECONDS,
  });
}

/** By itself, a query sees the last five minutes: less than the time between two ticks that come a little late. */
function latest({ name }: MetricDefinition, labels: Labels, step: number): Query {
  return { query: `last_over_time(${selector(name, labels)}[${1.5 * step}s])` };
}

function perDay({ name }: MetricDefinition, labels: Labels): Query {
  return { query: `sum_over_time(${selector(name, labels)}[1d])` };
}

function selector(name: string, labels: Labels): string {
  const all = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `${OTLP_PREFIX}${name}{${all.join(',')}}`;
}
