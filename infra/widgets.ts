import { DIMENSION, type MetricDefinition, NAMESPACE } from '../core/domain/metric.ts';
import type { Json } from './cloudformation.ts';

/** A widget without its place. */
export interface Widget {
  readonly type: 'metric' | 'text' | 'alarm' | 'chart';
  readonly properties: { readonly [key: string]: Json };
}

/** Replaced by CloudFormation, as the body goes through Fn::Sub. */
const REGION = `\${AWS::Region}`;
export const DAY_SECONDS = 86_400;

/** One line of a graph, in the notation of dashboards. */
export type Line = readonly Json[];

export interface Mark {
  readonly label: string;
  readonly value: number;
  readonly color?: string;
}

interface Graph {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly stat?: 'Average' | 'Maximum' | 'Sum';
  readonly stacked?: boolean;
  readonly marks?: readonly Mark[];
  readonly label?: string;
  /** Seconds. */
  readonly period: number;
  /** The values may be negative: the scale begins where they do. */
  readonly isSigned?: boolean;
}

export function graph({ title, lines, stat = 'Average', stacked, marks = [], label, period, isSigned }: Graph): Widget {
  const scale = { ...(!isSigned && { min: 0 }), ...(label !== undefined && { label, showUnits: false }) };
  return {
    type: 'metric',
    properties: {
      title,
      region: REGION,
      view: 'timeSeries',
      stacked: stacked ?? false,
      stat,
      period,
      metrics: lines,
      yAxis: { left: scale },
      ...(marks.length > 0 && { annotations: { horizontal: marks.map((mark) => ({ ...mark })) } }),
    },
  };
}

/** One PromQL query. Without a label its series are named by their own. */
export interface Query {
  readonly query: string;
  readonly label?: string;
}

interface Chart extends Pick<Graph, 'title' | 'stacked'> {
  readonly queries: readonly Query[];
  /** Seconds between two points. */
  readonly step: number;
}

/**
 * A graph of PromQL, which a widget of type `metric` does not take. The form is that of dashboards which CloudWatch has accepted; with options of
 * other views, since no page says which may be missing.
 */
export function chart({ title, queries, step, stacked = false }: Chart): Widget {
  const data = queries.map((one, index) => ({
    ...{ id: `q${index + 1}`, type: 'cloudwatch-metrics', language: 'PromQL', ...one, step },
  }));
  const lineOptions = { filled: stacked, stacked, width: 2, pattern: 'solid', spline: false };
  const others = {
    numberOptions: { sparkline: true },
    pieOptions: { innerSize: '50%' },
    barOptions: {},
    gaugeOptions: {},
  };
  return {
    type: 'chart',
    properties: {
      ...{ title, view: 'line', region: REGION, data: { queries: data } },
      plotOptions: {
        legend: { position: 'bottom', show: true },
        ...{ xAxis: { type: 'datetime' }, yAxis: [{ type: 'linear' }], style: { lineOptions, ...others } },
      },
    },
  };
}

/**
 * A point for each day, its sum: what a night has returned, which may be negative. CloudWatch's days are those of UTC. No bars:
 * CloudWatch draws one for each line then, of the latest day or of the whole time, and no others.
 */
export const DAILY = { stat: 'Sum', period: DAY_SECONDS, isSigned: true } as const satisfies Partial<Graph>;

export function text(markdown: string): Widget {
  return { type: 'text', properties: { markdown } };
}

/** A line of one node's metric. */
export function nodeLine(stage: string, instance: string, node: string, metric: MetricDefinition, label: string): Line {
  const dimensions = [DIMENSION.stage, stage, DIMENSION.instance, instance, DIMENSION.node, node];
  return [NAMESPACE, metric.name, ...dimensions, { label }];
}

/** A line of the job's or the fleet's metric. */
export function stageLine(
  stage: string,
  metric: MetricDefinition,
  stat?: 'Maximum' | 'Sum' | 'SampleCount',
  yAxis?: 'right',
): Line {
  const options = { label: metric.name, ...(stat !== undefined && { stat }), ...(yAxis !== undefined && { yAxis }) };
  return [NAMESPACE, metric.name, DIMENSION.stage, stage, options];
}

const SCHEMA = `{${[NAMESPACE, DIMENSION.instance, DIMENSION.node, DIMENSION.stage].join(',')}}`;

interface Search {
  readonly metric: MetricDefinition;
  /** A search has its own: that of the graph does not reach into it. */
  readonly stat: 'Average' | 'Maximum' | 'Sum';
  /** Seconds. */
  readonly period: number;
}

/** All nodes of the stage, or of one of its instances, found when the dashboard is opened. */
function search(stage: string, { metric, stat, period }: Search, instance?: string): string {
  const of = instance === undefined ? '' : ` ${DIMENSION.instance}="${instance}"`;
  return `SEARCH('${SCHEMA} ${DIMENSION.stage}="${stage}"${of} MetricName="${metric.name}"', '${stat}', ${period})`;
}

/** The nodes of the stage with the highest values. */
export function worstNodes(stage: string, { count, ...one }: Search & { readonly count: number }): Line {
  return [{ expression: `SORT(${search(stage, one)}, MAX, DESC, ${count})`, id: 'worst' }];
}

/**
 * The same by a query, which looks at up to 10,000 metrics, where a search returns 500. It looks back two weeks at most.
 */
export function worstOfMany(stage: string, { metric, stat, period, count }: Search & { readonly count: number }): Line {
  const [of, schema] = [
    { Average: 'AVG', Maximum: 'MAX', Sum: 'SUM' }[stat],
    SCHEMA.slice(1, -1).replaceAll(',', ', '),
  ];
  const from = `FROM SCHEMA(${schema.replace(NAMESPACE, `"${NAMESPACE}"`)}) WHERE ${DIMENSION.stage} = '${stage}'`;
  const by = `GROUP BY ${DIMENSION.instance}, ${DIMENSION.node} ORDER BY ${of}() DESC LIMIT ${count}`;
  return [{ expression: `SELECT ${of}(${metric.name}) ${from} ${by}`, id: 'worst', period }];
}

/** The sum over the nodes of an instance. */
export function sumOfNodes(stage: string, instance: string, one: Search, id: string): Line {
  return [{ expression: `SUM(${search(stage, one, instance)})`, id, label: one.metric.name }];
}
