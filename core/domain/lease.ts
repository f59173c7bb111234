import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Engine } from './engine.ts';
import type { Settings } from './observation.ts';
import type { StopReason } from './plan.ts';
import type { Prediction } from './prediction.ts';
import type { Role } from './replication.ts';

/**
 * The right to act on one node of an instance, and the record of how to undo it. It is written before the first CONFIG SET, so that any
 * later tick (after a crash, a time-out, a redeploy) can restore the settings. An instance has at most one active lease.
 */
export interface Lease {
  readonly instance: string;
  readonly node: string;
  readonly status: LeaseStatus;
  readonly phase: LeasePhase;
  /** Another one means that the server restarted, and that its volatile settings are gone. */
  readonly runId: string;
  readonly role: Role;
  /** The address and the engine of its server when the lease was taken; absent in leases of 0.1. */
  readonly address?: string;
  /** The node is reached over TLS: where a discovery no longer names it, nothing else says so. */
  readonly tls?: true;
  readonly engine?: Pick<Engine, 'name' | 'version'>;
  /** The invocation that works on it now; no other job touches it before `busyUntil` (epoch ms). */
  readonly holder: string;
  readonly busyUntil: number;
  readonly acquiredAt: number;
  /** Epoch ms: the window's closing or the end of `maxDuration`, whichever is first. */
  readonly expiresAt: number;
  /** Every setting that was changed: its value before, and the value that Offpeak set. */
  readonly prior: Settings;
  readonly applied: Settings;
  /** The values that the pace may set during the run; absent in leases of 0.1. */
  readonly ladder?: Ladder;
  /** The share of the main thread, in %, that the run began with; absent in leases of 0.1. */
  readonly cpu?: Percent;
  /** The share of the time in which the machine kept clients waiting for longer than `promisedStall` before the run, 0 to 1. */
  readonly noise?: number;
  /** CONFIG REWRITEs that the server had counted before the start; absent where it does not count them (before Redis 7.0). */
  readonly rewrites?: number;
  /** This job is switching the defragger off and on again, at another pace: for a moment it is off. */
  readonly repacing?: true;
  /** A person has started it outside of the windows: their end does not end it, `expiresAt` does. */
  readonly byHand?: true;
  /** In the phase `closing`: why it was stopped. */
  readonly closing?: StopReason;
  readonly before: { readonly usedMemoryRss: Bytes; readonly allocated: Bytes; readonly fragmentation?: Bytes };
  readonly predicted: Prediction;
  readonly promisedStall: Milliseconds;
  readonly progress: Progress;
}

type LeaseStatus =
  /** It is the right to act on its node. */
  | 'active'
  /** Its server could not be found in time. It blocks no other action, and its settings are restored when the server answers again. */
  | 'quarantined';

export type LeasePhase =
  /** Written. Only the server knows whether the settings were sent: the job may have died in between. */
  | 'taking'
  /** An observation showed the settings. */
  | 'running'
  /** The settings are being restored, or are restored, and the purge and the verdict are still to do. */
  | 'closing'
  /** Without settings: held for the length of one MEMORY PURGE. */
  | 'purging';

/** The latest observation, with which the next one is compared. */
export interface Progress {
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
  readonly fragmentation: Bytes;
  readonly commands?: number;
  /** Of the main thread; leases of older versions lack it. */
  readonly cpuSeconds?: number;
  /** LATENCY LATEST active-defrag-cycle at that time: a newer or longer one is a new event. Epoch seconds by the server's clock. */
  readonly latencyAt: number;
  readonly latencyMax: Milliseconds;
  /** The longest cycle of that second so far, by LATENCY HISTORY. */
  readonly latencyLast?: Milliseconds;
  readonly worstStall: Milliseconds;
  /** Checks since the start; those with a cycle longer than promised; consecutive ones without progress. */
  readonly looks?: number;
  readonly stallStrikes: number;
  readonly idleLooks: number;
  /** The longest cycle of the first seconds. */
  readonly firstCycle?: Milliseconds;
  /** Milliseconds by which cycles were longer than promised, in all. */
  readonly excess?: Milliseconds;
  readonly pace?: Pace;
  /** The counter `scannedKeys` at that time, and how many times it has gone over all keys since the scan began. */
  readonly scanned?: number;
  readonly scans?: number;
  /** When the scan began anew, at another pace (epoch ms). */
  readonly restartedAt?: number;
  /** Since when the defragger has examined no value (epoch ms). */
  readonly stillSince?: number;
  /** Values moved, and values examined, since the start. */
  readonly moved?: number;
  readonly examined?: number;
  /** Main-thread time, in ms, that the defragger was allowed since the start. */
  readonly work?: Milliseconds;
  /** The start of the current stretch of work: its gain is compared with the gain of the whole run. */
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
  /** Milliseconds by which cycles may still be longer than promised; below 0 the run becomes gentler. */
  readonly allowance: Milliseconds;
  /** When it last changed or was last not calm (epoch ms); how often it became gentler: each time it takes longer to recover. */
  readonly changedAt?: number;
  readonly falls: number;
  /** Since when the gentlest settings have overrun at every check (epoch ms). */
  readonly overSince?: number;
}

/** The settings that the pace changes, with their values at each step. */
export type Ladder = Readonly<Record<string, readonly string[]>>;

/** What a lease has set: the settings that it began with, and those that the pace may have set since. */
export interface Applied {
  readonly applied: Settings;
  readonly ladder?: Ladder;
}
