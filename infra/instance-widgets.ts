import { nearLimitFrom } from '../core/config/near-limit.ts';
import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import { type MetricDefinition, NODE_METRICS } from '../core/domain/metric-catalogue.ts';
import { bytesText } from '../core/format/units.ts';
import { daily, graph, type Line, type Mark, nodeLine, text, type Widget } from './widgets.ts';
import { windowsText } from './words.ts';

/** Orange and red, as CloudWatch's own annotations use them. */
const COLOR = { warning: '#ff7f0e', critical: '#d62728' } as const;

interface Drawn {
  readonly instance: InstanceConfig;
  readonly stage: string;
  readonly period: number;
}

/** The rows of one instance: its name and windows, then the graphs; several nodes are lines of the same graph. */
export function instanceWidgets(config: Config, instance: InstanceConfig): readonly (readonly Widget[])[] {
  const drawn: Drawn = { instance, stage: config.stage, period: config.schedule.every / SECOND };
  const graphs = [memory(drawn), ratio(drawn), returned(drawn), stall(drawn), ...layers(drawn), ...defrag(drawn)];
  return [[title(instance)], graphs];
}

function title(instance: InstanceConfig): Widget {
  const { id, nodes, memoryLimit } = instance;
  const windows = windowsText(instance);
  const limit = memoryLimit === undefined ? 'no memory limit known' : `limit ${bytesText(memoryLimit)}`;
  const acts = windows.length === 0 ? 'observed only' : `acts ${windows.join('; ')}`;
  return text(`## ${id}\n${nodes.length === 1 ? '1 node' : `${nodes.length} nodes`}, ${limit}, ${acts}`);
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
    lines: [...lines(drawn, NODE_METRICS.usedMemory), ...lines(drawn, NODE_METRICS.usedMemoryRss)],
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
  return daily(`${drawn.instance.id}: returned each day, against predicted`, [
    ...lines(drawn, NODE_METRICS.reclaimedMemory),
    ...lines(drawn, NODE_METRICS.predictedReclaim),
  ]);
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
function layers({ instance, stage, period }: Drawn): readonly Widget[] {
  const { usedMemory, externalFragmentation, freePages, processOverhead } = NODE_METRICS;
  const shown = [usedMemory, externalFragmentation, freePages];
  const all: readonly MetricDefinition[] = instance.metrics === 'detailed' ? [...shown, processOverhead] : shown;
  return instance.nodes.map(({ id }) =>
    graph({
      title: `${id}: what RSS is made of`,
      lines: all.map((metric) => nodeLine(stage, instance.id, id, metric, metric.name)),
      stacked: true,
      period,
    }),
  );
}

/** Counters since the server's start: drawn as what each period adds. Published with `metrics: detailed` only. */
function defrag({ instance, stage, period }: Drawn): readonly Widget[] {
  if (instance.metrics !== 'detailed') return [];
  const added = instance.nodes.flatMap(({ id }, index) =>
    (['activeDefragHits', 'activeDefragMisses'] as const).flatMap((key): readonly Line[] => {
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
  return [graph({ title: `${instance.id}: defrag hits and misses`, lines: added, stat: 'Maximum', period })];
}

function lines({ instance, stage }: Drawn, metric: MetricDefinition): readonly Line[] {
  const isOnly = instance.nodes.length === 1;
  return instance.nodes.map(({ id }) =>
    nodeLine(stage, instance.id, id, metric, isOnly ? metric.name : `${metric.name} ${id}`),
  );
}
