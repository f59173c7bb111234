import * as z from 'zod/mini';
import type { NodeHistory } from '../domain/node-history.ts';
import type { StateStore } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode, readEach } from './codec.ts';
import { runKey } from './keys.ts';

/**
 * Documents of nodes are kept by address. When a server answers at another address, or under another name, they are found by its process:
 * its `run_id` leads to the address at which they are.
 */
interface Run {
  readonly node: string;
  /** Of the process, while another one answers at its address. */
  readonly history?: NodeHistory;
}

const shape = z.looseObject({ node: z.string(), history: z.exactOptional(z.custom<NodeHistory>(isFields)) });

export const RUN_KIND: DocumentKind<Run> = { schema: 1, shape };

function isFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A `run_id` has 40 characters; a lease of 0.1.0 may hold any text. */
const LONGEST_RUN_ID = 64;

/**
 * Notes where the documents of a process are, and its `history` while another process answers there; also where that is known: with each
 * note the document is kept for as long as the record to which it leads (`RECORD_LIFETIME`). False: other jobs were first, twice. What cannot
 * be read is left as it is: those documents are still found by their address.
 * @throws {StateUnavailable}
 */
export async function noteRun(store: StateStore, runId: string, node: string, history?: NodeHistory): Promise<boolean> {
  if (runId === '' || runId.length > LONGEST_RUN_ID) return true;
  const run = { node, ...(history && { history }) };
  // Where two servers have changed places, two moves note the same process at the same moment: the second try sees that.
  return (await noteOnce(store, runKey(runId), run)) || (await noteOnce(store, runKey(runId), run));
}

async function noteOnce(store: StateStore, key: string, run: Run): Promise<boolean> {
  const stored = await store.read(key);
  const [known] = readEach(stored ? [[key, stored]] : [], (_, { value }) => decode(RUN_KIND, key, value));
  if (stored && !known) return true;
  return (await store.write(key, encode(RUN_KIND, run, known), stored?.version)).stored;
}
