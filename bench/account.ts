import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { findDefragServer } from '../cli/lab/find.ts';
import { startServer } from '../cli/lab/start.ts';
import { type Built, buildFunctions } from '../infra/build.ts';
import { loadConfig } from '../infra/load.ts';
import { makeWorkspace, type Workspace } from '../test/infra/workspace.ts';
import { awsEnv } from '../test/support/aws-proxy.ts';
import { createDeployedTable } from '../test/support/deployed.ts';
import { startMoto } from '../test/support/moto.ts';
import { startSlackEndpoint } from '../test/support/slack-endpoint.ts';

/** The surroundings of the functions: a packaged stack, a healthy server, and an AWS account. */
export interface Account {
  readonly workspace: Workspace;
  readonly built: readonly Built[];
  /** What CloudFormation would know. */
  readonly refs: Readonly<Record<string, string>>;
  /** Points the SDK to the account. */
  readonly env: Readonly<Record<string, string>>;
  /** `host:port` of the local Slack. */
  readonly slackHost: string;
}

/** Everything ends with the stack. @throws Error when a part of it is missing */
export async function openAccount(stack: AsyncDisposableStack): Promise<Account> {
  const server = await findDefragServer({ log: (line) => process.stderr.write(`${line}\n`) });
  if (server.kind === 'missing') throw new Error(`${server.reason}. ${server.install}`);
  const redis = stack.use(await startServer(server));
  const moto = stack.use(await startMoto());
  const slack = stack.use(await startSlackEndpoint());
  const workspace = stack.use(makeWorkspace());
  workspace.config('prod', fileOf(redis.port));
  const built = await buildFunctions(workspace.folder, loadConfig(workspace.folder, 'prod'));
  const { code, output } = await workspace.run(['package', '--stage', 'prod']);
  if (code !== 0) throw new Error(`packaging ended with ${code}:\n${output}`);
  const env = awsEnv(moto.url);
  Object.assign(process.env, env);
  const StateTable = await createDeployedTable(workspace, new DynamoDBClient({}), 'StateTable');
  const { TopicArn: AlertTopic = '' } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'offpeak-prod' }));
  const Value = `https://hooks.slack.com${new URL(slack.url).pathname}`;
  await new SSMClient({}).send(new PutParameterCommand({ Name: '/offpeak/slack', Value, Type: 'SecureString' }));
  const refs = { StateTable, AlertTopic, 'AWS::Region': 'eu-west-1' };
  return { workspace, built, refs, env, slackHost: slack.host };
}

function fileOf(port: number): string {
  return `
notifications: { slack: { webhook: "ssm:/offpeak/slack" } }
instances:
  - id: sessions
    url: redis://127.0.0.1:${port}
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
`;
}
