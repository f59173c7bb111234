import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { HOUR, type Milliseconds } from '../shared/config/units.ts';
import { type StateStore, StateUnavailable } from '../shared/state/store.ts';
import { BRAKES, BRAKES_KIND, type BrakesDocument, readBrakes } from './brakes.ts';
import { EMPTY_HISTORY, type NodeHistory } from './decide/lease.ts';
import { historiesByNode } from './decide/placement.ts';
import { unlessUnreadable } from './document.ts';
import { isQuarantinedDocument, LEASE, LEASE_KIND, type Leases, leaseKey, leasesOf } from './leases.ts';
import { HISTORY_KIND, historyIn, isLegacyKey, NODE, nodeIn, nodeKey, placeHistory, runKey } from './memories.ts';
import { OUTBOX, OUTBOX_LIFETIME } from './outbox.ts';
import { ENTRY_KIND } from './outbox-entries.ts';
import { LONGEST_PAUSE, NO_PAUSES, PAUSE, PAUSE_KIND, type Pauses, readPauses } from './pauses.ts';
import type { Log } from './ports.ts';
import { type HeldRecord, RECORD, RECORD_KIND, RECORD_LIFETIME, recordIn } from './records.ts';

/**
 * The job's documents in the store: leases, the records that they leave behind, a history of each node, pauses, and the outbox
 * (`outbox.ts`). What cannot be read as one of them is an error, never a guess.
 */
export interface State extends Leases {
  /** Nothing, where nothing is stored or what is stored cannot be read: see `obstacle`. */
  historyOf(node: string): NodeHistory;
  /** What the last leases on each address have set. */
  readonly records: readonly HeldRecord[];
  readonly pauses: Pauses;
  /** Why it cannot be read, where it cannot. */
  readonly brakes: BrakesDocument | string;
  /**
   * Why nothing may be started on a node: a document of its own, of its instance or of all that cannot be read. What was
   * started is given back all the same.
   */
  obstacle(instance: string, node: string): string | undefined;
  /** By key: what is wrong with each document that cannot be read. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Every kind of stored document. */
export const DOCUMENT_KINDS = {
  lease: LEASE_KIND,
  history: HISTORY_KIND,
  record: RECORD_KIND,
  pause: PAUSE_KIND,
  brakes: BRAKES_KIND,
  outbox: ENTRY_KIND,
} as const;

/** A node that was renamed or taken away; one that is visited has news in this time, or loses no more than what it learned. */
const HISTORY_LIFETIME: Milliseconds = 90 * 24 * HOUR;
/** A day more than a pause can last, for clocks that differ. */
const PAUSE_LIFETIME: Milliseconds = LONGEST_PAUSE + 24 * HOUR;

/** Longer than what is in it counts. */
const BRAKES_LIFETIME: Milliseconds = 48 * HOUR;

/** A server that nobody has met as itself for so long has restarted, or is no more. */
const QUARANTINE_LIFETIME: Milliseconds = 90 * 24 * HOUR;

interface StoredHistory {
  readonly key: string;
  readonly isLegacy: boolean;
  readonly node: string;
  readonly history: NodeHistory;
  readonly version: number;
}

export interface ReadState extends State {
  readonly stored: readonly StoredHistory[];
}

/** How long after its last write a document may be needed; undefined: for ever. A lease holds what restores a server. */
export function lifetimeOf(key: string, document: unknown): Milliseconds | undefined {
  if (isQuarantinedDocument(key, document)) return QUARANTINE_LIFETIME;
  if (key.startsWith(PAUSE)) return PAUSE_LIFETIME;
  if (key === BRAKES) return BRAKES_LIFETIME;
  if (key.startsWith(OUTBOX)) return OUTBOX_LIFETIME;
  if (key.startsWith(RECORD)) return RECORD_LIFETIME;
  return key.startsWith(NODE) ? HISTORY_LIFETIME : undefined;
}

/** Five reads for the whole tick, however many nodes there are. @throws {StateUnavailable} where there is no reading at all. */
export async function readState(store: StateStore): Promise<ReadState> {
  const [leases, nodes, kept, pauses, brakes] = await Promise.all([
    store.list(LEASE),
    store.list(NODE),
    store.list(RECORD),
    readable(readPauses(store)),
    readable(readBrakes(store)),
  ]);
  const unreadable = new Map<string, string>();
  const note = (key: string, why: string) => void unreadable.set(key, why);
  const stored = [...nodes].flatMap(([key, { value, version }]): StoredHistory[] => {
    const history = unlessUnreadable(key, note, () => historyIn(key, value));
    return history ? [{ key, node: nodeIn(key), history, version, isLegacy: isLegacyKey(key) }] : [];
  });
  const records = [...kept].flatMap(([key, { value, version }]): HeldRecord[] => {
    const record = unlessUnreadable(key, note, () => recordIn(key, value));
    return record ? [{ key, record, version }] : [];
  });
  const isOf = (node: string) => (key: string) => key.startsWith(NODE) && nodeIn(key) === node;
  const histories = historiesByNode(stored, new Map());
  return {
    ...leasesOf(leases, note),
    unreadable,
    stored,
    records,
    historyOf: (node) => histories.get(node) ?? EMPTY_HISTORY,
    pauses: typeof pauses === 'string' ? NO_PAUSES : pauses,
    brakes,
    obstacle: (instance, node) => {
      const broken = [...unreadable.keys()].find(isOf(node));
      const unread = [pauses, brakes].find((document) => typeof document === 'string');
      return unreadable.get(leaseKey(instance)) ?? (broken && unreadable.get(broken)) ?? unread;
    },
  };
}

/** Side by side. */
const MOVES_AT_ONCE = 16;

/**
 * The same state for the servers that answer now (`run_id` by address): histories have followed their servers. With `store` this is
 * kept; where it cannot be, nothing is started on that node. A store that fails once is not asked for the others.
 */
export async function followServers(
  state: ReadState,
  runs: ReadonlyMap<string, string>,
  { store, log }: { readonly store?: StateStore; readonly log: Log },
): Promise<State> {
  const histories = historiesByNode(state.stored, runs);
  const historyOf = (node: string) => histories.get(node) ?? EMPTY_HISTORY;
  const isKept = (node: string, history: NodeHistory) =>
    state.stored.some((one) => one.key === nodeKey(node) && isDeepStrictEqual(one.history, history));
  const moved = [...histories].filter(([node, history]) => runs.has(node) && !isKept(node, history));
  if (moved.length === 0 || !store) return { ...state, historyOf };
  const failed = new Map<string, string>();
  const limit = pLimit(MOVES_AT_ONCE);
  await limit.map(moved, async ([node, history]) => {
    const [broken] = failed.values();
    const why = broken ?? (await place(state, store, node, history));
    if (why !== undefined) failed.set(node, why);
  });
  for (const [node, error] of failed) log.warn('history not moved with its server', { node, error });
  return { ...state, historyOf, obstacle: (instance, node) => failed.get(node) ?? state.obstacle(instance, node) };
}

/** What is stored of another process at this address is kept for when that one answers again. */
async function place(
  { stored }: ReadState,
  store: StateStore,
  node: string,
  history: NodeHistory,
): Promise<string | undefined> {
  const here = stored.find(({ key }) => key === nodeKey(node));
  const displaced = here?.history.runId;
  if (here && displaced !== undefined && displaced !== history.runId) {
    const key = runKey(displaced);
    const isElsewhere = stored.some((one) => one !== here && one.key !== key && one.history.runId === displaced);
    const version = stored.find((one) => one.key === key)?.version;
    const why = isElsewhere ? undefined : await placeHistory(store, key, here.history, version);
    if (why !== undefined) return why;
  }
  return await placeHistory(store, nodeKey(node), history, here?.version);
}

async function readable<T>(document: Promise<T>): Promise<T | string> {
  try {
    return await document;
  } catch (error) {
    if (error instanceof StateUnavailable) return error.message;
    throw error;
  }
}
