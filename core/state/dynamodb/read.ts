import { setTimeout as pause } from 'node:timers/promises';
import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import type { Milliseconds } from '../../config/units.ts';
import { type Item, namesIn, partitionsOf, primaryKey } from './item.ts';

/*
 * Reads of the state table, all of them strongly consistent.
 */

/** Side by side, of queries and of pages. */
const AT_ONCE = 8;

/** What one BatchGetItem takes (its API reference). It answers with 16 MB at most, which a hundred histories do not have. */
const KEYS_IN_A_PAGE = 100;

/** What is throttled comes back as not processed, without an error: it is asked for again, after 50 ms, 100 ms and so on, for three seconds. */
const TRIES = 6;
const FIRST_PAUSE: Milliseconds = 50;

/** Keys that DynamoDB has not answered, again and again. The name is that of its own error. */
class Unprocessed extends Error {
  override readonly name = 'ProvisionedThroughputExceededException';
}

export async function itemOf(client: DynamoDBClient, TableName: string, key: string): Promise<Item | undefined> {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: primaryKey(key), ConsistentRead: true }));
  return Item;
}

/** Those of these items that exist, in no order. */
export async function itemsOf(
  client: DynamoDBClient,
  table: string,
  keys: readonly string[],
): Promise<readonly Item[]> {
  const all = [...new Set(keys)];
  const pages = Array.from({ length: Math.ceil(all.length / KEYS_IN_A_PAGE) }, (_, page) =>
    all.slice(page * KEYS_IN_A_PAGE, (page + 1) * KEYS_IN_A_PAGE),
  );
  return (await pLimit(AT_ONCE).map(pages, (page) => pageOf(client, table, page))).flat();
}

async function pageOf(client: DynamoDBClient, table: string, keys: readonly string[]): Promise<readonly Item[]> {
  const items: Item[] = [];
  let left = keys.map(primaryKey);
  for (let tries = 1; left.length > 0; tries++) {
    const { Responses = {}, UnprocessedKeys = {} } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }),
    );
    items.push(...(Responses[table] ?? []));
    left = (UnprocessedKeys[table]?.Keys ?? []) as typeof left;
    if (left.length === 0) break;
    if (tries === TRIES) throw new Unprocessed(`${left.length} of ${keys.length} keys were not processed`);
    // Throttled callers that come back at the same moment are throttled again.
    await pause(FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + Math.random()));
  }
  return items;
}

/** The items whose keys begin so, in the order of their keys. Over several pages (of 1 MB) it is not a snapshot. */
export async function itemsUnder(client: DynamoDBClient, table: string, prefix: string): Promise<readonly Item[]> {
  const found = await pLimit(AT_ONCE).map(partitionsOf(prefix), (partition) =>
    queried(client, table, partition, prefix),
  );
  const keyOf = ({ sk }: Item) => sk?.S ?? '';
  return found.length === 1 ? found.flat() : found.flat().toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function queried(client: DynamoDBClient, TableName: string, partition: string, prefix: string): Promise<Item[]> {
  // An empty text is refused as the value of a key, also as the beginning of one.
  const KeyConditionExpression = prefix === '' ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :prefix)';
  const items: Item[] = [];
  const pages = paginateQuery(
    { client },
    {
      TableName,
      ConsistentRead: true,
      KeyConditionExpression,
      ExpressionAttributeNames: namesIn(KeyConditionExpression),
      ExpressionAttributeValues: { ':pk': { S: partition }, ...(prefix !== '' && { ':prefix': { S: prefix } }) },
    },
  );
  for await (const { Items = [] } of pages) items.push(...Items);
  return items;
}
