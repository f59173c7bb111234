import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { readStageDocument, type StageDocument } from '../actions/stage-document.ts';
import { EMPTY_HISTORY, type NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import { NO_PAUSES, type Pauses } from '../domain/pause.ts';
import { messageText } from '../format/error-text.ts';
import { lastKnownLeases } from '../leases/lease-cache.ts';
import { type Leases, leasesOf } from '../leases/lease-store.ts';
import { type HeldRecord, RECORD_KIND } from '../leases/records.ts';
import type { Log } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, StateUnavailable, unlessUnavailable } from '../ports/state-store.ts';
import { decode, readEach } from '../state/codec.ts';
import { historiesByNode, historyFor } from '../state/history-placement.ts';
import { isLegacyKey, LEASE, leaseKey, NODE, nodeIn, nodeKey, RECORD, runKey } from '../state/keys.ts';
import { HISTORY_KIND, placeHistory } from '../state/node-history.ts';
import { readPauses } from '../state/pauses.ts';

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
  readonly stageDocument: StageDocument | string;
  /**
   * Why nothing may be started on a node: a document of its own, of its instance or of all that cannot be read. What was
   * started is ended all the same.
   */
  obstacle(instance: string, node: string): string | undefined;
  /** By key: what is wrong with each document that cannot be read. */
  readonly unreadable: ReadonlyMap<string, string>;
}

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

/** Five reads for the whole tick, however many nodes there are. @throws {StateUnavailable} where there is no reading at all. */
export async function readState(store: StateStore): Promise<ReadState> {
  const [leases, nodes, kept, pauses, stageDocument] = await Promise.all([
    store.list(LEASE),
    store.list(NODE),
    store.list(RECORD),
    unlessUnavailable(readPauses(store), (why) => why),
    unlessUnavailable(readStageDocument(store), (why) => why),
  ]);
  const unreadable = new Map<string, string>();
  const note = (key: string, why: string) => void unreadable.set(key, why);
  const stored = readEach(
    nodes,
    (key, { value, version }): StoredHistory => {
      return { key, node: nodeIn(key), history: decode(HISTORY_KIND, key, value), version, isLegacy: isLegacyKey(key) };
    },
    note,
  );
  const records = readEach(
    kept,
    (key, { value, version }): HeldRecord => ({ key, record: decode(RECORD_KIND, key, value), version }),
    note,
  );
  const isOf = (node: string) => (key: string) => key.startsWith(NODE) && nodeIn(key) === node;
  const histories = historiesByNode(stored, new Map());
  return {
    ...leasesOf(leases, note),
    unreadable,
    stored,
    records,
    historyOf: (node) => histories.get(node) ?? EMPTY_HISTORY,
    pauses: typeof pauses === 'string' ? NO_PAUSES : pauses,
    stageDocument,
    obstacle: (instance, node) => {
      const broken = [...unreadable.keys()].find(isOf(node));
      const unread = [pauses, stageDocument].find((document) => typeof document === 'string');
      return unreadable.get(leaseKey(instance)) ?? (broken && unreadable.get(broken)) ?? unread;
    },
  };
}

/** The state as a tick finds it. While it cannot be read, nothing is started, and what this process last knew of leases can still end. */
export type Snapshot =
  | ({ readonly kind: 'readable' } & ReadState)
  | { readonly kind: 'unavailable'; readonly why: string; readonly lastKnown: Leases };

/** Whatever keeps the state from being read keeps the job from acting, never from observing and publishing. */
export async function takeSnapshot({ store, log }: Pick<Ports, 'store' | 'log'>): Promise<Snapshot> {
  try {
    return { kind: 'readable', ...(await readState(store)) };
  } catch (error) {
    if (!(error instanceof StateUnavailable)) log.error('unexpected failure of the state store', { error });
    return { kind: 'unavailable', why: messageText(error), lastKnown: lastKnownLeases(store) };
  }
}

/** What is known of the server that answers at a node; nothing while the state cannot be read. */
export function knownOf(snapshot: Snapshot, node: string, observation: Observation): NodeHistory {
  return historyFor(observation, snapshot.kind === 'readable' ? snapshot.historyOf(node) : EMPTY_HISTORY);
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
): Promise<ReadState> {
  const histories = historiesByNode(state.stored, runs);
  const historyOf = (node: string) => histories.get(node) ?? EMPTY_HISTORY;
  const storedByKey = new Map(state.stored.map((one) => [one.key, one.history]));
  const isKept = (node: string, history: NodeHistory) => isDeepStrictEqual(storedByKey.get(nodeKey(node)), history);
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
