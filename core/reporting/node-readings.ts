import { limitOf, type MemoryLimit } from '../config/near-limit.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { HOUR, type Milliseconds } from '../config/units.ts';
import { machineMemory } from '../diagnosis/limit.ts';
import { commandsPerSecond, mainThreadCpu, OTHER_CONNECTION } from '../diagnosis/load.ts';
import { bytesOfClass, kernelBytes, type PartClass, runningFork } from '../domain/account.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Reading } from '../domain/metric.ts';
import { NODE_METRICS } from '../domain/node-metrics.ts';
import type { Observation } from '../domain/observation.ts';
import { type Outcome, type Seen, stepsOf } from '../domain/outcome.ts';
import type { Counters } from '../domain/report.ts';
import type { Verdict } from '../domain/verdict.ts';

/** What a check has found of a node. */
export function stateReadings(
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
export function actionReadings(outcome: Outcome): readonly Reading[] {
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
