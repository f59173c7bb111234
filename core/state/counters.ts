import { createHash } from 'node:crypto';
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

/** Nodes whose counters are in one document. */
interface Group {
  readonly key: string;
  readonly nodes: readonly string[];
}

/**
 * Named by its nodes: two jobs, each with a part of the fleet, never write one document, and need not agree on who has which. When nodes come or
 * go, the document is another one, and one tick has no rates.
 */
function groupsOf(nodes: readonly string[]): readonly Group[] {
  const sorted = [...nodes].toSorted();
  return Array.from({ length: Math.ceil(sorted.length / NODES_IN_A_DOCUMENT) }, (_, part) => {
    const some = sorted.slice(part * NODES_IN_A_DOCUMENT, (part + 1) * NODES_IN_A_DOCUMENT);
    return { key: COUNTERS + createHash('sha256').update(some.join(' ')).digest('hex').slice(0, 32), nodes: some };
  });
}

interface StoredCounters {
  readonly byNode: ReadonlyMap<string, Counters>;
  readonly groups: readonly Group[];
  /** By key. */
  readonly documents: ReadonlyMap<string, { readonly document: CountersDocument; readonly version: number }>;
}

/** Of these nodes. @throws {StateUnavailable} also for a document of an unknown form. */
export async function readCounters(store: StateStore, nodes: readonly string[]): Promise<StoredCounters> {
  const groups = groupsOf(nodes);
  const documents = new Map(
    [...(await store.readAll(groups.map(({ key }) => key)))].map(([key, { value, version }]) => [
      key,
      { document: decode(COUNTERS_KIND, key, value), version },
    ]),
  );
  const byNode = new Map([...documents.values()].flatMap(({ document }) => Object.entries(document.nodes)));
  return { byNode, groups, documents };
}

/**
 * Stores the counters of a tick, of a thousand nodes in a document. Where another job was first, its counters are as good.
 * @throws {StateUnavailable}
 */
export async function writeCounters(
  store: StateStore,
  { groups, documents }: StoredCounters,
  byNode: ReadonlyMap<string, Counters>,
): Promise<void> {
  for (const { key, nodes } of groups) {
    const seen = nodes.flatMap((node) => {
      const counters = byNode.get(node);
      return counters ? [[node, counters] as const] : [];
    });
    if (seen.length === 0) continue;
    const before = documents.get(key);
    const after = encode(COUNTERS_KIND, { nodes: Object.fromEntries(seen) }, before?.document);
    await store.write(key, after, before?.version);
  }
}
