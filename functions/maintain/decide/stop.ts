import { MIB, type Milliseconds, type Percent, SECOND } from '../../shared/config/units.ts';
import { type Blocker, serverBlockers } from './guards.ts';
import { identify, type Lease, type Progress, wasGivenBack, wasTaken } from './lease.ts';
import { OTHER_CONNECTION } from './load.ts';
import type { Observation } from './observation.ts';
import type { Plan, Situation, StopDefrag } from './plan.ts';

/** A finished defrag: 2 % of the data is left as holes. It reaches 1.1 %, at five times the time. */
const GOAL_SHARE = 0.02;
const GOAL_FLOOR = 4 * MIB;
/**
 * A cycle beyond the promise may be the machine's noise: the kernel took the processor away, for a time slice of a neighbour's or two, as an
 * idle server's clients see it, too (5 to 8 ms at the worst of 8 s, where 25 s of defrag saw 4 to 6). That adds to a cycle, whatever its
 * length. One of more than twice the promise and more than that is no noise, and neither are cycles that most looks saw.
 */
const NOISE: Milliseconds = 5;
const STALL_STRIKES = 3;
/** Redis' own rule for an ineffective pass (redis#13752), for this many looks in a row. */
const IDLE_LOOKS = 2;
const IDLE_HIT_SHARE = 0.01;
const IDLE_DROP_SHARE = 0.02;
/** serverCron starts the defragger within a second of the switch. */
const STARTED_AFTER: Milliseconds = 3 * SECOND;

/** What to do with the node that our lease is on, after this look at it. */
export function planLeased(situation: Situation, lease: Lease): Plan {
  const stop = stopReason(situation, lease);
  if (!stop) return { kind: 'skip', reason: 'defragmenting', until: lease.expiresAt };
  const action: StopDefrag = { kind: 'stop-defrag', ...stop };
  return { kind: 'act', action, reason: stop.because, predicted: lease.predicted };
}

function stopReason(situation: Situation, lease: Lease): Omit<StopDefrag, 'kind'> | undefined {
  const { observation, policy, window, pause, now } = situation;
  if (lease.closing) return { because: lease.closing };
  if (identify(lease, observation) !== 'same') return { because: 'server-restarted' };
  if (lease.phase === 'taking' && !wasTaken(lease, observation)) return { because: 'never-started' };
  if (pause) return { because: 'paused', pause: { until: pause.until, reason: pause.reason, by: pause.by } };
  if (!policy.defrag.enabled) return { because: 'disabled' };
  if (!window.open) return { because: 'window-closed' };
  if (now >= lease.expiresAt) return { because: 'duration-spent' };
  const blockers = leasedBlockers(situation, lease);
  const [first] = blockers;
  if (first) return { because: first.kind, blockers };
  const isOff = observation.defrag.settings?.activedefrag === 'no';
  if (isOff || wasGivenBack(lease, observation)) return { because: 'switched-off' };
  const progress = advance(lease, observation);
  if (isStallSpent(progress, lease.promisedStall)) return { because: 'stall-spent' };
  if (isGoalMet(observation)) return { because: 'goal-met' };
  return hasStoppedMoving(observation, lease, progress) ? { because: 'no-progress' } : undefined;
}

function leasedBlockers({ observation, policy }: Situation, lease: Lease): readonly Blocker[] {
  const { at, commands, cpuSeconds } = lease.progress;
  const blockers = serverBlockers(observation, policy, {
    at,
    own: OTHER_CONNECTION,
    ownDefrag: ownDefragCpu(observation, policy),
    ...(commands !== undefined && { commands }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
  });
  const isUnnoticedFailover =
    observation.replication.role !== lease.role && !blockers.some(({ kind }) => kind === 'failover');
  return isUnnoticedFailover ? [...blockers, { kind: 'failover' }] : blockers;
}

/**
 * What our defrag may have of the main thread: what the server says that it aims at, or what it was allowed, whichever is more. It may have
 * ended between the looks (`active_defrag_running:0`) after most of them, and it may be a human who has raised it.
 */
function ownDefragCpu({ defrag }: Observation, policy: Situation['policy']): Percent {
  const allowed = Number(defrag.settings?.['active-defrag-cycle-max'] ?? policy.defrag.maxCpu);
  return Math.max(defrag.running ?? 0, Number.isFinite(allowed) ? allowed : policy.defrag.maxCpu);
}

function isStallSpent({ worstStall, stallStrikes, looks = 0 }: Progress, promised: Milliseconds): boolean {
  const isLasting = stallStrikes >= STALL_STRIKES && stallStrikes > looks / 2;
  return isLasting || worstStall > promised + Math.max(promised, NOISE);
}

function isGoalMet({ memory }: Observation): boolean {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  if (active === undefined || allocated === undefined) return false;
  return active - allocated <= Math.max(GOAL_FLOOR, GOAL_SHARE * allocated);
}

/** Either the scan goes round without moving anything, or the server has ended it by its own thresholds. */
function hasStoppedMoving(observation: Observation, lease: Lease, progress: Progress): boolean {
  const isStarted = observation.at - lease.acquiredAt >= STARTED_AFTER;
  return progress.idleLooks >= IDLE_LOOKS || (isStarted && observation.defrag.running === 0);
}

/** What a look adds to a lease's progress. */
export function advance(lease: Lease, observation: Observation): Progress {
  const { progress } = lease;
  // A count without its own time measures nothing: what this look did not see is not carried over.
  const { commands: _, cpuSeconds: __, ...lasting } = progress;
  const seen = countersOf(observation);
  const stall = stallSeen(progress, observation);
  const { latency } = observation.defrag;
  return {
    ...lasting,
    ...seen,
    ...(latency && { latencyAt: latency.at, latencyMax: latency.max }),
    worstStall: Math.max(progress.worstStall, stall),
    stallStrikes: progress.stallStrikes + (stall > lease.promisedStall ? 1 : 0),
    looks: (progress.looks ?? 0) + 1,
    idleLooks: isIdle(progress, { ...progress, ...seen }) ? progress.idleLooks + 1 : 0,
  };
}

/** The progress of a lease that begins with this look. */
export function beginning(observation: Observation): Progress {
  const { latency } = observation.defrag;
  return {
    hits: 0,
    misses: 0,
    fragmentation: 0,
    ...countersOf(observation),
    at: observation.at,
    latencyAt: latency?.at ?? 0,
    latencyMax: latency?.max ?? 0,
    worstStall: 0,
    stallStrikes: 0,
    looks: 0,
    idleLooks: 0,
  };
}

function countersOf({ at, defrag, activity, memory }: Observation): Partial<Progress> & { readonly at: number } {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  const { totalCommandsProcessed: commands, cpuSeconds } = activity;
  return {
    at,
    ...(defrag.hits !== undefined && { hits: defrag.hits }),
    ...(defrag.misses !== undefined && { misses: defrag.misses }),
    ...(active !== undefined && allocated !== undefined && { fragmentation: Math.max(0, active - allocated) }),
    ...(commands !== undefined && { commands }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
  };
}

/** The longest cycle that the server has recorded since the last look. Only its own times are compared, never ours with its. */
function stallSeen(progress: Progress, { defrag: { latency } }: Observation): Milliseconds {
  if (!latency) return 0;
  const latest = latency.at > progress.latencyAt ? latency.latest : 0;
  return Math.max(latest, latency.max > progress.latencyMax ? latency.max : 0);
}

/** Counters that went back (CONFIG RESETSTAT) say nothing about progress. */
function isIdle(before: Progress, now: Progress): boolean {
  const hits = now.hits - before.hits;
  const misses = now.misses - before.misses;
  if (hits < 0 || misses < 0 || hits + misses === 0) return false;
  const drop = before.fragmentation - now.fragmentation;
  return hits / (hits + misses) < IDLE_HIT_SHARE && drop < IDLE_DROP_SHARE * before.fragmentation;
}
