import { CreateTableCommand, type DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createDynamoClient } from '../../core/adapters/aws/clients.ts';
import type { AwsProxy } from './aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from './aws-stand-in.ts';

let made = 0;

/**
 * A table as the stack makes it, empty; no name comes twice in a test run.
 *
 * @param keys other keys than the right ones, for a table that is none of ours
 */
export async function createStateTable(
  client: DynamoDBClient,
  keys: { readonly pk: string; readonly sk: string } = { pk: 'pk', sk: 'sk' },
): Promise<{ readonly tableName: string }> {
  made += 1;
  const TableName = `offpeak-test-${made}`;
  const command = new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: Object.values(keys).map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: [
      { AttributeName: keys.pk, KeyType: 'HASH' },
      { AttributeName: keys.sk, KeyType: 'RANGE' },
    ],
  });
  await client.send(command).catch((error: unknown) => {
    // On a busy machine the first answer came too late, and the client has asked again.
    if (!(error instanceof ResourceInUseException)) throw error;
  });
  return { tableName: TableName };
}

/** What each test works with: a table and a client of its own, and the proxy that records and fails its calls. */
interface TableUnderTest {
  readonly proxy: AwsProxy;
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

/** Sets up moto behind the proxy for the tests of the surrounding `describe`, and leads this process' SDK there. */
export function stateTables(): () => TableUnderTest {
  let aws: AwsStandIn | undefined;
  let proxy: AwsProxy | undefined;
  let current: TableUnderTest | undefined;

  beforeAll(async () => {
    aws = await awsStandIn();
    proxy = aws.proxy;
  });
  afterAll(async () => {
    await aws?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    if (proxy === undefined) throw new Error('moto has not started');
    proxy.clear();
    // A client that has tried again too often stops doing so until calls succeed: each test has its own.
    const client = createDynamoClient();
    const { tableName } = await createStateTable(client);
    proxy.clear();
    current = { proxy, client, tableName };
  });
  afterEach(() => current?.client.destroy());

  return () => {
    if (current === undefined) throw new Error('only a running test has a table');
    return current;
  };
}
