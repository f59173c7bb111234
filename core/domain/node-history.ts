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
  /** The server restarted during Offpeak's defrag: it gets none on this version for a while. */
  readonly crashed?: { readonly version: string; readonly at: number };
  /** By action: `purge`, `defrag`. */
  readonly byAction: Readonly<Record<string, ActionHistory>>;
}

/** What is kept of one action on a node. */
export interface ActionHistory {
  /** The last time that it was carried out, or tried (epoch ms). */
  readonly lastAt?: number;
  /** The outcome was known, and its alert in the outbox, at this time (epoch ms). */
  readonly knownAt?: number;
  /** The server refused it (epoch ms). */
  readonly refusedAt?: number;
  /** After a guard's stop: it does not start before this (epoch ms). */
  readonly restUntil?: number;
  /** Consecutive runs that returned too little: each doubles the cooldown. */
  readonly ineffective: number;
}

export const EMPTY_HISTORY: NodeHistory = { learned: {}, byAction: {} };

/** The history with something new about one of its actions. */
export function withAction(history: NodeHistory, action: string, change: Partial<ActionHistory>): NodeHistory {
  const known = history.byAction[action] ?? { ineffective: 0 };
  return { ...history, byAction: { ...history.byAction, [action]: { ...known, ...change } } };
}
