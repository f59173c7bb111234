import { readStageDocument, type StageDocument } from '../actions/stage-document.ts';
import { nodesOf } from '../config/fleet.ts';
import type { Config, InstanceConfig } from '../config/schema.ts';
import { EMPTY_HISTORY, type NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import { NO_PAUSES, type Pauses } from '../domain/pause.ts';
import { messageText } from '../format/error-text.ts';
import { lastKnownLeases } from '../leases/lease-cache.ts';
import { allHeld, type Leases, leasesOf } from '../leases/lease-store.ts';
import { type HeldRecord, RECORD_KIND } from '../leases/records.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, StateUnavailable, type Stored, unlessUnavailable } from '../ports/state-store.ts';
import { decode, readEach } from '../state/codec.ts';
import { historiesByNode, historyFor } from '../state/history-placement.ts';
import {
  HISTORY,
  historyKey,
  LEASE,
  LEGACY_HISTORY,
  leaseKey,
  legacyNodeIn,
  RECORD,
  recordKey,
} from '../state/keys.ts';
import { HISTORY_KIND } from '../state/node-history.ts';
import { readPauses } from '../state/pauses.ts';
import { inScope, type Scope } from './scope.ts';

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

export interface StoredHistory {
  readonly key: string;
  readonly isLegacy: boolean;
  readonly node: string;
  readonly history: NodeHistory;
  readonly version: number;
}

export interface ReadState extends State {
  readonly stored: readonly StoredHistory[];
}

type Note = (key: string, why: string) => void;

/** A name has 260 characters at most; a lease of 0.1.0 may hold any text, and keys have a limit. */
const LONGEST_ADDRESS = 300;

/**
 * What is stored of these nodes, and the documents of the stage: leases, pauses and its limits. The leases are all of the stage: there are
 * few, the stage's limits count them, and one may stand on a node that the config no longer names.
 * @throws {StateUnavailable} where there is no reading at all.
 */
export async function readState(store: StateStore, nodes: readonly string[]): Promise<ReadState> {
  const [leases, own, legacy, pauses, stageDocument] = await Promise.all([
    store.list(LEASE),
    store.readAll(keysOf(nodes)),
    // There are fewer from month to month.
    store.list(LEGACY_HISTORY),
    unlessUnavailable(readPauses(store), (why) => why),
    unlessUnavailable(readStageDocument(store), (why) => why),
  ]);
  const unreadable = new Map<string, string>();
  const note: Note = (key, why) => void unreadable.set(key, why);
  const held = leasesOf(leases, note);
  const named = new Set(nodes);
  const others = allHeld(held).flatMap(({ lease: { node } }) => (named.has(node) ? [] : [node]));
  const documents = [...own, ...(others.length === 0 ? [] : await store.readAll(keysOf(others))), ...legacy];
  const stored = historiesIn(documents, note);
  const histories = historiesByNode(stored, new Map());
  const brokenNodes = new Map([...unreadable].flatMap(([key, why]) => brokenIn(key).map((node) => [node, why])));
  return {
    ...held,
    unreadable,
    stored,
    records: recordsIn(documents, note),
    historyOf: (node) => histories.get(node) ?? EMPTY_HISTORY,
    pauses: typeof pauses === 'string' ? NO_PAUSES : pauses,
    stageDocument,
    obstacle: (instance, node) => {
      const unread = [pauses, stageDocument].find((document) => typeof document === 'string');
      return unreadable.get(leaseKey(instance)) ?? brokenNodes.get(node) ?? unread;
    },
  };
}

/** Those of the documents of an address. */
export function keysOf(nodes: readonly string[]): readonly string[] {
  return nodes.filter(({ length }) => length <= LONGEST_ADDRESS).flatMap((node) => [historyKey(node), recordKey(node)]);
}

type Documents = Iterable<readonly [key: string, stored: Stored]>;

export function historiesIn(documents: Documents, note: Note): readonly StoredHistory[] {
  const ofHistories = [...documents].filter(([key]) => !key.startsWith(RECORD));
  return readEach(
    ofHistories,
    (key, { value, version }): StoredHistory => {
      const isLegacy = key.startsWith(LEGACY_HISTORY);
      const node = isLegacy ? legacyNodeIn(key) : key.slice(HISTORY.length);
      return { key, node, history: decode(HISTORY_KIND, key, value), version, isLegacy };
    },
    note,
  );
}

export function recordsIn(documents: Documents, note: Note): readonly HeldRecord[] {
  const ofRecords = [...documents].filter(([key]) => key.startsWith(RECORD));
  return readEach(
    ofRecords,
    (key, { value, version }): HeldRecord => ({ key, record: decode(RECORD_KIND, key, value), version }),
    note,
  );
}

/** The node whose history this is. */
function brokenIn(key: string): readonly string[] {
  if (key.startsWith(HISTORY)) return [key.slice(HISTORY.length)];
  return key.startsWith(LEGACY_HISTORY) ? [legacyNodeIn(key)] : [];
}

/**
 * The nodes of the instances that a tick of this scope is about, and of the groups of which these are shards: what happened to a node counts
 * for its peers.
 */
export function nodesAround({ instances }: Pick<Config, 'instances'>, scope: Scope): readonly string[] {
  const groupOf = ({ id, found }: InstanceConfig) => found?.group ?? id;
  const chosen = instances.filter(
    (instance) =>
      inScope(
        instance.nodes.map((node) => ({ instance, node })),
        scope,
      ).length > 0,
  );
  const groups = new Set(chosen.map(groupOf));
  return nodesOf({ instances: instances.filter((instance) => groups.has(groupOf(instance))) });
}

/** The state as a tick finds it. While it cannot be read, nothing is started, and what this process last knew of leases can still end. */
export type Snapshot =
  | ({ readonly kind: 'readable' } & ReadState)
  | { readonly kind: 'unavailable'; readonly why: string; readonly lastKnown: Leases };

/** Whatever keeps the state from being read keeps the job from acting, never from observing and publishing. */
export async function takeSnapshot(
  { store, log }: Pick<Ports, 'store' | 'log'>,
  nodes: readonly string[],
): Promise<Snapshot> {
  try {
    return { kind: 'readable', ...(await readState(store, nodes)) };
  } catch (error) {
    if (!(error instanceof StateUnavailable)) log.error('unexpected failure of the state store', { error });
    return { kind: 'unavailable', why: messageText(error), lastKnown: lastKnownLeases(store) };
  }
}

/** What is known of the server that answers at a node; nothing while the state cannot be read. */
export function knownOf(snapshot: Snapshot, node: string, observation: Observation): NodeHistory {
  return historyFor(observation, snapshot.kind === 'readable' ? snapshot.historyOf(node) : EMPTY_HISTORY);
}
