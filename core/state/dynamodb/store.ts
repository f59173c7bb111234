import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Milliseconds } from '../../config/units.ts';
import type { StateStore, Stored } from '../../ports/state-store.ts';
import { jsonText } from '../json-value.ts';
import { type Change, changeOf } from './change.ts';
import { unavailable } from './failure.ts';
import { checkSize, type Item, parseItem, primaryKey, storedIn } from './item.ts';
import { itemOf, itemsOf, itemsUnder } from './read.ts';

interface DynamoStoreOptions {
  /** A table with the partition key `pk` and the sort key `sk`, both texts, and TTL on `expiresAt`. */
  readonly tableName: string;
  /** For how long after its last write a document may be needed; undefined: for ever. Default: all of them for ever. */
  readonly keepFor?: (key: string, document: object) => Milliseconds | undefined;
  /** Epoch milliseconds; default: the system's clock. */
  readonly now?: () => number;
}

const TABLE_NAME = /^[A-Za-z0-9_.-]{3,255}$/;

/**
 * A store in a DynamoDB table, for the deployed job: it outlives any crash, and any number of containers share it. Needs
 * dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query and dynamodb:UpdateItem on the table; nothing is ever deleted but by TTL.
 *
 * All reads are strongly consistent. A list over several pages (of 1 MB) is not a snapshot. If the answer to a write got
 * lost, the client sends it again. The write counts as stored, unless another job has changed the document in between.
 *
 * @throws TypeError when `tableName` is not the name of a table
 */
export function createDynamoStore(client: DynamoDBClient, options: DynamoStoreOptions): StateStore {
  const { tableName: TableName, keepFor = () => undefined, now = Date.now } = options;
  checkName(TableName);

  /** The version of the document after `change`; undefined: its condition does not hold. */
  async function apply(key: string, change: Change): Promise<number | undefined> {
    try {
      return await update(client, TableName, key, change);
    } catch (failure) {
      throw unavailable(TableName, 'written', failure);
    }
  }

  async function documentsOf(reading: Promise<readonly Item[]>): Promise<ReadonlyMap<string, Stored>> {
    try {
      const items = (await reading).map(parseItem);
      const stored = items.map((item) => [item.key, storedIn(item, now())] as const);
      return new Map(stored.flatMap(([key, one]) => (one ? [[key, one]] : [])));
    } catch (failure) {
      throw unavailable(TableName, 'read', failure);
    }
  }

  return {
    list: (prefix) => documentsOf(itemsUnder(client, TableName, prefix)),
    read: async (key) => {
      const item = itemOf(client, TableName, key).then((one) => (one ? [one] : []));
      return (await documentsOf(item)).get(key);
    },
    readAll: (keys) => documentsOf(itemsOf(client, TableName, keys)),
    async write(key, value, expected) {
      const text = jsonText(key, value);
      checkSize(key, text);
      const change = changeOf({
        text,
        keepFor: keepFor(key, Object(value)),
        expected,
        now: now(),
        token: randomUUID(),
      });
      const version = await apply(key, change);
      return version === undefined ? { stored: false } : { stored: true, version };
    },
    async remove(key, expected) {
      const change = changeOf({ text: undefined, expected, now: now(), token: randomUUID() });
      return (await apply(key, change)) !== undefined;
    },
  };
}

function checkName(name: string): void {
  if (TABLE_NAME.test(name)) return;
  const accepted = '3 to 255 letters, digits, dots, hyphens and underscores';
  throw new TypeError(`tableName: ${JSON.stringify(name)} is not the name of a table: accepted are ${accepted}`);
}

async function update(
  client: DynamoDBClient,
  TableName: string,
  key: string,
  { token, ...expressions }: Change,
): Promise<number | undefined> {
  const Key = primaryKey(key);
  try {
    // The conflict's own answer contains the old document: no other write can come between the two.
    const { Attributes = {} } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key,
        ...expressions,
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    return parseItem(Attributes).version;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const found = error.Item && parseItem(error.Item);
    // Our own first try was carried out, its answer got lost, and the client tried again.
    return found?.token === token ? found.version : undefined;
  }
}
