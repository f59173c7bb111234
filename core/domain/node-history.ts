import type { Learned } from './prediction.ts';

/** What is kept of a node between ticks. Its size is bounded: no list grows with time. */
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
  /** The server refused MEMORY PURGE (epoch ms). */
  readonly purgeRefusedAt?: number;
  readonly lastDefragAt?: number;
  /** After a guard's stop: nothing starts before this (epoch ms). */
  readonly restUntil?: number;
  /** The server restarted during Offpeak's defrag: it gets none on this version for a while. */
  readonly crashed?: { readonly version: string; readonly at: number };
  /** Consecutive actions that returned too little: each doubles the cooldown. */
  readonly ineffective: { readonly purge: number; readonly defrag: number };
}

export const EMPTY_HISTORY: NodeHistory = { learned: {}, ineffective: { purge: 0, defrag: 0 } };
