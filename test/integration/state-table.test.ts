import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { ENVIRONMENT } from '../../core/config/environment.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { messagesOf } from '../support/aws-wire.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { clientOf, settingsOf } from '../support/fragmented.ts';
import { configYaml } from '../support/job.ts';
import { type AwsBackend, aContainer, awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

describeWithMoto('the exported handler with its state in a table', () => {
  describe.skipIf(lacksServer('defrag'))('on a server on which a human has switched defrag on', () => {
    let aws: AwsBackend;
    let dynamo: DynamoDBClient;
    let server: RunningServer;
    let redis: Redis;
    let tableName: string;

    beforeAll(async () => {
      aws = await awsBackend();
      dynamo = new DynamoDBClient({});
      server = await defragServer();
      redis = clientOf(server);
      await redis.config('SET', 'activedefrag', 'yes');
    });
    afterAll(async () => {
      redis?.disconnect();
      dynamo?.destroy();
      await server?.stop();
      await aws?.[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      ({ tableName } = await createStateTable(dynamo));
      aws.proxy.clear();
    });
    afterEach(() => aws.proxy.clear());

    const container = (env: Record<string, string | undefined> = {}) =>
      aContainer(configYaml(server.port), {
        [ENVIRONMENT.stateFile]: undefined,
        [ENVIRONMENT.stateTable]: tableName,
        ...env,
      });
    const events = () => messagesOf(aws.proxy.requests).map(({ attributes }) => attributes.event?.value);

    test('what one container remembers, the next one knows', async () => {
      for (let n = 0; n < 2; n++) {
        using one = container();
        expect(await one.invoke()).toMatchObject({ ticks: 1, nodes: 1 });
      }
      expect(events()).toEqual(['foreign-defrag']);
      const documents = await createDynamoStore(dynamo, { tableName }).list('');
      expect([...documents.keys()]).toEqual([
        `history#127.0.0.1:${server.port}`,
        expect.stringMatching(/^run#[0-9a-f]{40}$/),
      ]);
    });

    test('a table that denies fails the invocation, after it has been told, with nothing done', async () => {
      const before = await settingsOf(redis);
      aws.proxy.fault({ operation: 'Query', kind: 'deny' });
      using one = container();
      await expect(one.invoke()).rejects.toThrow(
        new RegExp(`^the state could not be read: The state table ${tableName} cannot be read: AccessDenied`),
      );
      expect(events()).toEqual(['state-unavailable']);
      expect(await settingsOf(redis)).toEqual(before);
    });

    test.each([
      [
        'both',
        { [ENVIRONMENT.stateFile]: 'state.json' },
        'STATE_TABLE and STATE_FILE are both set: accepted is one of',
      ],
      ['an empty name', { [ENVIRONMENT.stateTable]: '' }, 'STATE_TABLE is set and empty: accepted is'],
      [
        'no name',
        { [ENVIRONMENT.stateTable]: 'a b' },
        'STATE_TABLE cannot be used: tableName: "a b" is not the name of a',
      ],
    ])('%s is refused before anything is called', async (_, env, words) => {
      using one = container(env);
      await expect(one.invoke()).rejects.toMatchObject({
        name: 'EnvironmentError',
        message: expect.stringContaining(words),
      });
      expect(aws.proxy.requests).toEqual([]);
    });
  });
});
