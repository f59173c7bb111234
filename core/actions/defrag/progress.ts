import { type Milliseconds, SECOND } from '../../config/units.ts';
import type { Lease, Progress } from '../../domain/lease.ts';
import type { Observation } from '../../domain/observation.ts';
import type { UnderWay } from '../../domain/plan.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { present } from '../../domain/present.ts';
import { cpuAt } from './ladder.ts';
import { beginningPace, excessOf, isFirstCycleDue, latencySeen, paced, stallsSince } from './pace.ts';
import { workOf } from './predict.ts';

/** Redis' own rule for an ineffective pass (redis#13752), for this many checks in a row. */
const IDLE_LOOKS = 3;
const IDLE_HIT_SHARE = 0.01;
const IDLE_DROP_SHARE = 0.02;
/** serverCron starts the defragger within a second of the switch. */
const STARTED_AFTER: Milliseconds = 3 * SECOND;
/** It counts its ticks, not the time: on a starved machine, 500 of them took more than 4 s. */
const NEVER_BEGINS_AFTER: Milliseconds = 30 * SECOND;
/** A defragger that looks at nothing for so long has nothing to look at. */
const STILL_FOR: Milliseconds = 60 * SECOND;
/**
 * A stretch of work that moves few of the values that it looks at, and returns less for its CPU time than this share of the run's average,
 * is the last. While many values are moved it goes on, whatever has come back: slabs of small values are freed only when their last
 * value has moved (212 MiB of external fragmentation stood until 0.9 of the first scan, 33 MiB were left at 1.3).
 */
const DIMINISHED = 0.02;
const FEW_MOVED = 0.05;
/** A stretch has so much of the work so far, and at least so much main-thread time. */
const STRETCH_SHARE = 0.25;
const SHORTEST_STRETCH: Milliseconds = 0.5 * SECOND;
/** Before this share of the work that was predicted is done, a run is not judged by what it returns. */
const JUDGED_FROM = 0.5;

/** The progress of a lease that begins with this check. */
export function initialProgress(observation: Observation, predicted: Pick<Prediction, 'duration'> = {}): Progress {
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
    ...(scannedKeys !== undefined && { scans: 0 }),
    mark: { moved: 0, examined: 0, fragmentation, work: 0 },
  };
}

/** What a check adds to a lease's progress. */
export function nextProgress(lease: Lease, observation: Observation): Progress {
  const { progress, promisedStall } = lease;
  // A count without its own time measures nothing: what this check did not see is not carried over.
  const { commands: _, cpuSeconds: __, stillSince: ___, ...lasting } = progress;
  const seen = countersOf(observation);
  const hits = gained(seen.hits, progress.hits);
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
    ...stillAfter(progress, { ...progress, ...seen }),
    excess: (progress.excess ?? 0) + excessOf(stalls, promisedStall),
    pace: paced(lease, observation.at, stalls),
    ...scansAfter(progress, observation),
    moved: (progress.moved ?? 0) + hits,
    examined: (progress.examined ?? 0) + hits + gained(seen.misses, progress.misses),
    work: (progress.work ?? 0) + workSince(lease, observation),
  };
  return remarked(next);
}

/** What a counter has gained; one that went back (CONFIG RESETSTAT) says nothing. */
function gained(now: number | undefined, before: number): number {
  return now === undefined ? 0 : Math.max(0, now - before);
}

/**
 * How many times the scan has gone over the keys, check by check: the keys of now say nothing of those that have expired since. Large
 * collections are counted more than once, since each interruption counts (defrag.c defragLaterStep).
 */
function scansAfter({ scans, scanned }: Progress, { keys = 0, defrag }: Observation): { readonly scans?: number } {
  if (scans === undefined) return {};
  if (defrag.scannedKeys === undefined || scanned === undefined || keys === 0) return { scans };
  return { scans: scans + gained(defrag.scannedKeys, scanned) / keys };
}

/** Main-thread time, in ms, that the defragger was allowed since the last check: none while it rests. */
function workSince({ progress, cpu }: Lease, { at, defrag }: Observation): Milliseconds {
  const planned = cpu === undefined ? 0 : cpuAt(cpu, progress.pace?.level ?? 0);
  return (Math.max(0, at - progress.at) * (defrag.running ?? planned)) / 100;
}

/** A stretch that was long enough to be judged makes room for the next. */
function remarked(progress: Progress): Progress {
  const { mark, work = 0, moved = 0, examined = 0, fragmentation } = progress;
  if (mark === undefined || work - mark.work < Math.max(SHORTEST_STRETCH, STRETCH_SHARE * work)) return progress;
  return { ...progress, mark: { moved, examined, fragmentation, work } };
}

/** The scan begins anew: what it has gone over so far counts no more. */
export function restarted(progress: Progress, at: number): Progress {
  return { ...progress, ...(progress.scans !== undefined && { scans: 0 }), restartedAt: at };
}

/** Either it moves nothing any more, or it returns too little for its work, or the server has ended it. */
export function hasStoppedMoving(observation: Observation, lease: Lease, progress: Progress): boolean {
  const elapsed = observation.at - Math.max(lease.acquiredAt, progress.restartedAt ?? 0);
  const isBegun = progress.scans === undefined ? (progress.moved ?? 0) > 0 : progress.scans > 0;
  if (observation.defrag.running === 0 && elapsed >= (isBegun ? STARTED_AFTER : NEVER_BEGINS_AFTER)) return true;
  const isStill = progress.stillSince !== undefined && observation.at - progress.stillSince >= STILL_FOR;
  return isStill || (isJudged(lease, progress) && (progress.idleLooks >= IDLE_LOOKS || hasDiminished(lease, progress)));
}

/** Not before the scan has seen every key once, and half of the work that was predicted is done. */
function isJudged({ predicted: { duration }, cpu }: Lease, { scans = 1, work = 0 }: Progress): boolean {
  return scans >= 1 && work >= JUDGED_FROM * (workOf(duration, cpu) ?? 0);
}

function hasDiminished(lease: Lease, now: Progress): boolean {
  const { mark } = lease.progress;
  const begun = lease.before.fragmentation;
  // Judged when a stretch ends: the mark that it began at is still the lease's.
  if (mark === undefined || begun === undefined || now.mark?.work === mark.work) return false;
  const examined = (now.examined ?? 0) - mark.examined;
  if (examined === 0 || ((now.moved ?? 0) - mark.moved) / examined >= FEW_MOVED) return false;
  const rate = (mark.fragmentation - now.fragmentation) / Math.max(1, (now.work ?? 0) - mark.work);
  const average = (begun - now.fragmentation) / Math.max(1, now.work ?? 0);
  return rate <= DIMINISHED * Math.max(0, average);
}

function countersOf({ at, defrag, activity, memory }: Observation): Partial<Progress> & { readonly at: number } {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  const { hits, misses, scannedKeys: scanned } = defrag;
  const { totalCommandsProcessed: commands, cpuSeconds } = activity;
  const isKnown = active !== undefined && allocated !== undefined;
  const fragmentation = isKnown ? Math.max(0, active - allocated) : undefined;
  return { at, ...present({ hits, misses, scanned, fragmentation, commands, cpuSeconds }) };
}

/** Since when neither counter has moved: a server that was emptied has nothing to look at. */
function stillAfter(before: Progress, now: Progress): { readonly stillSince?: number } {
  const isStill = now.hits === before.hits && now.misses === before.misses;
  return isStill ? { stillSince: before.stillSince ?? now.at } : {};
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
  const progress = nextProgress(lease, observation);
  const { work = 0, moved = 0, pace, fragmentation } = progress;
  const elapsed = Math.max(0, observation.at - lease.acquiredAt);
  const closed = (lease.before.fragmentation ?? fragmentation) - fragmentation;
  const level = pace?.level ?? 0;
  const { cpu } = lease;
  const whole = workOf(lease.predicted.duration, cpu);
  if (whole === undefined || cpu === undefined) return { elapsed, moved, closed, level };
  if (work >= whole) return { elapsed, moved, closed, level, isLate: true };
  const left = Math.round(((whole - work) * 100) / cpuAt(cpu, level));
  return { elapsed, moved, closed, level, share: work / whole, left };
}
