import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { leaseKey } from '../../core/state/keys.ts';
import { aLease } from '../support/builders.ts';
import { describeWithMoto, type Moto, startMoto } from '../support/moto.ts';
import { refusedPort } from '../support/offpeak.ts';
import { stackFile } from '../unit/infra/stacks.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/**
 * A smoke test: moto's CloudFormation skips alarms, schedules, dashboards, subscriptions and policies in silence. What it does create, and that the
 * command goes through to its end and back, is what is shown here; what it skips, cfn-lint reads.
 */
describeWithMoto('one command deploys a stage, and one removes it', () => {
  let moto: Moto;
  let workspace: Workspace;
  let env: Record<string, string>;

  beforeAll(async () => {
    moto = await startMoto();
    workspace = makeWorkspace();
    workspace.config('prod', stackFile());
    env = {
      AWS_ENDPOINT_URL: moto.url.replace('127.0.0.1', 'localhost'),
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: REGION,
      NODE_OPTIONS: `--require=${join(import.meta.dirname, 'localhost-names.cjs')}`,
    };
  });

  afterAll(async () => {
    workspace?.[Symbol.dispose]();
    await moto?.stop();
  });

  test('with its topic and its table', { timeout: 240_000 }, async () => {
    const said = await workspace.run(['deploy', '--stage', 'prod'], env);
    expect(said.output).toContain('deployed to stack offpeak-prod');
    expect(said.code).toBe(0);
    expect(await topics()).toEqual(['offpeak-prod-alerts']);
    expect(await table()).toMatchObject({
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });

    const removed = await workspace.run(['remove', '--stage', 'prod'], env);
    expect(removed.code).toBe(0);
    expect(await topics()).toEqual([]);
    // F18: it stays, is protected, and what deletes it is said.
    const { TableName, DeletionProtectionEnabled } = (await table()) ?? {};
    expect(DeletionProtectionEnabled).toBe(true);
    expect(removed.output).toContain(`The table ${TableName} stays`);
    expect(removed.output).toContain(
      `aws dynamodb update-table --region ${REGION} --table-name ${TableName} --no-deletion-protection-enabled`,
    );
  });

  test('F18: without --force, nothing is removed while leases are on or cannot be read', {
    timeout: 240_000,
  }, async () => {
    await moto.reset();
    expect(await workspace.run(['deploy', '--stage', 'prod'], env)).toMatchObject({ code: 0 });
    const tableName = (await table())?.TableName ?? '';
    const client = dynamo();
    const store = createDynamoStore(client, { tableName });
    const lease = aLease({ instance: 'carts', node: 'carts-2.example:6379', expiresAt: Date.UTC(2026, 10, 27, 3, 30) });
    await store.write(leaseKey('carts'), lease, undefined);
    await store.write(leaseKey('sessions'), { by: 'a later version' }, undefined);

    const refused = await workspace.run(['remove', '--stage', 'prod'], env);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(
      `carts carts-2.example:6379: held until Fri 2026-11-27 03:30 UTC (table ${tableName})`,
    );
    expect(refused.output).toContain('the document lease#sessions cannot be read');
    expect(refused.output).toContain('npx offpeak release -c config/prod.yml');
    expect(refused.output).toContain('Nothing was removed. To remove it anyway: --force');

    const elsewhere = { ...env, AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${await refusedPort()}` };
    const unread = await workspace.run(['remove', '--stage', 'prod'], elsewhere);
    expect(unread.code).toBe(1);
    expect(unread.output).toContain('The leases of the stage prod cannot be read: ');
    expect(await topics()).toEqual(['offpeak-prod-alerts']);

    const forced = await workspace.run(['remove', '--stage', 'prod', '--force'], env);
    expect(forced.output).toContain('Removing anyway: --force');
    expect(forced.code).toBe(0);
    expect(await topics()).toEqual([]);
    expect((await store.list('lease#')).size).toBe(2);
    client.destroy();
  });

  const dynamo = () => new DynamoDBClient({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });

  async function topics(): Promise<readonly (string | undefined)[]> {
    const sns = new SNSClient({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
    const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
    return Topics.map(({ TopicArn }) => TopicArn?.split(':').at(-1));
  }

  async function table() {
    const client = dynamo();
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    expect(TableNames).toHaveLength(1);
    const { Table } = await client.send(new DescribeTableCommand({ TableName: TableNames[0] }));
    client.destroy();
    return Table;
  }
});
