import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod/mini';
import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Inventory, NamedShard } from '../domain/discovered.ts';
import { messageText } from '../format/error-text.ts';
import { type StateStore, unlessUnavailable } from '../ports/state-store.ts';
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

/** What was found last of an instance. */
export interface Last {
  readonly inventory?: Inventory;
  /** Why it cannot be used. */
  readonly unusable?: string;
  /** No version of this program has written it like that: the next discovery replaces it. */
  readonly isGarbled?: true;
}

/** What was found last of each of these instances: one read for all of them, since a table that hangs takes ten seconds for each. */
export async function lastInventories(
  store: StateStore,
  instances: readonly string[],
): Promise<(instance: string) => Promise<Last>> {
  const stored = await unlessUnavailable(store.readAll(instances.map(inventoryKey)), (unusable) => ({ unusable }));
  if ('unusable' in stored) return async () => stored;
  return async (instance) => {
    const key = inventoryKey(instance);
    const found = stored.get(key);
    return found ? await lastIn(key, found.value) : {};
  };
}

async function lastIn(key: string, value: unknown): Promise<Last> {
  try {
    const { at, shards } = decode(INVENTORY_KIND, key, value);
    const text = await expanded(Buffer.from(shards, 'base64'), { maxOutputLength: MOST_BYTES });
    return { inventory: { at, shards: z.array(SHARD).parse(JSON.parse(text.toString())) as readonly NamedShard[] } };
  } catch (error) {
    if (isNewer(INVENTORY_KIND, value)) return { unusable: messageText(error) };
    const unusable = `the document ${key} cannot be read: its shards are not as this version writes them`;
    return { unusable, isGarbled: true };
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
