import type { Bytes, Milliseconds } from '../config/units.ts';
import type { Learned } from './prediction.ts';
import type { Verdict } from './verdict.ts';

/** What is kept of a node between ticks. Its size is bounded: no list grows with time. */
export interface NodeHistory {
  /** The server process to which `defragSupport`, `purgeSupport` and `notified` belong. */
  readonly runId?: string;
  /** What the server answered to the probe; a property of its build. */
  readonly defragSupport?: 'supported' | 'unsupported';
  /** The server does not know MEMORY PURGE (a managed service, `rename-command`): it is not asked again before its next start. */
  readonly purgeSupport?: 'absent';
  /** Events that are reported once for each run of the server. */
  readonly notified?: readonly string[];
  readonly learned: Learned;
  /** The server restarted during Offpeak's defrag: it gets none on this version for a while. */
  readonly crashed?: { readonly version: string; readonly at: number };
  /** By the names of config/trouble.ts; of whatever version. They belong to the address, which the alerts about them name. */
  readonly troubles?: Readonly<Record<string, TroubleState>>;
  /** By action: `purge`, `defrag`. */
  readonly byAction: Readonly<Record<string, ActionHistory>>;
}

/** A state of the node that lasts, from the first check that has found it. */
export interface TroubleState {
  /** Epoch ms. */
  readonly since: number;
  /** The instance under which it was reported, once it had lasted: the alert is in the outbox. */
  readonly reportedFor?: string;
  /** The first of the checks in a row that have not found it any more (epoch ms). */
  readonly goneSince?: number;
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
  /** What the latest of them returned, for people (`offpeak history`): the newest first, `MOST_RESULTS` at most. */
  readonly results?: readonly ActionResult[];
  /** Consecutive runs that returned too little: each doubles the cooldown. */
  readonly ineffective: number;
}

/** The measured end of one action. */
export interface ActionResult {
  /** Epoch ms. */
  readonly at: number;
  readonly kind: Verdict['kind'];
  readonly rssBefore: Bytes;
  readonly rssAfter: Bytes;
  readonly reclaimed: Bytes;
  readonly predicted: Bytes;
  /** Absent where it was not measured: of a parameter group's run. */
  readonly stall?: Milliseconds;
  readonly promisedStall: Milliseconds;
  /** Of a purge that followed a defrag: its bytes are part of that one's. */
  readonly partOf?: 'defrag';
  /** Of a defrag that a parameter group switched for all of its nodes: the group's name. */
  readonly through?: string;
  /** Of a defrag: how long it was on, and why it ended: a `StopReason`, of whatever version. */
  readonly lasted?: Milliseconds;
  readonly because?: string;
}

export const MOST_RESULTS = 10;

export const EMPTY_HISTORY: NodeHistory = { learned: {}, byAction: {} };

/** The history with something new about one of its actions. */
export function withAction(history: NodeHistory, action: string, change: Partial<ActionHistory>): NodeHistory {
  const known = history.byAction[action] ?? { ineffective: 0 };
  return { ...history, byAction: { ...history.byAction, [action]: { ...known, ...change } } };
}

/** The history with the end of one more action, as its verdict has it. */
export function withResult(
  history: NodeHistory,
  verdict: Verdict,
  at: number,
  more: Pick<ActionResult, 'because' | 'partOf'> = {},
): NodeHistory {
  const { action, kind, rssBefore, rssAfter, reclaimed, predicted, stall, promisedStall, lasted } = verdict;
  return recorded(history, action, {
    ...{ at, kind, rssBefore, rssAfter, reclaimed, predicted, stall, promisedStall },
    ...(lasted !== undefined && { lasted }),
    ...more,
  });
}

/** The history with one more result. A job that finishes another one's work records the same result once. */
export function recorded(history: NodeHistory, action: string, result: ActionResult): NodeHistory {
  const { results = [] } = history.byAction[action] ?? {};
  if (results.some(({ at }) => at === result.at)) return history;
  return withAction(history, action, { results: [result, ...results].slice(0, MOST_RESULTS) });
}

/** Of two histories of one action, each result once. */
export function joinedResults(a: ActionHistory, b: ActionHistory): Pick<ActionHistory, 'results'> {
  const all = [...(a.results ?? []), ...(b.results ?? [])];
  if (all.length === 0) return {};
  const byTime = new Map(all.map((result) => [result.at, result]));
  return { results: [...byTime.values()].toSorted((x, y) => y.at - x.at).slice(0, MOST_RESULTS) };
}
