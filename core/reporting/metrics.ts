import { isFleet } from '../config/fleet.ts';
import { isNearLimit } from '../config/near-limit.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import {
  DIMENSION,
  FLEET_METRICS,
  JOB_METRICS,
  type Metric,
  type MetricDefinition,
  NODE_METRICS,
} from '../domain/metric-catalogue.ts';
import type { Observation } from '../domain/observation.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { NodeReport, ReportInput } from '../domain/report.ts';
import type { Verdict } from '../domain/verdict.ts';

type Reading = readonly [definition: MetricDefinition, value: number | undefined];

/** The metrics of a tick: each node once, then the job. What was not observed is not published: a zero would be false. */
export function metricsOf(input: ReportInput, nodes: readonly NodeReport[]): readonly Metric[] {
  const fleet = isFleet(input.instances) ? fleetMetrics(input, nodes) : [];
  return [...nodes.flatMap((node) => nodeMetrics(input, node)), ...jobMetrics(input, nodes), ...fleet];
}

function nodeMetrics({ stage, startedAt }: ReportInput, report: NodeReport): readonly Metric[] {
  const { instance, node } = report;
  const dimensions = { [DIMENSION.stage]: stage, [DIMENSION.instance]: instance, [DIMENSION.node]: node };
  if (isUnreachable(report)) return datums([[NODE_METRICS.reachable, 0]], dimensions, startedAt);
  const observation = newestObservation(report);
  if (!observation) return [];
  const readings = [...stateReadings(report, observation), ...actionReadings(report)];
  return datums(readings, dimensions, observation.at);
}

function datums(
  readings: readonly Reading[],
  dimensions: Readonly<Record<string, string>>,
  at: number,
): readonly Metric[] {
  return readings.flatMap(([{ name, unit }, value]) =>
    value === undefined ? [] : [{ name, unit, value, dimensions, at }],
  );
}

function stateReadings({ outcomes, config }: NodeReport, observation: Observation): readonly Reading[] {
  const { memory, defrag } = observation;
  // Diagnosed again: the outcome's own diagnosis is from before its action, and would not add up with the RSS after it.
  const diagnosis = config && diagnose(observation, config);
  const layers = diagnosis?.layers;
  const core: readonly Reading[] = [
    [NODE_METRICS.reachable, 1],
    [NODE_METRICS.usedMemory, memory.usedMemory],
    [NODE_METRICS.usedMemoryRss, memory.usedMemoryRss],
    [NODE_METRICS.memFragmentationRatio, diagnosis?.ratio],
    [NODE_METRICS.externalFragmentation, layers?.externalFragmentation],
    [NODE_METRICS.freePages, layers?.freePages],
  ];
  if (config?.metrics !== 'detailed') return core;
  const { memoryLimit } = config;
  const { usedMemoryRss } = memory;
  const share = memoryLimit && usedMemoryRss !== undefined ? (usedMemoryRss / memoryLimit) * 100 : undefined;
  return [
    ...core,
    [NODE_METRICS.processOverhead, layers?.overhead],
    [NODE_METRICS.memoryLimitUsed, share],
    [NODE_METRICS.commandsPerSecond, outcomes.findLast((outcome) => outcome.opsPerSecond !== undefined)?.opsPerSecond],
    [NODE_METRICS.activeDefragHits, defrag.hits],
    [NODE_METRICS.activeDefragMisses, defrag.misses],
  ];
}

function actionReadings({ outcomes }: NodeReport): readonly Reading[] {
  const verdicts = outcomes.flatMap(({ verdict }) => (verdict ? [verdict] : []));
  const hasDefrag = verdicts.some(({ action }) => action === 'defrag');
  return verdicts.flatMap((verdict) => verdictReadings(verdict, hasDefrag));
}

/** A defrag's verdict covers the purge that follows it, bytes included. */
function verdictReadings({ action, reclaimed, predicted, stall }: Verdict, hasDefrag: boolean): readonly Reading[] {
  const bytes: readonly Reading[] = [
    [NODE_METRICS.reclaimedMemory, reclaimed],
    [NODE_METRICS.predictedReclaim, predicted],
  ];
  if (action === 'defrag') return [...bytes, [NODE_METRICS.defragStall, stall]];
  return [...(hasDefrag ? [] : bytes), [NODE_METRICS.blockedTime, stall]];
}

function jobMetrics(input: ReportInput, nodes: readonly NodeReport[]): readonly Metric[] {
  const { stage, startedAt, finishedAt, problem } = input;
  const unreachable = nodes.filter(isUnreachable).length;
  const observed = nodes.filter((node) => !isUnreachable(node) && newestObservation(node)).length;
  const count = (matches: (outcome: Outcome) => boolean) => nodes.filter((node) => node.outcomes.some(matches)).length;
  const readings: readonly Reading[] = [
    [JOB_METRICS.heartbeat, 1],
    [JOB_METRICS.nodesObserved, observed],
    [JOB_METRICS.nodesUnreachable, unreachable],
    [JOB_METRICS.nodesNotReached, count(({ status }) => status === 'not-reached')],
    [JOB_METRICS.nodesFailed, count(({ status }) => status === 'failed')],
    // Unknown while the state cannot be read.
    [JOB_METRICS.leasesHeld, problem ? undefined : count(({ leased }) => leased === true)],
    [JOB_METRICS.duration, Math.max(0, finishedAt - startedAt)],
  ];
  return datums(readings, { [DIMENSION.stage]: stage }, finishedAt);
}

/** Counts of nodes, in place of alarms for each node: with many nodes, those alarms would cost the most. */
function fleetMetrics({ stage, finishedAt }: ReportInput, nodes: readonly NodeReport[]): readonly Metric[] {
  const count = (crosses: (memory: Observation['memory'], config: InstanceConfig) => boolean) =>
    nodes.filter((node) => {
      const observation = isUnreachable(node) ? undefined : newestObservation(node);
      return observation !== undefined && node.config !== undefined && crosses(observation.memory, node.config);
    }).length;
  const readings: readonly Reading[] = [
    [
      FLEET_METRICS.fragmentedWarning,
      count((memory, { thresholds }) => isFragmented(memory, thresholds.fragmentationWarning)),
    ],
    [
      FLEET_METRICS.fragmentedCritical,
      count((memory, { thresholds }) => isFragmented(memory, thresholds.fragmentationCritical)),
    ],
    [FLEET_METRICS.nearLimit, count(({ usedMemoryRss }, config) => isNearLimit(usedMemoryRss, config))],
  ];
  return datums(readings, { [DIMENSION.stage]: stage }, finishedAt);
}

/** The same comparison as the expression of a node's own alarm. */
function isFragmented(memory: Observation['memory'], threshold: { readonly ratio: number; readonly floor: number }) {
  const { usedMemory, usedMemoryRss } = memory;
  if (usedMemory === undefined || usedMemoryRss === undefined || usedMemory <= 0) return false;
  return usedMemoryRss - usedMemory >= threshold.floor && usedMemoryRss / usedMemory > threshold.ratio;
}

function isUnreachable({ outcomes }: NodeReport): boolean {
  return outcomes.at(-1)?.status === 'unreachable';
}

/** Steps of one tick do not always end in the order of their observations. */
function newestObservation({ outcomes }: NodeReport): Observation | undefined {
  return outcomes
    .flatMap(({ observation }) => (observation ? [observation] : []))
    .reduce<Observation | undefined>((newest, next) => (newest && newest.at > next.at ? newest : next), undefined);
}
