import { DIMENSION, type MetricDefinition, NAMESPACE } from '../core/domain/metric-catalogue.ts';
import type { Json } from './cloudformation.ts';

/** A widget without its place. */
export interface Widget {
  readonly type: 'metric' | 'text' | 'alarm';
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

export interface Graph {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly stat?: 'Average' | 'Maximum' | 'Sum';
  readonly stacked?: boolean;
  readonly marks?: readonly Mark[];
  readonly label?: string;
  /** Seconds; the interval of the ticks when absent. */
  readonly period: number;
}

export function graph({ title, lines, stat = 'Average', stacked = false, marks = [], label, period }: Graph): Widget {
  return {
    type: 'metric',
    properties: {
      title,
      region: REGION,
      view: 'timeSeries',
      stacked,
      stat,
      period,
      metrics: lines,
      yAxis: { left: { min: 0, ...(label !== undefined && { label, showUnits: false }) } },
      ...(marks.length > 0 && { annotations: { horizontal: marks.map((mark) => ({ ...mark })) } }),
    },
  };
}

/**
 * A point for each day, its sum: what a night has returned, which may be negative. CloudWatch's days are those of UTC. No bars:
 * CloudWatch draws one for each line then, of the latest day or of the whole time, and no others.
 */
export function daily(title: string, lines: readonly Line[]): Widget {
  return {
    type: 'metric',
    properties: {
      title,
      region: REGION,
      view: 'timeSeries',
      stacked: false,
      stat: 'Sum',
      period: DAY_SECONDS,
      metrics: lines,
    },
  };
}

export function text(markdown: string): Widget {
  return { type: 'text', properties: { markdown } };
}

/** A line of one node's metric. */
export function nodeLine(stage: string, instance: string, node: string, metric: MetricDefinition, label: string): Line {
  const dimensions = [DIMENSION.stage, stage, DIMENSION.instance, instance, DIMENSION.node, node];
  return [NAMESPACE, metric.name, ...dimensions, { label }];
}

/** A line of the job's or the fleet's metric. */
export function stageLine(stage: string, metric: MetricDefinition, stat?: 'Maximum' | 'Sum' | 'SampleCount'): Line {
  return [NAMESPACE, metric.name, DIMENSION.stage, stage, { label: metric.name, ...(stat !== undefined && { stat }) }];
}

const SCHEMA = `{${[NAMESPACE, DIMENSION.instance, DIMENSION.node, DIMENSION.stage].join(',')}}`;

export interface Search {
  readonly metric: MetricDefinition;
  /** A search has its own: that of the graph does not reach into it. */
  readonly stat: 'Maximum' | 'Sum';
  /** Seconds. */
  readonly period: number;
  readonly count: number;
}

/** The nodes of the stage with the highest values, found when the dashboard is opened. */
export function worstNodes(stage: string, { metric, stat, period, count }: Search): Line {
  const filter = `${SCHEMA} ${DIMENSION.stage}="${stage}" MetricName="${metric.name}"`;
  const expression = `SORT(SEARCH('${filter}', '${stat}', ${period}), MAX, DESC, ${count})`;
  return [{ expression, id: 'worst' }];
}
