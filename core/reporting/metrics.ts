import { limitOf, type MemoryLimit } from '../config/near-limit.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { checksOf, type TroubleName } from '../config/trouble.ts';
import { HOUR, type Milliseconds } from '../config/units.ts';
import { machineMemory } from '../diagnosis/limit.ts';
import { commandsPerSecond, mainThreadCpu, OTHER_CONNECTION } from '../diagnosis/load.ts';
import { bytesOfClass, kernelBytes, type PartClass, runningFork } from '../domain/account.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import {
  DIMENSION,
  FLEET_METRICS,
  JOB_METRICS,
  type Metric,
  type MetricDefinition,
  NODE_METRICS,
  TROUBLE_DIMENSION,
  TROUBLE_METRIC,
} from '../domain/metric-catalogue.ts';
import type { Observation } from '../domain/observation.ts';
import { isOfConfig, type Outcome, type Seen, stepsOf } from '../domain/outcome.ts';
import { type Counters, configOf, type ReportInput } from '../domain/report.ts';
import type { Verdict } from '../domain/verdict.ts';
import { seenNow, troubleFound } from './trouble.ts';

type Reading = readonly [definition: Pick<MetricDefinition, 'name' | 'unit'>, value: number | undefined];

/** The metrics of a tick: each node once, then the job. What was not observed is not published: a zero would be false. */
export function metricsOf(input: ReportInput): readonly Metric[] {
  const nodes = input.outcomes.flatMap((outcome) => [
    ...nodeMetrics(input, outcome),
    ...troubleMetrics(input, outcome),
  ]);
  const readings = [
    ...(input.part?.kind === 'batch' ? [] : stageReadings(input)),
    ...(input.part?.kind === 'dispatch'
      ? []
      : [...countReadings(input), ...(input.isFleet ? fleetReadings(input) : [])]),
  ];
  // All counts of one tick fall into one period of CloudWatch, however late a worker comes to its batch.
  const at = input.part?.kind === 'batch' ? input.part.at : input.finishedAt;
  return [...nodes, ...datums(readings, { [DIMENSION.stage]: input.stage }, at)];
}

/** For the alarms that watch each node by PromQL. */
function troubleMetrics(input: ReportInput, outcome: Outcome): readonly Metric[] {
  const { stage, startedAt, watched } = input;
  const config = configOf(outcome, input);
  if (!watched || !config) return [];
  const { instance, node } = outcome;
  const found = [...troubleFound(outcome, config)].filter(([, isThere]) => isThere);
  return found.flatMap(([name]) => {
    const checks = `${checksOf(name, config, watched)}`;
    const dimensions = {
      ...{ [DIMENSION.stage]: stage, [DIMENSION.instance]: instance, [DIMENSION.node]: node },
      ...{ [TROUBLE_DIMENSION.trouble]: name, [TROUBLE_DIMENSION.checks]: checks },
    };
    return datums([[TROUBLE_METRIC, 1]], dimensions, seenNow(outcome)?.observation.at ?? startedAt);
  });
}

function nodeMetrics(input: ReportInput, outcome: Outcome): readonly Metric[] {
  const { instance, node } = outcome;
  const { stage, startedAt } = input;
  const dimensions = { [DIMENSION.stage]: stage, [DIMENSION.instance]: instance, [DIMENSION.node]: node };
  if (outcome.kind === 'unreachable') return datums([[NODE_METRICS.reachable, 0]], dimensions, startedAt);
  const seen = seenNow(outcome);
  if (!seen) return [];
  const readings = [
    ...stateReadings(outcome, seen, configOf(outcome, input), input.counters?.get(node)),
    ...actionReadings(outcome),
  ];
  return datums(readings, dimensions, seen.observation.at);
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

function stateReadings(
  outcome: Outcome,
  { observation, diagnosis }: Seen,
  config: InstanceConfig | undefined,
  earlier: Counters | undefined,
): readonly Reading[] {
  const { memory, defrag } = observation;
  const { layers } = diagnosis;
  const core: readonly Reading[] = [
    [NODE_METRICS.reachable, 1],
    [NODE_METRICS.usedMemory, memory.usedMemory],
    [NODE_METRICS.usedMemoryRss, memory.usedMemoryRss],
    [NODE_METRICS.memFragmentationRatio, diagnosis.ratio],
    [NODE_METRICS.externalFragmentation, layers?.externalFragmentation],
    [NODE_METRICS.freePages, layers?.freePages],
    // Most of the time no fork runs: then the metric costs nothing, and the alarm reads 0.
    [NODE_METRICS.forkMemory, diagnosis.account && (runningFork(diagnosis.account) || undefined)],
  ];
  if (config?.metrics !== 'detailed') return core;
  return [
    ...core,
    ...accountReadings(diagnosis, limitOf(config, machineMemory(memory))),
    [NODE_METRICS.usedMemoryPeak, memory.usedMemoryPeak],
    ...rateReadings(outcome, observation, earlier),
    [NODE_METRICS.activeDefragRunning, defrag.running],
    [NODE_METRICS.activeDefragHits, defrag.hits],
    [NODE_METRICS.activeDefragMisses, defrag.misses],
    [NODE_METRICS.activeDefragKeyHits, defrag.keyHits],
    [NODE_METRICS.activeDefragKeyMisses, defrag.keyMisses],
  ];
}

/** What RSS consists of, beside the layers that are core metrics; with these it adds up. */
function accountReadings({ account, layers }: Diagnosis, limit: MemoryLimit | undefined): readonly Reading[] {
  const counted = kernelBytes(account);
  const sum = (name: PartClass) => account && bytesOfClass(account, name);
  return [
    [NODE_METRICS.dataMemory, sum('data')],
    [NODE_METRICS.bufferMemory, sum('buffers')],
    [NODE_METRICS.scriptMemory, sum('scripts')],
    [NODE_METRICS.processOverhead, layers && sum('overhead')],
    [NODE_METRICS.memoryLimitUsed, limit && counted !== undefined ? (counted / limit.bytes) * 100 : undefined],
  ];
}

/** A defrag's verdict covers the purge that follows it, bytes included. */
function actionReadings(outcome: Outcome): readonly Reading[] {
  if (outcome.kind === 'purged') {
    return [...returnedReadings(outcome.verdict), [NODE_METRICS.blockedTime, outcome.verdict.stall]];
  }
  if (outcome.kind !== 'stopped') return [];
  const { verdict, purge } = outcome;
  return [
    ...(verdict ? returnedReadings(verdict) : []),
    [NODE_METRICS.defragStall, verdict?.stall],
    [NODE_METRICS.blockedTime, purge?.kind === 'purged' ? purge.verdict.stall : undefined],
  ];
}

function returnedReadings({ reclaimed, predicted }: Verdict): readonly Reading[] {
  return [
    [NODE_METRICS.reclaimedMemory, reclaimed],
    [NODE_METRICS.predictedReclaim, predicted],
  ];
}

/** Of the stage as a whole, once for each tick. */
function stageReadings({ problem, outcomes, undiscovered, part }: ReportInput): readonly Reading[] {
  const { nodes, leases } = part?.kind === 'dispatch' ? part : {};
  const held = leases ?? outcomes.filter(({ leased }) => leased).length;
  return [
    [JOB_METRICS.heartbeat, 1],
    [JOB_METRICS.dispatched, nodes],
    [JOB_METRICS.undiscovered, undiscovered],
    // Unknown while the state cannot be read.
    [JOB_METRICS.leasesHeld, problem ? undefined : held],
  ];
}

/** Of the nodes that were checked: they add up over several workers. */
function countReadings({ startedAt, finishedAt, outcomes, part }: ReportInput): readonly Reading[] {
  const count = (matches: (outcome: Outcome) => boolean) => outcomes.filter(matches).length;
  const notReached = count(({ kind }) => kind === 'not-reached');
  return [
    [JOB_METRICS.nodesObserved, count((outcome) => seenNow(outcome) !== undefined)],
    [JOB_METRICS.nodesUnreachable, count(({ kind }) => kind === 'unreachable')],
    [JOB_METRICS.nodesNotReached, notReached],
    [JOB_METRICS.nodesFailed, count((outcome) => stepsOf(outcome).some((step) => step.kind === 'failed'))],
    [JOB_METRICS.nodesMisconfigured, count(({ kind }) => isOfConfig(kind))],
    [JOB_METRICS.reported, part && outcomes.length - notReached],
    [JOB_METRICS.duration, Math.max(0, finishedAt - startedAt)],
  ];
}

/** Counts of nodes, in place of alarms for each node: with many nodes, those alarms would cost the most. */
function fleetReadings(input: ReportInput): readonly Reading[] {
  const found = input.outcomes.map((outcome) => {
    const config = configOf(outcome, input);
    return config && troubleFound(outcome, config);
  });
  const count = (name: TroubleName) => found.filter((one) => one?.get(name)).length;
  const seen = input.outcomes.flatMap((outcome) => seenNow(outcome)?.observation.memory ?? []);
  const returned = input.outcomes
    .flatMap(actionReadings)
    .flatMap(([metric, value]) => (metric === NODE_METRICS.reclaimedMemory ? (value ?? []) : []));
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return [
    [FLEET_METRICS.fragmentedWarning, count('fragmentation-warning')],
    [FLEET_METRICS.fragmentedCritical, count('fragmentation-critical')],
    [FLEET_METRICS.nearLimit, count('near-limit')],
    [FLEET_METRICS.usedMemory, total(seen.map(({ usedMemory = 0 }) => usedMemory))],
    [FLEET_METRICS.usedMemoryRss, total(seen.map(({ usedMemoryRss = 0 }) => usedMemoryRss))],
    [FLEET_METRICS.reclaimedMemory, returned.length === 0 ? undefined : total(returned)],
  ];
}

/** Ticks are an hour apart at most. After a longer pause, a mean over all of it says nothing of the present. */
const LONGEST_INTERVAL: Milliseconds = 2 * HOUR;

/** Since the tick before; at the first tick, between the two checks before an action, where there were two. */
function rateReadings(outcome: Outcome, observation: Observation, earlier: Counters | undefined): readonly Reading[] {
  const isSame = earlier?.runId === observation.runId && observation.at - (earlier?.at ?? 0) <= LONGEST_INTERVAL;
  const since = earlier && isSame ? { ...earlier, own: OTHER_CONNECTION } : undefined;
  return [
    [
      NODE_METRICS.commandsPerSecond,
      (since && commandsPerSecond(observation, since)) ?? measuredIn(outcome, 'opsPerSecond'),
    ],
    [NODE_METRICS.mainThreadCpu, (since && mainThreadCpu(observation, since)) ?? measuredIn(outcome, 'mainThreadCpu')],
  ];
}

/** Of the last step that measured it: a purge after a defrag is one. */
function measuredIn(outcome: Outcome, what: 'opsPerSecond' | 'mainThreadCpu'): number | undefined {
  return stepsOf(outcome)
    .flatMap((step) => (what in step ? [(step as Partial<Record<typeof what, number>>)[what]] : []))
    .findLast((rate) => rate !== undefined);
}
