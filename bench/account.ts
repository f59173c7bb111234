import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { findDefragServer } from '../cli/lab/find.ts';
import { startServer } from '../cli/lab/start.ts';
import { buildFunctions } from '../infra/build.ts';
import { FUNCTIONS } from '../infra/functions.ts';
import { loadConfig } from '../infra/load.ts';
import { makeWorkspace } from '../test/infra/workspace.ts';
import { awsEnv } from '../test/support/aws-proxy.ts';
import { createDeployedTable, deploymentOf } from '../test/support/deployed.ts';
import type { Deployment } from '../test/support/lambda-runtime.ts';
import { startMoto } from '../test/support/moto.ts';
import { startSlackEndpoint } from '../test/support/slack-endpoint.ts';
import { aNotification, anEvent } from '../test/unit/functions/notify-slack/sns-events.ts';

type Account = Awaited<ReturnType<typeof openAccount>>;

/** The surroundings of the functions: a packaged stack, a healthy server, and an AWS account. Everything ends with the stack. @throws Error when a part of it is missing */
export async function openAccount(stack: AsyncDisposableStack) {
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
  // `refs`: what CloudFormation would know; `env` points the SDK to the account.
  return { workspace, built, refs, env, slackHost: slack.host };
}

const fileOf = (port: number) => `
notifications: { slack: { webhook: "ssm:/offpeak/slack" } }
instances:
  - id: sessions
    url: redis://127.0.0.1:${port}
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
`;

/** What is measured. */
export interface Subject {
  readonly name: string;
  /** The module with the handler. */
  readonly entry: string;
  readonly entryBytes: number;
  readonly deployment: Deployment;
  /** A function that does nothing, in the same environment: what Node and the runtime cost alone. */
  readonly empty: Deployment;
  /** A new one at each call. */
  event(): unknown;
}

const PRELOAD = join(import.meta.dirname, '..', 'test', 'support', 'preload-slack.ts');

/** The packaged functions, with events that they handle to the end: a check of a healthy server, a post to Slack. */
export function subjectsOf(account: Account, emptyFolder: string): readonly Subject[] {
  const { workspace, built, refs, env, slackHost } = account;
  const slack = { NODE_OPTIONS: `--import=${PRELOAD}`, SLACK_STAND_IN: slackHost };
  const subject = (key: 'maintain' | 'notifySlack', own: Readonly<Record<string, string>>, event: () => unknown) => {
    const name = FUNCTIONS[key];
    const packaged = deploymentOf(workspace, key, refs);
    const deployment = { ...packaged, env: { ...packaged.env, ...env, ...own } };
    return {
      name,
      entry: join(workspace.folder, `${deployment.handler.replace(/\.[^.]+$/, '')}.mjs`),
      entryBytes: built.find(({ folder }) => folder === name)?.entryBytes ?? Number.NaN,
      deployment,
      empty: { ...deployment, zip: emptyFolder, handler: 'index.handler' },
      event,
    };
  };
  return [
    subject('maintain', {}, () => ({ source: 'aws.scheduler' })),
    subject('notifySlack', slack, () => anEvent(aNotification())),
  ];
}

/** A package whose handler returns nothing. */
export function emptyPackage(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-empty-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => {};\n');
  return folder;
}
