import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Stored } from '../../ports/state-store.ts';
import { OF_NODES } from '../keys.ts';

/** An item of the state table, as DynamoDB gives it. */
export type Item = Readonly<Record<string, AttributeValue>>;

/** An item, understood. */
interface StateItem {
  readonly key: string;
  readonly version: number;
  /** Names the write that made it so: a conflict with one's own earlier try is recognised by it. */
  readonly token: string;
  /** The document; undefined once it was removed. */
  readonly text: string | undefined;
  /** Epoch seconds from which on it does not count, whether DynamoDB has deleted it by then or not. */
  readonly expiresAt: number | undefined;
}

/** An item that this version of Offpeak has not written. */
export class OddItem extends Error {
  override readonly name = 'OddItem';
}

/**
 * Leases, pauses, the outbox and what else is few have one partition: a strongly consistent Query then finds any prefix, and reads only what
 * it gives.
 */
const PARTITION = 'state';

/**
 * Documents of nodes are spread over so many partitions, by a hash of their keys. One takes 3000 reads and 1000 writes of 1 KB a second; these
 * take 96,000 and 32,000. A list of all of them, which no tick asks for, is as many queries.
 */
const PARTITIONS_OF_NODES = 32;

function partitionOf(key: string): string {
  return OF_NODES.some((kind) => key.startsWith(kind)) ? nodePartition(hash(key) % PARTITIONS_OF_NODES) : PARTITION;
}

function nodePartition(number: number): string {
  return `nodes#${number}`;
}

/** FNV-1a, 32 bits, of UTF-16 units. It decides where documents are: it never changes. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum >>> 0;
}

/** Those that may hold documents whose keys begin so. */
export function partitionsOf(prefix: string): readonly string[] {
  const isOfNodes = OF_NODES.some((kind) => prefix.startsWith(kind));
  const mayBeOfNodes = isOfNodes || OF_NODES.some((kind) => kind.startsWith(prefix));
  const ofNodes = Array.from({ length: PARTITIONS_OF_NODES }, (_, number) => nodePartition(number));
  return [...(isOfNodes ? [] : [PARTITION]), ...(mayBeOfNodes ? ofNodes : [])];
}

/** Of a document's JSON; an item has at most 409,600 bytes, and key, names and numbers need up to 1.2 kB of them. */
const MAX_VALUE_BYTES = 400_000;

/** The attributes' names in expressions: `value`, `token` and others are words of DynamoDB's own. */
const NAMES = {
  '#pk': 'pk',
  '#sk': 'sk',
  '#value': 'value',
  '#version': 'version',
  '#token': 'token',
  '#removed': 'removed',
  '#expiresAt': 'expiresAt',
} as const;

type Placeholder = keyof typeof NAMES;

/** Those of the names that the expressions use: DynamoDB refuses a request with one more. */
export function namesIn(...expressions: readonly string[]): Record<string, string> {
  const used = new Set(expressions.flatMap((expression) => expression.match(/#\w+/g) ?? []));
  return Object.fromEntries(Object.entries(NAMES).filter(([placeholder]) => used.has(placeholder as Placeholder)));
}

/** The primary key. */
export function primaryKey(key: string): Record<'pk' | 'sk', AttributeValue> {
  return { pk: { S: partitionOf(key) }, sk: { S: key } };
}

/** @throws TypeError for a document that does not fit into an item. */
export function checkSize(key: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_VALUE_BYTES) return;
  throw new TypeError(
    `State document ${JSON.stringify(key)}: its JSON has ${bytes} bytes. Accepted: at most ${MAX_VALUE_BYTES}, which is what an item of DynamoDB holds.`,
  );
}

/** @throws OddItem naming the document and what is wrong with it, without quoting it. */
export function parseItem(item: Item): StateItem {
  const key = item.sk?.S;
  const odd = (problem: string): never => {
    throw new OddItem(`the item ${JSON.stringify(key ?? '(without a sort key)')} ${problem}`);
  };
  if (key === undefined) return odd('has no text under "sk"');
  const version = Number(item.version?.N);
  if (!Number.isSafeInteger(version) || version < 1) return odd('has no whole number of 1 or more under "version"');
  const token = item.token?.S;
  if (token === undefined) return odd('has no text under "token"');
  const text = item.value?.S;
  if ((text === undefined) !== (item.removed?.BOOL === true)) {
    return odd(text === undefined ? 'has no text under "value"' : 'has a "value" though it is marked as removed');
  }
  const expiresAt = item.expiresAt === undefined ? undefined : Number(item.expiresAt.N);
  if (Number.isNaN(expiresAt)) return odd('has no number under "expiresAt"');
  return { key, version, token, text, expiresAt };
}

/** What an item holds at `now` (epoch ms); undefined where it was removed or has expired. */
export function storedIn({ key, text, version, expiresAt }: StateItem, now: number): Stored | undefined {
  if (text === undefined || (expiresAt !== undefined && expiresAt <= now / 1000)) return undefined;
  try {
    return { value: JSON.parse(text), version };
  } catch {
    // The parser's own message quotes the text.
    throw new OddItem(`the item ${JSON.stringify(key)} has no valid JSON under "value"`);
  }
}
