import * as z from 'zod/mini';
import { type StateStore, StateUnavailable } from '../shared/state/store.ts';
import { NOTHING_REMEMBERED, type NodeMemory } from './decide/lease.ts';
import { understood } from './document.ts';

export const NODE = 'node#';

/** By the address alone: an instance that is renamed, split or merged keeps what is known of its nodes. */
export function nodeKey(node: string): string {
  return NODE + node;
}

/** The address that a key names; 0.1 wrote `node#<instance>#<address>`. */
export function nodeIn(key: string): string {
  return key.slice(key.lastIndexOf('#') + 1);
}

const amount = z.number();

const memorySchema = z.object({
  runId: z.optional(z.string()),
  defragSupport: z.optional(z.enum(['supported', 'unsupported'])),
  told: z.optional(z.array(z.string())),
  learned: z.object({
    purgeMsPerGiB: z.optional(amount),
    keptPages: z.optional(amount),
    defragShare: z.optional(amount),
    defragWork: z.optional(amount),
    firstCycle: z.optional(amount),
    at: z.optional(amount),
    version: z.optional(z.string()),
  }),
  lastPurgeAt: z.optional(amount),
  purgeKnownAt: z.optional(amount),
  purgeRefusedAt: z.optional(amount),
  lastDefragAt: z.optional(amount),
  restUntil: z.optional(amount),
  crashed: z.optional(z.object({ version: z.string(), at: amount })),
  ineffective: z.object({ purge: amount, defrag: amount }),
});

/** @throws {StateUnavailable} for what is none: never a guess. */
export function memoryIn(key: string, value: unknown): NodeMemory {
  return understood(memorySchema, key, value) as NodeMemory;
}

/**
 * Changes what is remembered of a node, from what is stored at that moment: two jobs that overlap must not undo each other's
 * cooldowns. Returns what is stored now.
 * @throws {StateUnavailable}
 */
export async function remember(
  store: StateStore,
  node: string,
  change: (memory: NodeMemory) => NodeMemory,
): Promise<NodeMemory> {
  const key = nodeKey(node);
  for (let attempt = 0; attempt < 5; attempt++) {
    const stored = await store.read(key);
    const known = stored ? memoryIn(key, stored.value) : NOTHING_REMEMBERED;
    const memory = change(known);
    if ((await store.write(key, memory, stored?.version)).stored) return memory;
  }
  throw new StateUnavailable(`the document ${key} is changed by others again and again`);
}

/** Where the history of a process is kept whose address another one answers at. */
export function runKey(runId: string): string {
  return `${NODE}~${runId}`;
}

/** 0.1 wrote `node#<instance>#<address>`. */
export function isLegacyKey(key: string): boolean {
  return key.slice(NODE.length).includes('#');
}

/** Stores a history under a key. Returns why it could not. */
export async function placeMemory(
  store: StateStore,
  key: string,
  memory: NodeMemory,
  version: number | undefined,
): Promise<string | undefined> {
  try {
    const written = await store.write(key, memory, version);
    return written.stored ? undefined : `another job has changed the document ${key} at the same moment`;
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    return error.message;
  }
}
