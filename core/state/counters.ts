import * as z from 'zod/mini';
import type { Counters } from '../domain/report.ts';
import type { StateStore } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode } from './codec.ts';
import { COUNTERS } from './keys.ts';

/** DynamoDB takes items of 400 KB. A node takes 100 bytes and its name, which has 260 characters at most. */
const NODES_IN_A_DOCUMENT = 1_000;

interface CountersDocument {
  readonly nodes: Readonly<Record<string, Counters>>;
}

const amount = z.number();

const shape = z.looseObject({
  nodes: z.record(
    z.string(),
    z.looseObject({
      at: amount,
      runId: z.exactOptional(z.string()),
      commands: z.exactOptional(amount),
      cpuSeconds: z.exactOptional(amount),
    }),
  ),
});

export const COUNTERS_KIND: DocumentKind<CountersDocument> = { schema: 1, shape };

export interface StoredCounters {
  readonly byNode: ReadonlyMap<string, Counters>;
  /** By key. */
  readonly documents: ReadonlyMap<string, { readonly document: CountersDocument; readonly version: number }>;
}

/** @throws {StateUnavailable} also for a document of an unknown form. */
export async function readCounters(store: StateStore): Promise<StoredCounters> {
  const documents = new Map(
    [...(await store.list(COUNTERS))].map(([key, { value, version }]) => [
      key,
      { document: decode(COUNTERS_KIND, key, value), version },
    ]),
  );
  const byNode = new Map<string, Counters>();
  for (const { document } of documents.values()) {
    // A fleet that has shrunk leaves its last documents behind: of two counters of a node the younger ones count.
    for (const [node, counters] of Object.entries(document.nodes)) {
      if (counters.at >= (byNode.get(node)?.at ?? 0)) byNode.set(node, counters);
    }
  }
  return { byNode, documents };
}

/**
 * Stores the counters of a tick, a thousand nodes in a document. Where another job was first, its counters are as good.
 * @throws {StateUnavailable}
 */
export async function writeCounters(
  store: StateStore,
  { documents }: StoredCounters,
  byNode: ReadonlyMap<string, Counters>,
): Promise<void> {
  const nodes = [...byNode].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (let part = 0; part * NODES_IN_A_DOCUMENT < nodes.length; part++) {
    const some = nodes.slice(part * NODES_IN_A_DOCUMENT, (part + 1) * NODES_IN_A_DOCUMENT);
    const key = COUNTERS + part;
    const before = documents.get(key);
    const after = encode(COUNTERS_KIND, { nodes: Object.fromEntries(some) }, before?.document);
    await store.write(key, after, before?.version);
  }
}
