import { usesQueue } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { JOB_METRICS } from '../core/domain/job-metrics.ts';
import { DIMENSION, type MetricDefinition, NAMESPACE } from '../core/domain/metric.ts';
import type { AlarmSource, MetricSource } from './alarm.ts';

/**
 * How the counts of one tick are read. One function counts all nodes; while it follows a defrag there are more ticks within a period, which count
 * nothing. Of several workers each counts its own, at the time of their dispatch, so that the sum over a period is that of its tick.
 */
export function countStatistic(config: Config): 'Maximum' | 'Sum' {
  return usesQueue(config) ? 'Sum' : 'Maximum';
}

/** A metric of the stage as a whole. */
export function stageMetric(
  { stage }: Config,
  { name }: MetricDefinition,
  statistic: MetricSource['statistic'],
): MetricSource {
  return { namespace: NAMESPACE, name, dimensions: { [DIMENSION.stage]: stage }, statistic };
}

/** More nodes than a stage has: while it is not known how many were handed out, nothing is over. */
const UNKNOWN = 1_000_000_000;

/**
 * How many nodes are in trouble, for an alarm. Of several workers each that has counted one is believed at once. That none is in trouble counts
 * only when all nodes of the tick were reported: a worker that fails must not end an alarm. Without a value the alarm keeps its state.
 */
export function countOf(config: Config, metric: MetricDefinition): AlarmSource {
  const of = (one: MetricDefinition) => stageMetric(config, one, countStatistic(config));
  if (!usesQueue(config)) return { metric: of(metric) };
  return {
    expression: `IF(nodes > 0 OR FILL(reported, 0) >= FILL(dispatched, ${UNKNOWN}), nodes)`,
    label: `${metric.name}; 0 where all nodes were reported`,
    metrics: { nodes: of(metric), reported: of(JOB_METRICS.reported), dispatched: of(JOB_METRICS.dispatched) },
  };
}

/** Nodes whose state is unknown after a tick: no time was left, or no worker has reported them. */
export function notReachedOf(config: Config): AlarmSource {
  const of = (one: MetricDefinition) => stageMetric(config, one, countStatistic(config));
  if (!usesQueue(config)) return { metric: of(JOB_METRICS.nodesNotReached) };
  return {
    expression: 'dispatched - FILL(reported, 0)',
    label: 'nodes that were handed out and not reported',
    metrics: { dispatched: of(JOB_METRICS.dispatched), reported: of(JOB_METRICS.reported) },
  };
}
