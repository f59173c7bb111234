import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { type StateStore, StateUnavailable } from '../../../core/ports/state-store.ts';
import { createDynamoStore } from '../../../core/state/dynamodb/store.ts';
import type { AwsProxy } from '../../support/aws-proxy.ts';
import { stateTables } from '../../support/dynamo-table.ts';
import { describeWithMoto } from '../../support/moto.ts';

describeWithMoto('a write that finds something else in a state table', () => {
  const current = stateTables();
  let proxy: AwsProxy;
  let client: DynamoDBClient;
  let tableName: string;
  let store: StateStore;

  beforeEach(() => {
    ({ proxy, client, tableName } = current());
    store = createDynamoStore(client, { tableName });
  });

  describe('an answer that got lost', () => {
    const loseNext = () => proxy.fault({ operation: 'UpdateItem', kind: 'lost-answer', times: 1 });

    test('of a create: the second try finds its own write, and it counts', async () => {
      loseNext();
      const written = await store.write('lease#a', { holder: 'me' }, undefined);
      expect(proxy.requests.map(({ outcome }) => outcome)).toEqual(['lost-answer', 'forwarded']);
      expect(written).toMatchObject({ stored: true });
      expect(await store.read('lease#a')).toEqual({
        value: { holder: 'me' },
        version: written.stored && written.version,
      });
    });

    test('of an update and of a removal: the same', async () => {
      const first = await store.write('lease#a', 1, undefined);
      loseNext();
      const second = await store.write('lease#a', 2, first.stored ? first.version : 0);
      expect(second).toMatchObject({ stored: true });
      loseNext();
      expect(await store.remove('lease#a', second.stored ? second.version : 0)).toBe(true);
      expect(await store.read('lease#a')).toBeUndefined();
    });

    test("somebody else's write is still a conflict, and so is his removal", async () => {
      const theirs = createDynamoStore(client, { tableName });
      const first = await theirs.write('lease#a', 'theirs', undefined);
      expect(await store.write('lease#a', 'mine', undefined)).toEqual({ stored: false });
      const version = first.stored ? first.version : 0;
      expect(await theirs.remove('lease#a', version)).toBe(true);
      expect(await store.remove('lease#a', version)).toBe(false);
      expect(await store.write('lease#a', 'mine', version)).toEqual({ stored: false });
    });
  });

  describe('an item that Offpeak has not written', () => {
    const GOOD: Record<string, AttributeValue> = { version: { N: '7' }, token: { S: 't' }, value: { S: '"v"' } };
    const { version: _, ...WITHOUT_VERSION } = GOOD;
    const { value: __, ...WITHOUT_VALUE } = GOOD;
    const { token: ___, ...WITHOUT_TOKEN } = GOOD;

    test.each<[string, Record<string, AttributeValue>, string]>([
      ['no version', WITHOUT_VERSION, 'has no whole number of 1 or more under "version"'],
      ['a broken version', { ...GOOD, version: { N: '7.5' } }, 'has no whole number of 1 or more under "version"'],
      ['a version as text', { ...GOOD, version: { S: '7' } }, 'has no whole number of 1 or more under "version"'],
      ['no token', WITHOUT_TOKEN, 'has no text under "token"'],
      ['no value', WITHOUT_VALUE, 'has no text under "value"'],
      ['a map as its value', { ...GOOD, value: { M: { password: { S: 'hunter2' } } } }, 'has no text under "value"'],
      ['a value that is no JSON', { ...GOOD, value: { S: '{"password": hunter2' } }, 'has no valid JSON under "value"'],
      ['a removed value', { ...GOOD, removed: { BOOL: true } }, 'has a "value" though it is marked as removed'],
      ['an expiry as text', { ...GOOD, expiresAt: { S: 'tomorrow' } }, 'has no number under "expiresAt"'],
    ])('%s is refused, and not overwritten', async (_what, attributes, problem) => {
      const Item = { pk: { S: 'state' }, sk: { S: 'lease#a' }, ...attributes };
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
      for (const attempt of [() => store.list('lease#'), () => store.read('lease#a')]) {
        const error: unknown = await attempt().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StateUnavailable);
        expect(String(error)).toContain(`The state table ${tableName} holds what this Offpeak has not written`);
        expect(String(error)).toContain(`the item "lease#a" ${problem}`);
        expect(String(error)).not.toContain('hunter2');
      }
    });

    test('a write that meets one is refused as well', async () => {
      const Item = { pk: { S: 'state' }, sk: { S: 'lease#a' }, ...WITHOUT_TOKEN };
      await client.send(new PutItemCommand({ TableName: tableName, Item }));
      await expect(store.write('lease#a', 1, undefined)).rejects.toThrow(StateUnavailable);
      await expect(store.remove('lease#a', 8)).rejects.toThrow('has no text under "token"');
    });
  });
});
