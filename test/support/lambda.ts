import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import { vi } from 'vitest';
import { ENVIRONMENT } from '../../core/config/environment.ts';
import type { AwsProxy } from './aws-proxy.ts';
import { awsStandIn } from './aws-stand-in.ts';
import { createQueue, type MotoQueue } from './moto-queue.ts';

/** What EventBridge Scheduler sends. */
export const SCHEDULED = {
  version: '0',
  id: '3f2c1a5e-0d1b-4b58-9a57-5e1f0f6a7c11',
  'detail-type': 'Scheduled Event',
  source: 'aws.scheduler',
  account: '123456789012',
  time: '2026-11-24T02:15:00Z',
  region: 'eu-west-1',
  resources: ['arn:aws:scheduler:eu-west-1:123456789012:schedule/default/offpeak-test'],
  detail: '{}',
} as const;

/** A context as Lambda hands it over: its time runs down from `budget` milliseconds. */
export function contextOf(budget = 120_000): Context {
  const end = performance.now() + budget;
  const name = 'offpeak-test-maintain';
  const unused = () => undefined;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-west-1:123456789012:function:${name}`,
    memoryLimitInMB: '256',
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: '2026/11/24/[$LATEST]58419525dade4d17a495dceeeed44708',
    getRemainingTimeInMillis: () => Math.max(0, end - performance.now()),
    done: unused,
    fail: unused,
    succeed: unused,
  };
}

/** A container of Lambda's: the function's own modules, fresh, in an environment and with files of its own. */
export interface Container extends Disposable {
  readonly stateFile: string;
  /** Calls the exported handler as the runtime does. */
  invoke(context?: Context): Promise<unknown>;
  readonly configFile: string;
  /** Every line that was logged, parsed. */
  readonly logs: Readonly<Record<string, unknown>>[];
}

/** `env`: over what a deployment sets; undefined unsets a variable. */
export function aContainer(yaml: string, env: Readonly<Record<string, string | undefined>> = {}): Container {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-lambda-'));
  const [configFile, stateFile] = [join(folder, 'test.yml'), join(folder, 'state.db')];
  writeFileSync(configFile, yaml);
  // With POWERTOOLS_DEV the logger writes to the console that can be listened to, not to the process' own streams.
  const own = {
    POWERTOOLS_DEV: 'true',
    [ENVIRONMENT.stage]: 'test',
    [ENVIRONMENT.configFile]: configFile,
    [ENVIRONMENT.stateFile]: stateFile,
    ...env,
  };
  const outer = Object.keys(own).map((key) => [key, process.env[key]] as const);
  for (const [key, value] of Object.entries(own)) vi.stubEnv(key, value);
  const logs: Record<string, unknown>[] = [];
  const listen = (line: unknown) => void logs.push(JSON.parse(String(line)));
  const spies = (['info', 'warn', 'error', 'debug'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(listen),
  );
  vi.resetModules();
  const loaded = import('../../functions/maintain/handler.ts');
  return {
    stateFile,
    logs,
    configFile,
    async invoke(context = contextOf()) {
      const { handler } = await loaded;
      return await handler(SCHEDULED, context);
    },
    [Symbol.dispose]() {
      for (const spy of spies) spy.mockRestore();
      for (const [key, value] of outer) vi.stubEnv(key, value);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** moto behind the proxy, with the topic of the alerts and a queue that is subscribed to it. */
export interface AwsBackend extends AsyncDisposable {
  readonly proxy: AwsProxy;
  /** What the proxy stands before. */
  readonly motoUrl: string;
  readonly cloudwatch: CloudWatchClient;
  readonly queue: MotoQueue;
  readonly topicArn: string;
}

/** Leads the SDK of this process there, until the environment is unstubbed. */
export async function awsBackend(): Promise<AwsBackend> {
  const standIn = await awsStandIn();
  const { moto, proxy } = standIn;
  const sns = new SNSClient({});
  const cloudwatch = new CloudWatchClient({});
  const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'offpeak-alerts' }));
  const queue = await createQueue(moto.url, 'subscriber');
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn }));
  vi.stubEnv(ENVIRONMENT.alertTopicArn, topicArn);
  proxy.clear();
  return {
    proxy,
    motoUrl: moto.url,
    cloudwatch,
    queue,
    topicArn,
    async [Symbol.asyncDispose]() {
      for (const client of [sns, cloudwatch]) client.destroy();
      await standIn[Symbol.asyncDispose]();
    },
  };
}
