import { type Milliseconds, SECOND } from '../../shared/config/units.ts';
import type { Lease, Progress } from './lease.ts';
import type { Observation } from './observation.ts';
import { beginningPace, excessOf, isFirstCycleDue, latencySeen, paced, stallsSince } from './pace.ts';
import type { UnderWay } from './plan.ts';
import type { Prediction } from './predict.ts';
import { cpuAt } from './stall.ts';

/** Redis' own rule for an ineffective pass (redis#13752), for this many looks in a row. */
const IDLE_LOOKS = 2;
const IDLE_HIT_SHARE = 0.01;
const IDLE_DROP_SHARE = 0.02;
/** serverCron starts the defragger within a second of the switch. */
const STARTED_AFTER: Milliseconds = 3 * SECOND;
/** It counts its ticks, not the time: on a starved machine, 500 of them took more than 4 s. */
const NEVER_BEGINS_AFTER: Milliseconds = 30 * SECOND;
/**
 * Half a scan that returns less for its CPU time than this share of the run's average is not worth another. Not before a scan and a half:
 * slabs of small values are freed when their last value has moved, most of them as the first scan ends (212 MiB of holes stood until
 * 0.9 of the scan, 33 were left at 1.3).
 */
const DIMINISHED = 0.02;
const PAYS_LATEST = 1.5;
const STRETCH = 0.5;

/** The progress of a lease that begins with this look. */
export function beginning(observation: Observation, predicted: Pick<Prediction, 'duration'> = {}): Progress {
  const { latency, cycles, scannedKeys } = observation.defrag;
  const counters = countersOf(observation);
  const fragmentation = counters.fragmentation ?? 0;
  return {
    hits: 0,
    misses: 0,
    ...counters,
    fragmentation,
    latencyAt: cycles?.at(-1)?.at ?? latency?.at ?? 0,
    latencyMax: latency?.max ?? 0,
    ...(cycles?.length && { latencyLast: cycles.at(-1)?.took ?? 0 }),
    worstStall: 0,
    stallStrikes: 0,
    looks: 0,
    idleLooks: 0,
    excess: 0,
    pace: beginningPace(predicted),
    moved: 0,
    work: 0,
    ...(scannedKeys !== undefined && {
      scannedFrom: scannedKeys,
      scanned: scannedKeys,
      mark: { scanned: scannedKeys, fragmentation, work: 0 },
    }),
  };
}

/** What a look adds to a lease's progress. */
export function advance(lease: Lease, observation: Observation): Progress {
  const { progress, promisedStall } = lease;
  // A count without its own time measures nothing: what this look did not see is not carried over.
  const { commands: _, cpuSeconds: __, ...lasting } = progress;
  const seen = countersOf(observation);
  const stalls = stallsSince(progress, observation.defrag);
  const worst = Math.max(0, ...stalls);
  const next: Progress = {
    ...lasting,
    ...seen,
    ...latencySeen(observation),
    worstStall: Math.max(progress.worstStall, worst),
    stallStrikes: progress.stallStrikes + (worst > promisedStall ? 1 : 0),
    ...(isFirstCycleDue(lease) && stalls.length > 0 && { firstCycle: worst }),
    looks: (progress.looks ?? 0) + 1,
    idleLooks: isIdle(progress, { ...progress, ...seen }) ? progress.idleLooks + 1 : 0,
    excess: (progress.excess ?? 0) + excessOf(stalls, promisedStall),
    pace: paced(lease, observation.at, stalls),
    moved: (progress.moved ?? 0) + Math.max(0, (seen.hits ?? 0) - progress.hits),
    work: (progress.work ?? 0) + workSince(lease, observation),
  };
  return remarked(next, observation);
}

/** Main-thread time, in ms, that the defragger was allowed since the last look. */
function workSince({ progress, cpu }: Lease, { at, defrag }: Observation): Milliseconds {
  const planned = cpu === undefined ? 0 : cpuAt(cpu, progress.pace?.level ?? 0);
  const share = defrag.running !== undefined && defrag.running > 0 ? defrag.running : planned;
  return (Math.max(0, at - progress.at) * share) / 100;
}

/** A stretch of the scan that was long enough to be judged makes room for the next. */
function remarked(progress: Progress, { keys = 0 }: Observation): Progress {
  const { mark, scanned, work = 0, fragmentation } = progress;
  if (mark === undefined || scanned === undefined) return progress;
  // Counters that went back (CONFIG RESETSTAT) begin anew.
  if (scanned >= mark.scanned && scanned - mark.scanned < STRETCH * keys) return progress;
  const scannedFrom = scanned < mark.scanned ? scanned : (progress.scannedFrom ?? scanned);
  return { ...progress, scannedFrom, mark: { scanned, fragmentation, work } };
}

/** How many times the scan has gone over the keys; undefined where the server does not say. */
export function scansOf({ scanned, scannedFrom }: Progress, { keys }: Observation): number | undefined {
  if (scanned === undefined || scannedFrom === undefined || keys === undefined || keys === 0) return undefined;
  return Math.max(0, scanned - scannedFrom) / keys;
}

/** Either the scan goes round without moving anything, or it returns too little for its work, or the server has ended it. */
export function hasStoppedMoving(observation: Observation, lease: Lease, progress: Progress): boolean {
  const elapsed = observation.at - lease.acquiredAt;
  const isBegun = (progress.moved ?? 0) > 0 || (scansOf(progress, observation) ?? 0) > 0;
  const hasEnded = observation.defrag.running === 0 && elapsed >= (isBegun ? STARTED_AFTER : NEVER_BEGINS_AFTER);
  return progress.idleLooks >= IDLE_LOOKS || hasEnded || hasDiminished(observation, lease, progress);
}

function hasDiminished(observation: Observation, lease: Lease, now: Progress): boolean {
  const { mark } = lease.progress;
  const begun = lease.before.fragmentation;
  const scans = scansOf(now, observation);
  // Judged when a stretch ends: the mark that it began at is still the lease's.
  if (mark === undefined || begun === undefined || scans === undefined || scans < PAYS_LATEST) return false;
  if (now.mark?.scanned === mark.scanned) return false;
  const rate = (mark.fragmentation - now.fragmentation) / Math.max(1, (now.work ?? 0) - mark.work);
  const average = (begun - now.fragmentation) / Math.max(1, now.work ?? 0);
  return rate <= DIMINISHED * Math.max(0, average);
}

function countersOf({ at, defrag, activity, memory }: Observation): Partial<Progress> & { readonly at: number } {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  const { totalCommandsProcessed: commands, cpuSeconds } = activity;
  return {
    at,
    ...(defrag.hits !== undefined && { hits: defrag.hits }),
    ...(defrag.misses !== undefined && { misses: defrag.misses }),
    ...(defrag.scannedKeys !== undefined && { scanned: defrag.scannedKeys }),
    ...(active !== undefined && allocated !== undefined && { fragmentation: Math.max(0, active - allocated) }),
    ...(commands !== undefined && { commands }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
  };
}

/** Counters that went back (CONFIG RESETSTAT) say nothing about progress. */
function isIdle(before: Progress, now: Progress): boolean {
  const hits = now.hits - before.hits;
  const misses = now.misses - before.misses;
  if (hits < 0 || misses < 0 || hits + misses === 0) return false;
  const drop = before.fragmentation - now.fragmentation;
  return hits / (hits + misses) < IDLE_HIT_SHARE && drop < IDLE_DROP_SHARE * before.fragmentation;
}

/** How far the run has come, and how long the rest takes: by the work that was predicted, at the pace of now. */
export function underWayIn(lease: Lease, observation: Observation): UnderWay {
  const progress = advance(lease, observation);
  const { work = 0, moved = 0, pace, fragmentation } = progress;
  const elapsed = Math.max(0, observation.at - lease.acquiredAt);
  const closed = (lease.before.fragmentation ?? fragmentation) - fragmentation;
  const level = pace?.level ?? 0;
  const { duration } = lease.predicted;
  const { cpu } = lease;
  if (duration === undefined || cpu === undefined) return { elapsed, moved, closed, level };
  const whole = (duration * cpu) / 100;
  if (work >= whole) return { elapsed, moved, closed, level, isLate: true };
  const left = Math.round(((whole - work) * 100) / cpuAt(cpu, level));
  return { elapsed, moved, closed, level, share: work / whole, left };
}
