import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StateStore } from '../../../core/ports/state-store.ts';
import { createDynamoStore } from '../../../core/state/dynamodb/store.ts';
import type { AwsProxy, RecordedCall } from '../../support/aws-proxy.ts';
import { stateTables } from '../../support/dynamo-table.ts';
import { describeWithMoto } from '../../support/moto.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-11-24T01:14:05.700Z');

describeWithMoto('the items of a state table', () => {
  const current = stateTables();
  let proxy: AwsProxy;
  let client: DynamoDBClient;
  let tableName: string;
  let now: number;
  let store: StateStore;

  beforeEach(() => {
    ({ proxy, client, tableName } = current());
    now = NOW;
    const keepFor = (key: string) => (key.startsWith('node#') ? 90 * DAY : undefined);
    store = createDynamoStore(client, { tableName, keepFor, now: () => now });
  });

  const itemOf = async (key: string) =>
    (await client.send(new GetItemCommand({ TableName: tableName, Key: { pk: { S: 'state' }, sk: { S: key } } }))).Item;
  async function mustWrite(key: string, value: unknown, expected?: number): Promise<number> {
    const result = await store.write(key, value, expected);
    if (!result.stored) throw new Error(`a conflict on ${key}`);
    return result.version;
  }

  test('a lease is kept until it is removed, a memory until 90 days after its last write', async () => {
    await mustWrite('lease#sessions', { holder: 'a' });
    const version = await mustWrite('node#sessions#10.0.0.1:6379', { learned: {} });
    expect(await itemOf('lease#sessions')).toEqual({
      pk: { S: 'state' },
      sk: { S: 'lease#sessions' },
      value: { S: '{"holder":"a"}' },
      version: { N: String(NOW + 1) },
      token: { S: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    now = NOW + 10 * DAY;
    await mustWrite('node#sessions#10.0.0.1:6379', { learned: {} }, version);
    // Whole epoch seconds, as DynamoDB's TTL reads them.
    expect((await itemOf('node#sessions#10.0.0.1:6379'))?.expiresAt).toEqual({
      N: String(Math.ceil((NOW + 100 * DAY) / 1000)),
    });
  });

  test('what has expired counts as absent although DynamoDB has not deleted it yet', async () => {
    const version = await mustWrite('node#a', 'old');
    now = NOW + 90 * DAY;
    expect(await store.read('node#a')).toEqual({ value: 'old', version });
    now = NOW + 90 * DAY + 1000;
    expect(await itemOf('node#a')).toBeDefined();
    expect(await store.read('node#a')).toBeUndefined();
    expect((await store.list('')).size).toBe(0);
    expect(await store.write('node#a', 'late', version)).toEqual({ stored: false });
    expect(await store.remove('node#a', version)).toBe(false);
    expect(await mustWrite('node#a', 'new')).toBeGreaterThan(version);
    expect((await store.read('node#a'))?.value).toBe('new');
  });

  test('what was removed leaves its version for 30 days, and nothing else', async () => {
    const version = await mustWrite('lease#a', { prior: { hz: '10' } });
    expect(await store.remove('lease#a', version)).toBe(true);
    expect(await itemOf('lease#a')).toEqual({
      pk: { S: 'state' },
      sk: { S: 'lease#a' },
      version: { N: String(version) },
      token: { S: expect.any(String) },
      removed: { BOOL: true },
      expiresAt: { N: String(Math.ceil((NOW + 30 * DAY) / 1000)) },
    });
    expect(await mustWrite('lease#a', 'next')).toBe(version + 1);
    expect(await itemOf('lease#a')).not.toHaveProperty('expiresAt');
  });

  test('versions go on from what is there when the clock goes back', async () => {
    const first = await mustWrite('lease#a', 1);
    await store.remove('lease#a', first);
    now = NOW - 30 * DAY;
    expect(await mustWrite('lease#a', 2)).toBe(first + 1);
  });

  test('a list of more than one page is whole', async () => {
    const text = 'x'.repeat(200_000);
    for (let n = 0; n < 12; n++) await mustWrite(`node#${n}`, { n, text });
    proxy.clear();
    const listed = await store.list('node#');
    expect(proxy.requests.length).toBeGreaterThan(1);
    expect([...listed.values()].map(({ value }) => (value as { n: number }).n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, n) => n),
    );
  });

  describe('refused before anything is sent', () => {
    test('a document of more than 400 kB, by bytes, naming its key; one of 400 kB is stored', async () => {
      // Two quotes around the text; an umlaut has two bytes.
      await mustWrite('fits', 'ü'.repeat(199_999));
      proxy.clear();
      await expect(store.write('node#big', 'ü'.repeat(200_000), undefined)).rejects.toThrow(
        new TypeError(
          'State document "node#big": its JSON has 400002 bytes. Accepted: at most 400000, which is what an item of DynamoDB holds.',
        ),
      );
      expect(proxy.requests).toEqual([]);
    });
  });

  // moto 5.2.1 reads the latest whatever is asked, and is not known to be as strict as DynamoDB about expressions.
  describe('what is sent', () => {
    test('every read asks for the latest', async () => {
      await store.read('lease#a');
      await store.list('lease#');
      await store.readAll(['lease#a', 'history#a']);
      expect(proxy.requests.map(({ operation, input }) => [operation, input.ConsistentRead])).toEqual([
        ['GetItem', true],
        ['Query', true],
        ['BatchGetItem', undefined],
      ]);
      const [request] = Object.values(Object(proxy.requests[2]?.input.RequestItems));
      expect(request).toMatchObject({ ConsistentRead: true });
    });

    test('documents of nodes are read by their keys, a hundred in a call, whatever else there is', async () => {
      for (const n of [1, 2, 3]) await mustWrite(`history#${n}`, n);
      proxy.clear();
      const keys = Array.from({ length: 250 }, (_, n) => `history#${n}`);
      const found = await store.readAll([...keys, ...keys]);
      expect([...found].map(([key, { value }]) => [key, value]).toSorted()).toEqual([
        ['history#1', 1],
        ['history#2', 2],
        ['history#3', 3],
      ]);
      const asked = proxy.requests.map(({ input }) => Object(Object.values(Object(input.RequestItems))[0]).Keys.length);
      expect(asked.toSorted()).toEqual([100, 100, 50]);
    });

    test('documents of nodes are spread over many partitions, and those of the stage are in one', async () => {
      const partitionOf = ({ input }: RecordedCall) => Object(input.Key).pk.S;
      for (let n = 0; n < 300; n++) await store.read(`record#10.0.${n}.1:6379`);
      const counts = [...Map.groupBy(proxy.requests, partitionOf)].map(([, calls]) => calls.length);
      expect(counts.length).toBeGreaterThan(24);
      expect(Math.max(...counts)).toBeLessThan(40);
      proxy.clear();
      for (const key of ['lease#a', 'pause#*', 'brakes', 'outbox#a']) await store.read(key);
      expect(proxy.requests.map(partitionOf)).toEqual(Array(4).fill('state'));
    });

    test('every change is one conditional update', async () => {
      const version = await mustWrite('lease#a', 1);
      const second = await mustWrite('lease#a', 2, version);
      await store.remove('lease#a', second);
      expect(proxy.requests.map(({ operation }) => operation)).toEqual(Array(3).fill('UpdateItem'));
      for (const { input } of proxy.requests) {
        expect(input.ConditionExpression).toMatch(/#(sk|version)/);
        expect(input.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
      }
    });

    test('expressions use exactly the names and values that go with them, and never a bare name', async () => {
      const version = await mustWrite('node#a', 1);
      await store.remove('node#a', await mustWrite('node#a', 2, version));
      await mustWrite('lease#a', 1);
      await store.list('lease#');
      await store.list('');
      for (const { input } of proxy.requests) {
        const { UpdateExpression = '', ConditionExpression = '', KeyConditionExpression = '' } = input;
        const expressions = [UpdateExpression, ConditionExpression, KeyConditionExpression].join(' ');
        const used = (sign: string) => [...new Set(expressions.match(new RegExp(`${sign}\\w+`, 'g')) ?? [])].sort();
        expect(Object.keys(input.ExpressionAttributeNames ?? {}).sort()).toEqual(used('#'));
        expect(Object.keys(input.ExpressionAttributeValues ?? {}).sort()).toEqual(used(':'));
        const bare = expressions.replaceAll(/[#:]\w+/g, '').match(/\w+/g) ?? [];
        const words = ['SET', 'REMOVE', 'AND', 'OR', 'attribute_not_exists', 'if_not_exists', 'begins_with'];
        expect(bare.filter((word) => !words.includes(word))).toEqual([]);
      }
    });
  });
});
