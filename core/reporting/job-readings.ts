import type { TroubleName } from '../config/trouble.ts';
import { FLEET_METRICS, JOB_METRICS } from '../domain/job-metrics.ts';
import type { Reading } from '../domain/metric.ts';
import { NODE_METRICS } from '../domain/node-metrics.ts';
import { isOfConfig, type Outcome, stepsOf } from '../domain/outcome.ts';
import { configOf, type ReportInput } from '../domain/report.ts';
import { actionReadings } from './node-readings.ts';
import { seenNow, troubleFound } from './trouble.ts';

/** Of the stage as a whole, once for each tick. */
export function stageReadings({ problem, outcomes, undiscovered, part }: ReportInput): readonly Reading[] {
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
export function countReadings({ startedAt, finishedAt, outcomes, part }: ReportInput): readonly Reading[] {
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
export function fleetReadings(input: ReportInput): readonly Reading[] {
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
