import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMoto, type Moto, startMoto } from '../support/moto.ts';
import { stackFile } from './stacks.ts';
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

    expect(await workspace.run(['remove', '--stage', 'prod'], env)).toMatchObject({ code: 0 });
    expect(await topics()).toEqual([]);
  });

  async function topics(): Promise<readonly (string | undefined)[]> {
    const sns = new SNSClient({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
    const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
    return Topics.map(({ TopicArn }) => TopicArn?.split(':').at(-1));
  }

  async function table() {
    const dynamo = new DynamoDBClient({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
    const { TableNames = [] } = await dynamo.send(new ListTablesCommand({}));
    expect(TableNames).toHaveLength(1);
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: TableNames[0] }));
    return Table;
  }
});
