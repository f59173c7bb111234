import * as z from 'zod/mini';
import { NOTHING_REMEMBERED, type NodeMemory } from '../domain/node-history.ts';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { understood } from './codec.ts';
import { nodeKey } from './keys.ts';

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
