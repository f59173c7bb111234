import * as z from 'zod/mini';
import { HOUR, type Milliseconds } from '../shared/config/units.ts';
import { type StateStore, StateUnavailable } from '../shared/state/store.ts';
import { type Lease, NOTHING_REMEMBERED, type NodeMemory } from './decide/lease.ts';
import { understood } from './document.ts';
import { OUTBOX, OUTBOX_LIFETIME } from './outbox.ts';
import { LONGEST_PAUSE, NO_PAUSES, PAUSE, type Pauses, readPauses } from './pauses.ts';

/**
 * The job's documents in the store: one lease for each instance (so that two nodes of it can't be acted on at once, whoever
 * tries), one memory for each node, pauses, and the outbox (`outbox.ts`). What cannot be read as one of them is an error, never a guess.
 */
export interface HeldLease {
  /** Of its document: `leaseKey`, or `asideKey` once nobody could give it back in time. */
  readonly key: string;
  readonly lease: Lease;
  readonly version: number;
}

export interface State {
  /** By instance. */
  readonly leases: ReadonlyMap<string, HeldLease>;
  /** Those that were set aside: they keep nobody from acting, and wait for their server. */
  readonly aside: readonly HeldLease[];
  /** Nothing, where nothing is stored or what is stored cannot be read: see `obstacle`. */
  memoryOf(instance: string, node: string): NodeMemory;
  readonly pauses: Pauses;
  /**
   * Why nothing may be started on a node: a document of its own, of its instance or of all that cannot be read. What was
   * started is given back all the same.
   */
  obstacle(instance: string, node: string): string | undefined;
  /** By key: what is wrong with each document that cannot be read. */
  readonly unreadable: ReadonlyMap<string, string>;
}

const LEASE = 'lease#';
const NODE = 'node#';
const ASIDE = /^lease#[^#]+#./;

/** A node that was renamed or taken away; one that is visited has news in this time, or loses no more than what it learned. */
const MEMORY_LIFETIME: Milliseconds = 90 * 24 * HOUR;
/** A day more than a pause can last, for clocks that differ. */
const PAUSE_LIFETIME: Milliseconds = LONGEST_PAUSE + 24 * HOUR;

/** A server that nobody has met as itself for so long has restarted, or is no more. */
const ASIDE_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/** How long after its last write a document may be needed; undefined: for ever. A lease holds what restores a server. */
export function lifetimeOf(key: string): Milliseconds | undefined {
  if (ASIDE.test(key)) return ASIDE_LIFETIME;
  if (key.startsWith(PAUSE)) return PAUSE_LIFETIME;
  if (key.startsWith(OUTBOX)) return OUTBOX_LIFETIME;
  return key.startsWith(NODE) ? MEMORY_LIFETIME : undefined;
}

export function leaseKey(instance: string): string {
  return LEASE + instance;
}

/** By the run of the server: it is found by that alone, wherever it answers. */
export function asideKey({ instance, runId }: Pick<Lease, 'instance' | 'runId'>): string {
  return `${leaseKey(instance)}#${runId}`;
}

/** Set aside: it restores its server, and gives no right to act on it. */
export function isAside({ key }: Pick<HeldLease, 'key'>): boolean {
  return ASIDE.test(key);
}

export function isLeaseKey(key: string): boolean {
  return key.startsWith(LEASE);
}

export function nodeKey(instance: string, node: string): string {
  return `${NODE}${instance}#${node}`;
}

const amount = z.number();
const settings = z.record(z.string(), z.string());

const leaseSchema = z.object({
  instance: z.string(),
  node: z.string(),
  phase: z.enum(['taking', 'running', 'closing', 'purging']),
  runId: z.string(),
  role: z.enum(['primary', 'replica', 'unknown']),
  holder: z.string(),
  busyUntil: amount,
  acquiredAt: amount,
  expiresAt: amount,
  prior: settings,
  applied: settings,
  closing: z.optional(z.string()),
  before: z.object({ usedMemoryRss: amount, allocated: amount }),
  predicted: z.object({ reclaim: amount, stall: amount }),
  promisedStall: amount,
  progress: z.object({
    at: amount,
    hits: amount,
    misses: amount,
    fragmentation: amount,
    commands: z.optional(amount),
    latencyAt: amount,
    latencyMax: amount,
    worstStall: amount,
    stallStrikes: amount,
    idleLooks: amount,
  }),
});

const memorySchema = z.object({
  runId: z.optional(z.string()),
  defragSupport: z.optional(z.enum(['supported', 'unsupported'])),
  told: z.optional(z.array(z.string())),
  learned: z.object({
    purgeMsPerGiB: z.optional(amount),
    keptPages: z.optional(amount),
    defragShare: z.optional(amount),
    at: z.optional(amount),
    version: z.optional(z.string()),
  }),
  lastPurgeAt: z.optional(amount),
  purgeKnownAt: z.optional(amount),
  lastDefragAt: z.optional(amount),
  restUntil: z.optional(amount),
  crashed: z.optional(z.object({ version: z.string(), at: amount })),
  ineffective: z.object({ purge: amount, defrag: amount }),
});

/** Three reads for the whole tick, however many nodes there are. @throws {StateUnavailable} where there is no reading at all. */
export async function readState(store: StateStore): Promise<State> {
  const [leases, nodes, pauses] = await Promise.all([store.list(LEASE), store.list(NODE), readablePauses(store)]);
  const unreadable = new Map<string, string>();
  const held = new Map<string, HeldLease>();
  const aside: HeldLease[] = [];
  const memories = new Map<string, NodeMemory>();
  for (const [key, { value, version }] of leases) {
    const lease = orUnreadable(unreadable, key, () => understood(leaseSchema, key, value) as Lease);
    if (lease && isAside({ key })) aside.push({ key, lease, version });
    else if (lease) held.set(key.slice(LEASE.length), { key, lease, version });
  }
  for (const [key, { value }] of nodes) {
    const memory = orUnreadable(unreadable, key, () => understood(memorySchema, key, value) as NodeMemory);
    if (memory) memories.set(key, memory);
  }
  return {
    leases: held,
    aside,
    unreadable,
    memoryOf: (instance, node) => memories.get(nodeKey(instance, node)) ?? NOTHING_REMEMBERED,
    pauses: typeof pauses === 'string' ? NO_PAUSES : pauses,
    obstacle: (instance, node) =>
      unreadable.get(leaseKey(instance)) ??
      unreadable.get(nodeKey(instance, node)) ??
      (typeof pauses === 'string' ? pauses : undefined),
  };
}

/** One document that cannot be read must not keep the leases of all others from being given back. */
function orUnreadable<T>(unreadable: Map<string, string>, key: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    unreadable.set(key, error.message);
    return undefined;
  }
}

async function readablePauses(store: StateStore): Promise<Pauses | string> {
  try {
    return await readPauses(store);
  } catch (error) {
    if (error instanceof StateUnavailable) return error.message;
    throw error;
  }
}

/** The lease of one instance as it is now. @throws {StateUnavailable} */
export async function readLease(store: StateStore, instance: string): Promise<Lease | undefined> {
  const key = leaseKey(instance);
  const stored = await store.read(key);
  return stored && (understood(leaseSchema, key, stored.value) as Lease);
}

/** The first to come gets it. @throws {StateUnavailable} */
export async function takeLease(store: StateStore, lease: Lease): Promise<HeldLease | undefined> {
  const key = leaseKey(lease.instance);
  const written = await store.write(key, lease, undefined);
  return written.stored ? { key, lease, version: written.version } : undefined;
}

/** Undefined: somebody else has changed or dropped it in the meantime. @throws {StateUnavailable} */
export async function renewLease(store: StateStore, held: HeldLease, lease: Lease): Promise<HeldLease | undefined> {
  const { key } = held;
  const written = await store.write(key, lease, held.version);
  return written.stored ? { key, lease, version: written.version } : undefined;
}

/** @throws {StateUnavailable} */
export async function dropLease(store: StateStore, held: HeldLease): Promise<void> {
  await store.remove(held.key, held.version);
}

/**
 * Out of the way of the instance's other nodes, but not forgotten: what restores the server is kept until it answers again. One that
 * stands there already is of the same run, and older: its prior values are the first.
 * @throws {StateUnavailable}
 */
export async function setAside(store: StateStore, held: HeldLease): Promise<void> {
  if (held.lease.runId !== '') await store.write(asideKey(held.lease), { ...held.lease, busyUntil: 0 }, undefined);
  await dropLease(store, held);
}

/**
 * Changes what is remembered of a node, from what is stored at that moment: two jobs that overlap must not undo each other's
 * cooldowns. Returns what is stored now.
 * @throws {StateUnavailable}
 */
export async function remember(
  store: StateStore,
  instance: string,
  node: string,
  change: (memory: NodeMemory) => NodeMemory,
): Promise<NodeMemory> {
  const key = nodeKey(instance, node);
  for (let attempt = 0; attempt < 5; attempt++) {
    const stored = await store.read(key);
    const known = stored ? (understood(memorySchema, key, stored.value) as NodeMemory) : NOTHING_REMEMBERED;
    const memory = change(known);
    if ((await store.write(key, memory, stored?.version)).stored) return memory;
  }
  throw new StateUnavailable(`the document ${key} is changed by others again and again`);
}
