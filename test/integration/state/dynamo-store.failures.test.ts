import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { beforeEach, expect, test } from 'vitest';
import { type StateStore, StateUnavailable } from '../../../core/ports/state-store.ts';
import { createDynamoStore } from '../../../core/state/dynamodb/store.ts';
import type { AwsProxy, FaultKind } from '../../support/aws-proxy.ts';
import { createStateTable, stateTables } from '../../support/dynamo-table.ts';
import { describeWithMoto } from '../../support/moto.ts';

const OPERATIONS = ['Query', 'GetItem', 'BatchGetItem', 'UpdateItem'] as const;

describeWithMoto('a state table that fails', () => {
  const current = stateTables();
  let proxy: AwsProxy;
  let client: DynamoDBClient;
  let tableName: string;
  let store: StateStore;

  beforeEach(() => {
    ({ proxy, client, tableName } = current());
    store = createDynamoStore(client, { tableName });
  });

  const faultAll = (kind: FaultKind, times?: number) => {
    for (const operation of OPERATIONS) proxy.fault({ operation, kind, ...(times !== undefined && { times }) });
  };
  const everyMethod = (on: StateStore) =>
    ({
      list: () => on.list('lease#'),
      read: () => on.read('lease#a'),
      readAll: () => on.readAll(['lease#a', 'history#a']),
      write: () => on.write('lease#a', { holder: 'me' }, undefined),
      remove: () => on.remove('lease#a', 1),
    }) satisfies Record<keyof StateStore, () => Promise<unknown>>;

  async function refusalsOf(on: StateStore): Promise<Record<string, string>> {
    const attempts = Object.entries(everyMethod(on)).map(async ([name, attempt]) => {
      const error: unknown = await attempt().catch((reason: unknown) => reason);
      expect(error, name).toBeInstanceOf(StateUnavailable);
      return [name, error instanceof Error ? error.message : ''] as const;
    });
    return Object.fromEntries(await Promise.all(attempts));
  }

  test.each<[FaultKind, RegExp]>([
    [
      'throttle',
      /ThrottlingException: Rate exceeded \(tried 3 times\)\. Too much is asked of it at once: the next run/,
    ],
    [
      'deny',
      /AccessDenied.*\. Allow this role dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query and dynamodb:UpdateItem on the table/,
    ],
    ['error', /InternalFailure.*\(tried 3 times\)\. DynamoDB itself failed: the next run tries again\./],
    ['reset', /(ECONNRESET|socket hang up).*\. No answer comes from it: a VPC without NAT needs a gateway endpoint/],
    ['hang', /TimeoutError: .*\. No answer comes from it/],
  ])('%s: every method says that the state cannot be known, which table, and what to do', async (kind, words) => {
    faultAll(kind);
    const refusals = await refusalsOf(store);
    for (const [method, message] of Object.entries(refusals)) {
      expect(message, method).toMatch(words);
      const attempt = ['list', 'read', 'readAll'].includes(method) ? 'read' : 'written';
      expect(message, method).toMatch(new RegExp(`^The state table ${tableName} cannot be ${attempt}: `));
      expect(message, method).toMatch(/^\P{Cc}{1,700}$/u);
    }
  });

  test.each<FaultKind>(['error', 'reset'])('after %s nobody claims to know whether a change was made', async (kind) => {
    faultAll(kind);
    const { list, read, write, remove } = await refusalsOf(store);
    for (const message of [write, remove]) expect(message).toContain('Whether the change was made is not known');
    for (const message of [list, read]) expect(message).not.toContain('Whether');
  });

  test('an answer that breaks off is none', async () => {
    const written = await store.write('lease#a', { holder: 'me' }, undefined);
    faultAll('garble');
    const { list, read, remove } = await refusalsOf(store);
    for (const message of [list, read]) expect(message).toContain('DynamoDB itself failed: the next run tries again.');
    expect(remove).toContain('Whether the change was made is not known');
    proxy.clear();
    expect(await store.read('lease#a')).toEqual({
      value: { holder: 'me' },
      version: written.stored && written.version,
    });
  });

  test.each<FaultKind>(['throttle', 'error', 'reset'])('%s that passes is not noticed', async (kind) => {
    faultAll(kind, 1);
    expect((await store.list('')).size).toBe(0);
    expect(await store.read('k')).toBeUndefined();
    const written = await store.write('k', 1, undefined);
    expect(await store.list('')).toEqual(new Map([['k', { value: 1, version: written.stored && written.version }]]));
    expect(proxy.requests.map(({ outcome }) => outcome).filter((outcome) => outcome === kind)).toHaveLength(3);
  });

  test('keys that are not processed at first are asked for again', async () => {
    const written = await store.write('history#a', 1, undefined);
    proxy.clear();
    proxy.fault({ operation: 'BatchGetItem', kind: 'unprocessed', times: 2 });
    const version = written.stored && written.version;
    expect(await store.readAll(['history#a', 'history#b'])).toEqual(new Map([['history#a', { value: 1, version }]]));
    expect(proxy.requests).toHaveLength(3);
  });

  test('keys that are never processed are unknown, not absent', async () => {
    proxy.fault({ operation: 'BatchGetItem', kind: 'unprocessed' });
    await expect(store.readAll(['history#a'])).rejects.toThrow(
      /ProvisionedThroughputExceededException: 1 of 1 keys were not processed\. Too much is asked of it at once/,
    );
  });

  test('a table that is not there', async () => {
    const lost = createDynamoStore(client, { tableName: 'offpeak-nowhere' });
    for (const message of Object.values(await refusalsOf(lost))) {
      expect(message).toMatch(/^The state table offpeak-nowhere cannot be (read|written): ResourceNotFoundException: /);
      expect(message).toContain('Deploy the stack that makes the table, or correct STATE_TABLE and AWS_REGION.');
    }
  });

  test('a table with other keys', async () => {
    const foreign = await createStateTable(client, { pk: 'id', sk: 'when' });
    const refusals = await refusalsOf(createDynamoStore(client, { tableName: foreign.tableName }));
    for (const message of Object.values(refusals)) {
      expect(message).toMatch(
        /ValidationException: .*It needs the partition key "pk" and the sort key "sk", both of type S/,
      );
    }
  });

  test.each(['', 'a', 'with space', 'x'.repeat(256), 'arn:aws:dynamodb:eu-west-1:123456789012:table/t'])(
    'the name %j is refused before any call',
    (name) => {
      expect(() => createDynamoStore(client, { tableName: name })).toThrow(
        `tableName: ${JSON.stringify(name)} is not the name of a table: accepted are 3 to 255 letters`,
      );
    },
  );
});
