import { type Bytes, HOUR, type Milliseconds, type Percent, SECOND } from '../../shared/config/units.ts';
import type { Engine } from '../../shared/redis/engine.ts';
import { type Applied, isOwnValue, type Ladder } from './ladder.ts';
import type { Observation, Role, Settings } from './observation.ts';
import type { StopReason } from './plan.ts';
import { type Learned, type Prediction, unexpired } from './predict.ts';
import { inTurns } from './stall.ts';

/**
 * The right to act on one node of an instance, and the memory of how to undo it. Written before the first CONFIG SET, so that any
 * later tick (after a crash, a time-out, a redeploy) can give back what was taken. An instance has at most one that is active.
 */
export interface Lease {
  readonly instance: string;
  readonly node: string;
  readonly status: LeaseStatus;
  readonly phase: LeasePhase;
  /** Another one means that the server restarted, and that its volatile settings are gone. */
  readonly runId: string;
  readonly role: Role;
  /** Where its server was as the lease was taken, and what it was; absent in leases of 0.1. */
  readonly address?: string;
  readonly engine?: Pick<Engine, 'name' | 'version'>;
  /** The invocation that works on it now; nobody else touches it before `busyUntil` (epoch ms). */
  readonly holder: string;
  readonly busyUntil: number;
  readonly acquiredAt: number;
  /** Epoch ms: the window's closing or the end of `maxDuration`, whichever is first. */
  readonly expiresAt: number;
  /** Every setting that was changed: before, and what we set. */
  readonly prior: Settings;
  readonly applied: Settings;
  /** What the pace may make of them during the run; absent in leases of 0.1. */
  readonly ladder?: Ladder;
  /** The share of the main thread, in %, that the run began with; absent in leases of 0.1. */
  readonly cpu?: Percent;
  /** The share of the time in which the machine kept clients waiting for longer than `promisedStall` before the run, 0 to 1. */
  readonly noise?: number;
  /** CONFIG REWRITEs that the server had counted before the start; absent where it does not count them (before Redis 7.0). */
  readonly rewrites?: number;
  /** The defragger is switched off and on again, at another pace: for a moment it is off, and by this job. */
  readonly repacing?: true;
  /** In the phase `closing`: why it was stopped. */
  readonly closing?: StopReason;
  readonly before: { readonly usedMemoryRss: Bytes; readonly allocated: Bytes; readonly fragmentation?: Bytes };
  readonly predicted: Prediction;
  readonly promisedStall: Milliseconds;
  readonly progress: Progress;
}

export type LeaseStatus =
  /** It gives the right to act on its node. */
  | 'active'
  /** Its server could not be reached as itself in time. It keeps no job from acting, and gives back when its server answers again. */
  | 'quarantined';

export type LeasePhase =
  /** Written. Whether the settings were sent, only the server knows: the job may have died in between. */
  | 'taking'
  /** The settings were seen in place. */
  | 'running'
  /** The settings are being given back, or are back and the purge and the verdict are owed. */
  | 'closing'
  /** No settings: held for the length of one MEMORY PURGE. */
  | 'purging';

/** What the latest look saw, to measure the next one against. */
export interface Progress {
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
  readonly fragmentation: Bytes;
  readonly commands?: number;
  /** Of the main thread; leases of older versions lack it. */
  readonly cpuSeconds?: number;
  /** LATENCY LATEST active-defrag-cycle as last seen: what is newer or longer came since. Epoch seconds by the server's clock. */
  readonly latencyAt: number;
  readonly latencyMax: Milliseconds;
  /** The longest cycle of that second so far, by LATENCY HISTORY. */
  readonly latencyLast?: Milliseconds;
  readonly worstStall: Milliseconds;
  /** Looks since the start, those that saw a cycle longer than promised, and those in a row that saw no progress. */
  readonly looks?: number;
  readonly stallStrikes: number;
  readonly idleLooks: number;
  /** The longest cycle of the first seconds. */
  readonly firstCycle?: Milliseconds;
  /** Milliseconds by which cycles were longer than promised, in all. */
  readonly excess?: Milliseconds;
  readonly pace?: Pace;
  /** The counter `scannedKeys` as last seen, and how many times the keys of that time it has gone over since the scan began. */
  readonly scanned?: number;
  readonly scans?: number;
  /** When the scan was begun anew, at another pace (epoch ms). */
  readonly restartedAt?: number;
  /** Since when no value was looked at (epoch ms). */
  readonly stillSince?: number;
  /** Values moved, and values looked at, since the start. */
  readonly moved?: number;
  readonly examined?: number;
  /** Main-thread time, in ms, that the defragger was allowed since the start. */
  readonly work?: Milliseconds;
  /** Where the stretch of work that is under way began: what it gains is held against what the run has gained so far. */
  readonly mark?: {
    readonly moved: number;
    readonly examined: number;
    readonly fragmentation: Bytes;
    readonly work: Milliseconds;
  };
}

/** How gently a run works, and why: see `pace.ts`. */
export interface Pace {
  /** 0: as planned, to `GENTLEST`. */
  readonly level: number;
  /** Milliseconds that cycles may still be longer than promised; below 0 the run becomes gentler. */
  readonly allowance: Milliseconds;
  /** When it has changed last, or was last not calm (epoch ms); and how often it has become gentler: each time it takes longer to recover. */
  readonly changedAt?: number;
  readonly falls: number;
  /** When the gentlest settings overran first, of all looks since (epoch ms). */
  readonly overSince?: number;
}

/** What is known of a node between ticks. Bounded: no list grows with time. */
export interface NodeHistory {
  /** The server process to which `defragSupport` and `notified` belong. */
  readonly runId?: string;
  /** What the server answered to the probe; a property of its build. */
  readonly defragSupport?: 'supported' | 'unsupported';
  /** Events that are reported once for each run of the server. */
  readonly notified?: readonly string[];
  readonly learned: Learned;
  readonly lastPurgeAt?: number;
  /** The outcome of a purge was known, and its alert in the outbox, at this time (epoch ms). */
  readonly purgeKnownAt?: number;
  /** MEMORY PURGE was refused to us (epoch ms). */
  readonly purgeRefusedAt?: number;
  readonly lastDefragAt?: number;
  /** After a guard's stop: nothing is started before this (epoch ms). */
  readonly restUntil?: number;
  /** The server restarted while our defrag was on: not again on this version for a while. */
  readonly crashed?: { readonly version: string; readonly at: number };
  /** Cures in a row that returned too little: each doubles the cooldown. */
  readonly ineffective: { readonly purge: number; readonly defrag: number };
}

export const EMPTY_HISTORY: NodeHistory = { learned: {}, ineffective: { purge: 0, defrag: 0 } };

/** Every setting of the lease stands as we set it. Where CONFIG GET is refused, nobody can tell: then it is taken for ours. */
export function isInPlace(lease: Applied, { defrag }: Observation): boolean {
  const { settings } = defrag;
  return settings === undefined || Object.keys(lease.applied).every((name) => isOwnValue(lease, name, settings[name]));
}

/**
 * Whether the settings of a lease whose job died were sent. One of them besides the switch says so, whatever a human has changed since;
 * the switch alone may be a human's own. Where CONFIG SET takes one setting at a time, it has to be one of those that are sent after
 * the switch; or else all that are sent before it stand, and the job died in between.
 */
export function wasTaken(lease: Applied & Pick<Lease, 'prior'>, observation: Observation): boolean {
  if (isInPlace(lease, observation)) return true;
  const { settings } = observation.defrag;
  const isOurs = ([name]: [string, string]) =>
    isOwnValue(lease, name, settings?.[name]) && lease.prior[name] !== settings?.[name];
  const { prepared, switched } = inTurns(lease.applied);
  const { activedefrag, ...proof } = switched;
  if (Object.entries(proof).some(isOurs)) return true;
  if (observation.engine.atomicConfigSet) return Object.entries(prepared).some(isOurs);
  return settings?.activedefrag === activedefrag && Object.entries(prepared).every(isOurs);
}

/**
 * Whether everything was given back already, by a job that died before it could drop its lease, or could not write to the store: no
 * setting of ours is left then, and a switch that is on again is somebody else's.
 */
export function wasGivenBack(lease: Applied & Pick<Lease, 'prior' | 'phase'>, observation: Observation): boolean {
  return lease.phase !== 'taking' && !wasTaken(lease, observation);
}

/** How long a lease stands beyond its end, in case its server comes back. */
const STANDS_BEYOND: Milliseconds = 24 * HOUR;

export function isOverdue({ expiresAt }: Pick<Lease, 'expiresAt'>, now: number): boolean {
  return now > expiresAt + STANDS_BEYOND;
}

export type Identity = 'same' | 'restarted' | 'another';

/**
 * Whether the server that answers is the one that the lease is on. Another `run_id` alone does not say that it restarted: behind a
 * name, a virtual address or a balancer another server may answer, and the first one still has our settings. A restarted
 * process is younger than the lease.
 */
export function identify(lease: Pick<Lease, 'runId' | 'acquiredAt'>, { runId, uptime, at }: Observation): Identity {
  if (runId === undefined || runId === lease.runId) return 'same';
  // INFO's uptime is the difference of two whole seconds: up to one more than it is.
  return uptime !== undefined && uptime - SECOND < at - lease.acquiredAt ? 'restarted' : 'another';
}

/**
 * What counts of a node's history for the server that answers now: what was learned about a process ends with it; what was learned about
 * the node stays, until it is old or the version is another.
 */
export function historyFor(
  { runId, at, engine }: Pick<Observation, 'runId' | 'at' | 'engine'>,
  memory: NodeHistory,
): NodeHistory {
  const learned = unexpired(memory.learned, { at, version: engine.version });
  if (memory.runId === runId) return { ...memory, learned };
  const { runId: _, defragSupport: __, notified: ___, ...lasting } = memory;
  return { ...lasting, learned, ...(runId !== undefined && { runId }) };
}
