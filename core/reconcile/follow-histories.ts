import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { EMPTY_HISTORY, type NodeHistory } from '../domain/node-history.ts';
import { present } from '../domain/present.ts';
import { type HeldRecord, RECORD_KIND } from '../leases/records.ts';
import type { Log } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, unlessUnavailable } from '../ports/state-store.ts';
import { decode, encode, readEach } from '../state/codec.ts';
import { historiesByNode } from '../state/history-placement.ts';
import { historyKey, RUN, recordKey, runKey } from '../state/keys.ts';
import { HISTORY_KIND, placeHistory } from '../state/node-history.ts';
import { noteRun, RUN_KIND } from '../state/runs.ts';
import { historiesIn, keysOf, type ReadState, recordsIn, type StoredHistory } from './snapshot.ts';

/** Side by side. */
const MOVES_AT_ONCE = 16;

type Runs = ReadonlyMap<string, string>;

interface Options {
  /** Whether what has moved is stored. Where it cannot be, nothing is started on that node. */
  readonly isKept: boolean;
}

/** What goes to the address at which its server answers now. */
interface Move {
  readonly node: string;
  readonly history?: NodeHistory;
  /** From an address that the tick does not read: the next one would not find it. */
  readonly record?: HeldRecord;
}

/** The same state for the servers that answer now (`run_id` by address): histories and records have followed their servers. */
export async function followServers(
  before: ReadState,
  runs: Runs,
  ports: Pick<Ports, 'store' | 'log' | 'newcomers'>,
  { isKept: keeps }: Options,
): Promise<ReadState> {
  const { store, log } = ports;
  const state = await withElsewhere(before, runs, ports);
  const histories = historiesByNode(state.stored, runs);
  const followed = { ...state, historyOf: (node: string) => histories.get(node) ?? EMPTY_HISTORY };
  const moves = keeps ? movesOf(before, state, histories, runs) : [];
  if (moves.length === 0) return followed;
  const { failed, records } = await placed(state, store, moves, log);
  return {
    ...followed,
    records,
    obstacle: (instance, node) => failed.get(node) ?? state.obstacle(instance, node),
  };
}

function movesOf(
  before: ReadState,
  state: ReadState,
  histories: ReadonlyMap<string, NodeHistory>,
  runs: Runs,
): readonly Move[] {
  const storedByKey = new Map(state.stored.map((one) => [one.key, one.history]));
  const taken = new Set(state.records.map(({ key }) => key));
  const elsewhere = new Map(
    state.records.flatMap((one) => (before.records.includes(one) ? [] : [[one.record.runId, one]])),
  );
  return [...runs].flatMap(([node, runId]) => {
    const known = histories.get(node);
    const history = isDeepStrictEqual(storedByKey.get(historyKey(node)), known) ? undefined : known;
    const record = taken.has(recordKey(node)) ? undefined : elsewhere.get(runId);
    return history || record ? [{ node, ...present({ history, record }) }] : [];
  });
}

/** Why each of those could not be stored that could not, and the records where they are now. A store that fails once is not asked for the others. */
async function placed(state: ReadState, store: StateStore, moves: readonly Move[], log: Log) {
  const failed = new Map<string, string>();
  const records = new Map(state.records.map((one) => [one.key, one]));
  await pLimit(MOVES_AT_ONCE).map(moves, async ({ node, history, record }) => {
    const [broken] = failed.values();
    const why = broken ?? (record && (await placeRecord(store, node, record, records)));
    const last = why ?? (history && (await place(state, store, node, history)));
    if (last !== undefined) failed.set(node, last);
  });
  for (const [node, error] of failed) log.warn('history not moved with its server', { node, error });
  return { failed, records: [...records.values()] };
}

/** Before its history: with that, its process leads to this address. */
async function placeRecord(
  store: StateStore,
  node: string,
  { key: before, record }: HeldRecord,
  records: Map<string, HeldRecord>,
): Promise<string | undefined> {
  const key = recordKey(node);
  const here = { ...record, node };
  const written = await unlessUnavailable(store.write(key, encode(RECORD_KIND, here), undefined), (why) => why);
  if (typeof written === 'string') return written;
  if (!written.stored) return `another job has changed the document ${key} at the same moment`;
  records.delete(before);
  records.set(key, { key, record: here, version: written.version });
  return undefined;
}

/** What is stored of another process at this address is kept for when that one answers again. */
async function place(
  { stored }: ReadState,
  store: StateStore,
  node: string,
  history: NodeHistory,
): Promise<string | undefined> {
  const here = stored.find(({ key }) => key === historyKey(node));
  const displaced = here?.history.runId;
  if (here && displaced !== undefined && displaced !== history.runId) {
    const key = runKey(displaced);
    const isElsewhere = stored.some((one) => one !== here && one.key !== key && one.history.runId === displaced);
    const parked = () => noteRun(store, displaced, node, encode(HISTORY_KIND, here.history));
    const isStored = isElsewhere || (await unlessUnavailable(parked(), (why) => why));
    if (typeof isStored === 'string') return isStored;
    if (!isStored) return `another job has changed the document ${key} at the same moment`;
  }
  return await placeHistory(store, node, history, here?.version);
}

/**
 * With what is stored of these servers elsewhere: under an address that the config does not name any more, or by their `run_id` alone. Most
 * servers have nothing elsewhere, and are asked for once by each process of the job (`newcomers`).
 */
async function withElsewhere(
  state: ReadState,
  runs: Runs,
  { store, newcomers = new Map() }: Pick<Ports, 'store' | 'newcomers'>,
): Promise<ReadState> {
  const known = new Set(state.stored.map(({ history }) => history.runId));
  const asked = [...runs].filter(([node, runId]) => !known.has(runId) && newcomers.get(node) !== runId);
  if (asked.length === 0) return state;
  const found = await unlessUnavailable(
    documentsOf(state, store, [...new Set(asked.map(([, runId]) => runId))]),
    String,
  );
  if (typeof found === 'string') {
    const nodes = new Set(asked.map(([node]) => node));
    return { ...state, obstacle: (instance, node) => (nodes.has(node) ? found : state.obstacle(instance, node)) };
  }
  const answering = Map.groupBy(runs.values(), (runId) => runId);
  for (const [node, runId] of asked) {
    // A server that answers under two names gets its history under one of them.
    if (!found.runs.has(runId) && answering.get(runId)?.length === 1) newcomers.set(node, runId);
  }
  return {
    ...state,
    stored: [...state.stored, ...found.stored],
    records: [...state.records, ...found.records],
  };
}

async function documentsOf(state: ReadState, store: StateStore, runIds: readonly string[]) {
  const unread = () => {};
  const documents = await store.readAll(runIds.map(runKey));
  const runs = readEach(
    documents,
    (key, { value, version }) => ({ key, ...decode(RUN_KIND, key, value), version }),
    unread,
  );
  const parked = readEach(
    documents,
    (key, { value, version }): StoredHistory[] => {
      const { history } = decode(RUN_KIND, key, value);
      const node = `~${key.slice(RUN.length)}`;
      return history ? [{ key, node, history: decode(HISTORY_KIND, key, history), version, isLegacy: false }] : [];
    },
    unread,
  ).flat();
  const here = new Set(state.stored.map(({ key }) => key));
  const elsewhere = keysOf(runs.map(({ node }) => node)).filter((key) => !here.has(key));
  const theirs = elsewhere.length === 0 ? new Map() : await store.readAll(elsewhere);
  return {
    runs: new Set(runs.map(({ key }) => key.slice(RUN.length))),
    stored: [...parked, ...historiesIn(theirs, unread)],
    records: recordsIn(theirs, unread).filter(({ key }) => !state.records.some((one) => one.key === key)),
  };
}
