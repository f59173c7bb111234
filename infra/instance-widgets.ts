import { nearLimitFrom } from '../core/config/near-limit.ts';
import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import type { MetricDefinition } from '../core/domain/metric.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';
import { bytesText } from '../core/format/units.ts';
import { DAILY, graph, type Line, type Mark, nodeLine, sumOfNodes, text, type Widget } from './widgets.ts';

/** Orange and red, as CloudWatch's own annotations use them. */
const COLOR = { warning: '#ff7f0e', critical: '#d62728' } as const;

interface Drawn {
  readonly instance: InstanceConfig;
  readonly stage: string;
  readonly period: number;
}

const { usedMemory, usedMemoryRss, usedMemoryPeak, forkMemory } = NODE_METRICS;
const { externalFragmentation, freePages, processOverhead } = NODE_METRICS;
const { dataMemory, bufferMemory, scriptMemory } = NODE_METRICS;
/** What RSS is made of, from the bottom of the stack. With `metrics: detailed` it adds up to RSS. */
export const ACCOUNTS: Readonly<Record<InstanceConfig['metrics'], readonly MetricDefinition[]>> = {
  core: [usedMemory, externalFragmentation, freePages],
  detailed: [dataMemory, bufferMemory, scriptMemory, externalFragmentation, freePages, processOverhead],
};

/** The rows of one instance: its name and limit, then the graphs; several nodes are lines of the same graph. */
export function instanceWidgets(config: Config, instance: InstanceConfig): readonly (readonly Widget[])[] {
  const drawn = drawnOf(config, instance);
  const graphs = [memory(drawn), ratio(drawn), returned(drawn), stall(drawn), ...stacks(drawn), ...detailed(drawn)];
  return [[titleOf(instance)], graphs];
}

/** In a fleet, all nodes of an instance in one stack. */
export function instanceStack(config: Config, instance: InstanceConfig): Widget {
  const { stage, period } = drawnOf(config, instance);
  const lines = ACCOUNTS[instance.metrics].map((metric, index) =>
    sumOfNodes(stage, instance.id, { metric, stat: 'Average', period }, `part${index}`),
  );
  return graph({ title: `${instance.id}: what RSS is made of, all nodes`, lines, stacked: true, period });
}

function drawnOf({ stage, schedule }: Config, instance: InstanceConfig): Drawn {
  return { instance, stage, period: schedule.every / SECOND };
}

function isPublished({ set }: MetricDefinition, { metrics }: Pick<InstanceConfig, 'metrics'>): boolean {
  return set === 'core' || set === 'fork' || set === metrics;
}

/** The windows are in the header of the dashboard. */
export function titleOf({ id, nodes, memoryLimit, windows }: InstanceConfig): Widget {
  const limit = memoryLimit === undefined ? 'no memory limit known' : `limit ${bytesText(memoryLimit)}`;
  const watched = windows.length === 0 ? ', watched only' : '';
  return text(`## ${id}\n${nodes.length === 1 ? '1 node' : `${nodes.length} nodes`}, ${limit}${watched}`);
}

function memory(drawn: Drawn): Widget {
  const { memoryLimit } = drawn.instance;
  const marks: readonly Mark[] =
    memoryLimit === undefined
      ? []
      : [
          { label: 'limit', value: memoryLimit, color: COLOR.critical },
          {
            label: 'alarm',
            value: nearLimitFrom(drawn.instance) ?? memoryLimit,
            color: COLOR.warning,
          },
        ];
  return graph({
    title: `${drawn.instance.id}: used, RSS, limit`,
    lines: [usedMemory, usedMemoryRss, usedMemoryPeak, forkMemory].flatMap((metric) =>
      isPublished(metric, drawn.instance) ? lines(drawn, metric) : [],
    ),
    marks,
    period: drawn.period,
  });
}

function ratio(drawn: Drawn): Widget {
  const { fragmentationWarning, fragmentationCritical } = drawn.instance.thresholds;
  const mark = (label: 'warning' | 'critical', one: { readonly ratio: number; readonly floor: number }): Mark => ({
    label: `${label}, from ${bytesText(one.floor)}`,
    value: one.ratio,
    color: COLOR[label],
  });
  return graph({
    title: `${drawn.instance.id}: fragmentation ratio`,
    lines: lines(drawn, NODE_METRICS.memFragmentationRatio),
    marks: [mark('warning', fragmentationWarning), mark('critical', fragmentationCritical)],
    period: drawn.period,
  });
}

function returned(drawn: Drawn): Widget {
  return graph({
    title: `${drawn.instance.id}: returned each day, against predicted`,
    lines: [...lines(drawn, NODE_METRICS.reclaimedMemory), ...lines(drawn, NODE_METRICS.predictedReclaim)],
    ...DAILY,
  });
}

function stall(drawn: Drawn): Widget {
  const { defrag: policy, purge } = drawn.instance;
  return graph({
    title: `${drawn.instance.id}: how long clients waited`,
    lines: [...lines(drawn, NODE_METRICS.defragStall), ...lines(drawn, NODE_METRICS.blockedTime)],
    stat: 'Maximum',
    marks: [
      { label: 'maxStall of defrag', value: policy.maxStall, color: COLOR.warning },
      { label: 'maxBlock of purge', value: purge.maxBlock, color: COLOR.critical },
    ],
    label: 'ms',
    period: drawn.period,
  });
}

/** One for each node: the stacked layers of two nodes would look like one heap. */
function stacks({ instance, stage, period }: Drawn): readonly Widget[] {
  return instance.nodes.map(({ id }) =>
    graph({
      title: `${id}: what RSS is made of`,
      lines: ACCOUNTS[instance.metrics].map((metric) => nodeLine(stage, instance.id, id, metric, metric.name)),
      stacked: true,
      period,
    }),
  );
}

/** What is published with `metrics: detailed` only. */
function detailed(drawn: Drawn): readonly Widget[] {
  const { instance, period } = drawn;
  if (instance.metrics !== 'detailed') return [];
  const { id, maxMainThreadCpu } = instance;
  const { commandsPerSecond, mainThreadCpu, activeDefragRunning } = NODE_METRICS;
  return [
    graph({
      title: `${id}: CPU of the main thread, and what active defrag may use`,
      lines: [...lines(drawn, mainThreadCpu), ...lines(drawn, activeDefragRunning)],
      marks: [{ label: 'maxMainThreadCpu', value: maxMainThreadCpu, color: COLOR.warning }],
      label: '%',
      period,
    }),
    graph({ title: `${id}: commands a second`, lines: lines(drawn, commandsPerSecond), period }),
    counters(drawn, 'values', ['activeDefragHits', 'activeDefragMisses']),
    counters(drawn, 'keys', ['activeDefragKeyHits', 'activeDefragKeyMisses']),
  ];
}

/** Counters since the server's start: drawn as what each period adds. */
function counters(
  { instance, stage, period }: Drawn,
  what: string,
  keys: readonly (keyof typeof NODE_METRICS)[],
): Widget {
  const added = instance.nodes.flatMap(({ id }, index) =>
    keys.flatMap((key): readonly Line[] => {
      const { name } = NODE_METRICS[key];
      const counter = `${key.toLowerCase()}${index}`;
      const [namespace, metric, ...rest] = nodeLine(stage, instance.id, id, NODE_METRICS[key], name);
      const dimensions = rest.slice(0, -1);
      return [
        [namespace ?? '', metric ?? '', ...dimensions, { id: counter, visible: false }],
        [{ expression: `DIFF(${counter})`, label: `${name} ${id}`, id: `added${counter}` }],
      ];
    }),
  );
  return graph({ title: `${instance.id}: ${what} that defrag moved and left`, lines: added, stat: 'Maximum', period });
}

function lines({ instance, stage }: Drawn, metric: MetricDefinition): readonly Line[] {
  const isOnly = instance.nodes.length === 1;
  return instance.nodes.map(({ id }) =>
    nodeLine(stage, instance.id, id, metric, isOnly ? metric.name : `${metric.name} ${id}`),
  );
}
