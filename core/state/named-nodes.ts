import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod/mini';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode } from './codec.ts';
import { NAMED_NODES } from './keys.ts';

const compressed = promisify(gzip);
const expanded = promisify(gunzip);

/**
 * The nodes of the last tick of all nodes. A tick reads what is stored of its own nodes only: by this document it finds those that have gone
 * from the config, or from what is discovered, since then.
 */
interface NamedDocument {
  /** Their addresses as JSON, gzipped, in base64: an item of DynamoDB holds 400 KB. */
  readonly nodes: string;
}

export const NAMED_KIND: DocumentKind<NamedDocument> = { schema: 1, shape: z.looseObject({ nodes: z.string() }) };

const ADDRESSES = z.array(z.string());

/** 100,000 nodes. */
const MOST_BYTES = 32 * 1024 * 1024;

interface NamedNodes {
  readonly nodes: readonly string[];
  readonly document?: NamedDocument;
  readonly version?: number;
}

/** @throws {StateUnavailable} also for a document of another version, or one that cannot be read */
export async function readNamedNodes(store: StateStore): Promise<NamedNodes> {
  const stored = await store.read(NAMED_NODES);
  if (!stored) return { nodes: [] };
  const document = decode(NAMED_KIND, NAMED_NODES, stored.value);
  try {
    const text = await expanded(Buffer.from(document.nodes, 'base64'), { maxOutputLength: MOST_BYTES });
    return { nodes: ADDRESSES.parse(JSON.parse(text.toString())), document, version: stored.version };
  } catch {
    throw new StateUnavailable(`the document ${NAMED_NODES} cannot be read: remove it, the next tick writes it anew`);
  }
}

/** Where another job was first, it has named the same nodes. @throws {StateUnavailable} */
export async function writeNamedNodes(store: StateStore, before: NamedNodes, nodes: readonly string[]): Promise<void> {
  const packed = (await compressed(JSON.stringify(nodes))).toString('base64');
  await store.write(NAMED_NODES, encode(NAMED_KIND, { nodes: packed }, before.document), before.version);
}
