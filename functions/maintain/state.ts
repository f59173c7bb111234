import { HOUR, type Milliseconds } from '../shared/config/units.ts';
import { type StateStore, StateUnavailable } from '../shared/state/store.ts';
import { BRAKES, type BrakesDocument, readBrakes } from './brakes.ts';
import { NOTHING_REMEMBERED, type NodeMemory } from './decide/lease.ts';
import { isAside, LEASE, type Leases, leaseKey, leasesOf, orTold } from './leases.ts';
import { memoryIn, NODE, nodeKey } from './memories.ts';
import { OUTBOX, OUTBOX_LIFETIME } from './outbox.ts';
import { LONGEST_PAUSE, NO_PAUSES, PAUSE, type Pauses, readPauses } from './pauses.ts';

/**
 * The job's documents in the store: leases, a memory of each node, pauses, and the outbox (`outbox.ts`). What cannot be read as one
 * of them is an error, never a guess.
 */
export interface State extends Leases {
  /** Nothing, where nothing is stored or what is stored cannot be read: see `obstacle`. */
  memoryOf(instance: string, node: string): NodeMemory;
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

/** A node that was renamed or taken away; one that is visited has news in this time, or loses no more than what it learned. */
const MEMORY_LIFETIME: Milliseconds = 90 * 24 * HOUR;
/** A day more than a pause can last, for clocks that differ. */
const PAUSE_LIFETIME: Milliseconds = LONGEST_PAUSE + 24 * HOUR;

/** Longer than what is in it counts. */
const BRAKES_LIFETIME: Milliseconds = 48 * HOUR;

/** A server that nobody has met as itself for so long has restarted, or is no more. */
const ASIDE_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/** How long after its last write a document may be needed; undefined: for ever. A lease holds what restores a server. */
export function lifetimeOf(key: string): Milliseconds | undefined {
  if (isAside({ key })) return ASIDE_LIFETIME;
  if (key.startsWith(PAUSE)) return PAUSE_LIFETIME;
  if (key === BRAKES) return BRAKES_LIFETIME;
  if (key.startsWith(OUTBOX)) return OUTBOX_LIFETIME;
  return key.startsWith(NODE) ? MEMORY_LIFETIME : undefined;
}

/** Four reads for the whole tick, however many nodes there are. @throws {StateUnavailable} where there is no reading at all. */
export async function readState(store: StateStore): Promise<State> {
  const [leases, nodes, pauses, brakes] = await Promise.all([
    store.list(LEASE),
    store.list(NODE),
    readable(readPauses(store)),
    readable(readBrakes(store)),
  ]);
  const unreadable = new Map<string, string>();
  const note = (key: string, why: string) => void unreadable.set(key, why);
  const memories = new Map<string, NodeMemory>();
  for (const [key, { value }] of nodes) {
    const memory = orTold(key, note, () => memoryIn(key, value));
    if (memory) memories.set(key, memory);
  }
  return {
    ...leasesOf(leases, note),
    unreadable,
    memoryOf: (instance, node) => memories.get(nodeKey(instance, node)) ?? NOTHING_REMEMBERED,
    pauses: typeof pauses === 'string' ? NO_PAUSES : pauses,
    brakes,
    obstacle: (instance, node) =>
      unreadable.get(leaseKey(instance)) ??
      unreadable.get(nodeKey(instance, node)) ??
      [pauses, brakes].find((document) => typeof document === 'string'),
  };
}

async function readable<T>(document: Promise<T>): Promise<T | string> {
  try {
    return await document;
  } catch (error) {
    if (error instanceof StateUnavailable) return error.message;
    throw error;
  }
}
