import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Engine } from './engine.ts';
import type { Role, Settings } from './observation.ts';
import type { StopReason } from './plan.ts';
import type { Prediction } from './prediction.ts';

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

/** The settings that the pace changes, with their values at each step. */
export type Ladder = Readonly<Record<string, readonly string[]>>;

/** What a lease has set: the settings that it began with, and what the pace may have made of them since. */
export interface Applied {
  readonly applied: Settings;
  readonly ladder?: Ladder;
}
