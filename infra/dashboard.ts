import { isFleet, usesQueue } from '../core/config/fleet.ts';
import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import { FLEET_METRICS, JOB_METRICS } from '../core/domain/job-metrics.ts';
import type { MetricDefinition } from '../core/domain/metric.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';
import { type ResourceOf, sub } from './cloudformation.ts';
import { countStatistic } from './counts.ts';
import { functionName, jobFunctions } from './functions.ts';
import { instanceStack, instanceWidgets } from './instance-widgets.ts';
import { stackName } from './names.ts';
import { promqlInstance, promqlReturned, promqlStack, promqlWorst } from './promql-widgets.ts';
import { DAILY, graph, type Line, stageLine, text, type Widget, worstNodes, worstOfMany } from './widgets.ts';
import { windowsText } from './words.ts';

const COLUMNS = 24;
const WIDTH = 8;
const HEIGHT = 6;
/** More lines than this cannot be distinguished in a graph. */
const WORST = 20;
/** A text widget of any length scrolls; a dashboard's body has its limits. */
const MOST_LISTED = 50;
const MOST_NAMED = 40;

/** One dashboard for each stage: the job first, then each instance, or the worst nodes where there are too many. */
export function dashboard(config: Config): ResourceOf<'AWS::CloudWatch::Dashboard'> {
  const rows = [[header(config)], jobWidgets(config), ...rowsOfNodes(config)];
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardName: stackName(config.stage),
      DashboardBody: sub(JSON.stringify({ start: '-P7D', periodOverride: 'inherit', widgets: placed(rows) })),
    },
  };
}

function rowsOfNodes(config: Config): readonly (readonly Widget[])[] {
  if (isFleet(config)) return fleetRows(config);
  const draw = config.metrics.send === 'otlp' ? promqlInstance : instanceWidgets;
  return config.instances.flatMap((one) => draw(config, one));
}

/** Rows of widgets, three abreast; a text alone takes the whole width. */
function placed(rows: readonly (readonly Widget[])[]) {
  let y = 0;
  return rows.flatMap((row) => {
    const isText = row.every(({ type }) => type === 'text');
    const [width, height] = isText ? [COLUMNS, 3] : [WIDTH, HEIGHT];
    const perLine = COLUMNS / width;
    const top = y;
    y += Math.ceil(row.length / perLine) * height;
    return row.map((widget, index) => ({
      ...widget,
      x: (index % perLine) * width,
      y: top + Math.floor(index / perLine) * height,
      width,
      height,
    }));
  });
}

/** CloudWatch cannot mark recurring times in a graph: the windows are in words, once for all instances that have the same. */
function header({ stage, instances, schedule }: Config): Widget {
  const byWindows = [...Map.groupBy(instances, (instance) => windowsText(instance).join('; '))];
  const listed = byWindows.slice(0, MOST_LISTED).map(([windows, those]) => {
    const named = those.slice(0, MOST_NAMED).map(({ id }) => id);
    const rest = those.length - named.length;
    return `* ${windows || 'watched only'}: **${named.join(', ')}**${rest === 0 ? '' : ` and ${rest} more`}`;
  });
  const more = byWindows.length > MOST_LISTED ? [`* and ${byWindows.length - MOST_LISTED} other windows`] : [];
  const every = `A check every ${schedule.every / 60_000} min. The graphs have times in UTC or your zone, the windows in the zone that they name.`;
  return text([`# Offpeak ${stage}`, every, '', '**Windows**', ...listed, ...more].join('\n'));
}

function jobWidgets(config: Config): readonly Widget[] {
  const { stage } = config;
  const period = config.schedule.every / SECOND;
  const keys = jobFunctions(config);
  const lambda = (name: string, stat: string): readonly Line[] =>
    keys.map((key) => {
      const label = keys.length === 1 ? name : `${name} of ${key}`;
      return ['AWS/Lambda', name, 'FunctionName', functionName(stage, key), { label, stat }];
    });
  const { heartbeat, duration, ...counts } = JOB_METRICS;
  const stat = countStatistic(config);
  return [
    graph({
      title: 'Job: ticks and failures',
      lines: [stageLine(stage, heartbeat, 'SampleCount'), ...lambda('Errors', 'Sum'), ...lambda('Throttles', 'Sum')],
      period,
    }),
    graph({
      title: 'Job: nodes',
      lines: Object.values(counts).map((one) => stageLine(stage, one, stat)),
      period,
    }),
    graph({
      title: 'Job: time taken',
      lines: [stageLine(stage, duration, 'Maximum'), ...lambda('Duration', 'Maximum')],
      label: 'ms',
      period,
    }),
    ...(usesQueue(config) ? [queueGraph(config, period)] : []),
  ];
}

/** Whether the workers keep up: what waits, for how long, and what has failed. */
function queueGraph({ stage }: Config, period: number): Widget {
  const line = (part: 'batches' | 'batches-dead-letters', name: string, label: string): Line => [
    'AWS/SQS',
    name,
    'QueueName',
    stackName(stage, part),
    { label, stat: 'Maximum' },
  ];
  const lines = [
    line('batches', 'ApproximateNumberOfMessagesVisible', 'batches that wait'),
    line('batches', 'ApproximateAgeOfOldestMessage', 'age of the oldest, in s'),
    line('batches-dead-letters', 'ApproximateNumberOfMessagesVisible', 'dead letters'),
  ];
  return graph({ title: 'Job: queue of batches', lines, period });
}

/** All nodes together: how many are in trouble, their memory, and what the night has returned so far. */
function totals(config: Config): readonly Widget[] {
  const { stage, schedule } = config;
  const period = schedule.every / SECOND;
  const { fragmentedWarning, fragmentedCritical, nearLimit, ...sums } = FLEET_METRICS;
  const { nodesUnreachable, nodesMisconfigured, leasesHeld } = JOB_METRICS;
  const counted = [fragmentedWarning, fragmentedCritical, nearLimit, nodesUnreachable, nodesMisconfigured];
  const lines = (metrics: readonly MetricDefinition[]) =>
    metrics.map((one) => stageLine(stage, one, countStatistic(config)));
  const night = [stageLine(stage, sums.reclaimedMemory, 'Sum'), stageLine(stage, leasesHeld, 'Maximum', 'right')];
  return [
    graph({ title: 'Nodes in trouble', lines: lines(counted), period }),
    graph({ title: 'All nodes together: used, RSS', lines: lines([sums.usedMemory, sums.usedMemoryRss]), period }),
    graph({ title: 'The night: returned in each tick, defrags that run', lines: night, period, isSigned: true }),
  ];
}

/** The counts of all nodes are classic, however the metrics of nodes are sent. */
function fleetRows(config: Config): readonly (readonly Widget[])[] {
  const { worst, returned, stack } = config.metrics.send === 'otlp' ? promqlFleet(config) : classicFleet(config);
  return [
    [
      ...totals(config),
      worst('RSS', NODE_METRICS.usedMemoryRss),
      worst('Fragmentation ratio', NODE_METRICS.memFragmentationRatio),
      worst('External fragmentation', NODE_METRICS.externalFragmentation),
      worst('Free pages', NODE_METRICS.freePages),
      worst('Longest stall of defrag', NODE_METRICS.defragStall),
      worst('Time blocked by purge', NODE_METRICS.blockedTime),
      returned,
    ],
    config.instances.slice(0, MOST_LISTED).map(stack),
  ];
}

/** How a fleet is drawn. */
interface FleetGraphs {
  readonly worst: (title: string, metric: MetricDefinition) => Widget;
  readonly returned: Widget;
  readonly stack: (instance: InstanceConfig) => Widget;
}

function classicFleet(config: Config): FleetGraphs {
  const { stage, schedule } = config;
  const period = schedule.every / SECOND;
  const { stat, period: day } = DAILY;
  const returned = { metric: NODE_METRICS.reclaimedMemory, stat, period: day, count: WORST };
  return {
    worst: (title, metric) => {
      const ask = usesQueue(config) ? worstOfMany : worstNodes;
      const lines = [ask(stage, { metric, stat: 'Maximum', period, count: WORST })];
      return graph({ title: `${title}, worst ${WORST}`, lines, period });
    },
    returned: graph({ title: 'Bytes returned each day', lines: [worstNodes(stage, returned)], ...DAILY }),
    stack: (instance) => instanceStack(config, instance),
  };
}

function promqlFleet(config: Config): FleetGraphs {
  return {
    worst: (title, metric) => promqlWorst(config, title, metric, WORST),
    returned: promqlReturned(config, WORST),
    stack: (instance) => promqlStack(config, instance),
  };
}
