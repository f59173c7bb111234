import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod/mini';
import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Inventory, NamedShard } from '../domain/discovered.ts';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode, isNewer } from '../state/codec.ts';
import { inventoryKey } from '../state/keys.ts';

const compressed = promisify(gzip);
const expanded = promisify(gunzip);

/** While a discovery fails, what it found last counts for so long. The job goes on watching through a weekend without rights to ask AWS. */
export const INVENTORY_LIFETIME: Milliseconds = 7 * 24 * HOUR;

interface Stored {
  /** Epoch ms. */
  readonly at: number;
  /** The shards as JSON, gzipped, in base64: 10,000 nodes are 1 MB as they are, and an item of DynamoDB holds 400 KB. */
  readonly shards: string;
}

const INVENTORY_KIND: DocumentKind<Stored> = {
  schema: 1,
  shape: z.looseObject({ at: z.number(), shards: z.string() }),
};

/** What is read of a shard. The rest is kept as it is. */
export const SHARD = z.looseObject({
  group: z.string(),
  name: z.string(),
  nodes: z.array(
    z.looseObject({
      address: z.object({ id: z.string(), host: z.string(), port: z.number(), tls: z.boolean() }),
      identity: z.exactOptional(z.string()),
      role: z.exactOptional(z.enum(['primary', 'replica'])),
    }),
  ),
});

/** An inventory that no version of this program has written like that. The next discovery replaces it. */
export class GarbledInventory extends StateUnavailable {}

/**
 * Undefined: there is none.
 *
 * @throws {GarbledInventory}
 * @throws {StateUnavailable} also for one of a newer version
 */
export async function readInventory(store: StateStore, instance: string): Promise<Inventory | undefined> {
  const key = inventoryKey(instance);
  const stored = await store.read(key);
  if (stored === undefined) return undefined;
  if (isNewer(INVENTORY_KIND, stored.value)) decode(INVENTORY_KIND, key, stored.value);
  try {
    const { at, shards } = decode(INVENTORY_KIND, key, stored.value);
    const text = await expanded(Buffer.from(shards, 'base64'), { maxOutputLength: MOST_BYTES });
    return { at, shards: z.array(SHARD).parse(JSON.parse(text.toString())) as readonly NamedShard[] };
  } catch {
    throw new GarbledInventory(`the document ${key} cannot be read: its shards are not as this version writes them`);
  }
}

/** 100,000 nodes. */
const MOST_BYTES = 32 * 1024 * 1024;

/** The latest discovery wins: two jobs that overlap have found the same. @throws {StateUnavailable} */
export async function writeInventory(store: StateStore, instance: string, { at, shards }: Inventory): Promise<void> {
  const key = inventoryKey(instance);
  const packed = (await compressed(JSON.stringify(shards))).toString('base64');
  const stored = await store.read(key);
  await store.write(key, encode(INVENTORY_KIND, { at, shards: packed }), stored?.version);
}
