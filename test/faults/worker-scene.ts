import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { z } from 'zod';
import { ENVIRONMENT } from '../../core/config/environment.ts';
import { HOUR, MINUTE } from '../../core/config/units.ts';
import { ALERT_HELD } from '../../core/domain/timings.ts';
import type { StateStore } from '../../core/ports/state-store.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { putPause } from '../../core/state/pauses.ts';
import type { Workspace } from '../infra/workspace.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import type { AwsCall } from '../support/aws-wire.ts';
import { datumsOf } from '../support/aws-wire.ts';
import { deploymentOf } from '../support/deployed.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type AwsBackend, SCHEDULED } from '../support/lambda.ts';
import type { Ric } from '../support/lambda-ric.ts';
import { type Invocation, startFunction } from '../support/lambda-runtime.ts';
import { callSqs, createQueue, type MotoQueue } from '../support/moto-queue.ts';
import { messesOf, type Settings } from './messes.ts';
import { type CleanedUp, HOLED, type Place } from './scene.ts';

/** So short that the message comes again within the test: the template has twice a worker's time. */
export const VISIBILITY_SECONDS = 3;
/** A worker's time ends right after its first tick: it follows no defrag. */
const TIMEOUT_MS = 74_000;
/** By then an alert of a job that has died is anybody's. */
const LATER = {
  NODE_OPTIONS: `--import=${join(import.meta.dirname, '../support/preload-clock.ts')}`,
  CLOCK_JUMP_MS: String(ALERT_HELD + MINUTE),
};
/** A mess is not taken for one before nobody comes for it in so many ticks. */
const MOST_TICKS = 3;

const Received = z.object({
  Messages: z.array(z.object({ MessageId: z.string(), Body: z.string(), ReceiptHandle: z.string() })).default([]),
});

export type Message = z.infer<typeof Received>['Messages'][number];

/** Where the worker is when it is killed: the call of AWS that it never gets an answer to. */
export interface Moment {
  readonly operation: string;
  readonly when?: (call: AwsCall) => boolean;
}

export interface QueuedScene extends AsyncDisposable {
  readonly store: StateStore;
  readonly queue: MotoQueue;
  /** A tick of the dispatch, with the message that it has sent. */
  handOut(): Promise<Message>;
  receive(from?: MotoQueue): Promise<readonly Message[]>;
  /** A worker gets it; what is not said to have failed is deleted. */
  deliver(message: Message): Promise<Invocation>;
  /** The same, and at that moment its process is killed. */
  killedAt(moment: Moment, message: Message): Promise<void>;
  /** How many nodes workers have reported since the last call of this. */
  reported(): number;
  /** How often active defrag was switched on. */
  starts(): Promise<number>;
  /** Pauses the instance, and hands out until nothing is left. */
  cleanUp(before: Settings): Promise<CleanedUp>;
  told(): Promise<readonly string[]>;
}

interface Deployed {
  readonly ric: Ric;
  readonly aws: AwsBackend;
  readonly workspace: Workspace;
  readonly place: Place;
}

let scenes = 0;

/** From now on the server keeps every command: MONITOR leaves out those of administrators. */
export async function watchStarts(redis: Redis): Promise<void> {
  await redis.config('SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '1000000');
}

async function startsOf(redis: Redis): Promise<number> {
  const entries = z.array(z.tuple([z.number(), z.number(), z.number(), z.array(z.string())], z.unknown()));
  return entries.parse(await redis.call('SLOWLOG', 'GET', '-1')).filter(([, , , command]) => {
    const [name = '', sub = '', ...rest] = command.map((word) => word.toLowerCase());
    const isOn = rest.some((word, at) => word === 'activedefrag' && rest[at + 1] === 'yes');
    return name === 'config' && sub === 'set' && isOn && !rest.includes('offpeak-asks-only');
  }).length;
}

/** The packaged dispatch and worker on the place, with a table and a queue of their own. */
export async function queuedScene(
  { ric, aws, workspace, place }: Deployed,
  attributes: Readonly<Record<string, string>> = {},
): Promise<QueuedScene> {
  await using stack = new AsyncDisposableStack();
  await refragmented(place.redis, HOLED);
  const dynamo = stack.adopt(new DynamoDBClient({}), (client) => client.destroy());
  const { tableName } = await createStateTable(dynamo);
  const store = createDynamoStore(dynamo, { tableName });
  const VisibilityTimeout = String(VISIBILITY_SECONDS);
  const queue = await createQueue(aws.motoUrl, `batches-${++scenes}`, { VisibilityTimeout, ...attributes });
  const refs = { StateTable: tableName, AlertTopic: aws.topicArn, BatchQueue: queue.url };
  const start = async (name: 'dispatch' | 'work', more: Readonly<Record<string, string>> = {}) => {
    const deployment = deploymentOf(workspace, name, refs);
    const env = { ...deployment.env, ...awsEnv(aws.proxy.url), ...more };
    // Lambda tells the time that is left by the clock.
    const timeoutMs = TIMEOUT_MS + Number(more.CLOCK_JUMP_MS ?? 0);
    return stack.use(await startFunction(ric, { ...deployment, env, timeoutMs }));
  };
  const [dispatch, work] = [await start('dispatch'), await start('work')];
  const unread = await createQueue(aws.motoUrl, `batches-${scenes}-unread`);
  const later = await start('dispatch', { ...LATER, [ENVIRONMENT.batchQueueUrl]: unread.url });
  await place.redis.call('SLOWLOG', 'RESET');

  const receive = async ({ url: QueueUrl }: MotoQueue = queue) =>
    Received.parse(await callSqs(aws.motoUrl, 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 })).Messages;
  const handOut = async () => {
    expect(await dispatch.invoke(SCHEDULED)).toMatchObject({ ok: true, payload: { nodes: 2, batches: 1 } });
    const [message, ...more] = await receive();
    if (!message || more.length > 0) throw new Error('one message expected');
    return message;
  };
  const invoke = ({ MessageId, Body, ReceiptHandle }: Message) =>
    work.invoke({
      Records: [
        {
          ...{ messageId: MessageId, body: Body, receiptHandle: ReceiptHandle, md5OfBody: '' },
          ...{ attributes: {}, messageAttributes: {} },
          ...{ eventSource: 'aws:sqs', eventSourceARN: queue.arn, awsRegion: 'eu-west-1' },
        },
      ],
    });
  const deliver = async (message: Message) => {
    const run = await invoke(message);
    expect(run).toMatchObject({ ok: true, payload: { batchItemFailures: [] } });
    const { ReceiptHandle } = message;
    await callSqs(aws.motoUrl, 'DeleteMessage', { QueueUrl: queue.url, ReceiptHandle });
    return run;
  };
  const told = new Set<string>();
  const hear = async () => {
    for (let some = await aws.queue.receive(); some.length > 0; some = await aws.queue.receive()) {
      for (const { MessageAttributes } of some)
        if (MessageAttributes.instance?.Value === 'ill') told.add(MessageAttributes.event?.Value ?? '?');
    }
  };
  await hear();
  told.clear();
  aws.proxy.clear();
  const owned = stack.move();
  return {
    store,
    queue,
    handOut,
    receive,
    deliver,
    async killedAt({ operation, when }, message) {
      aws.proxy.fault({ operation, kind: 'hang', ...(when && { when }) });
      const invocation = invoke(message);
      await expect.poll(() => aws.proxy.requests.some(({ outcome }) => outcome === 'hang')).toBe(true);
      work.crash();
      expect(await invocation).toMatchObject({ ok: false, error: { errorType: 'Runtime.ExitError' } });
      aws.proxy.clear();
    },
    reported() {
      const all = datumsOf(aws.proxy.requests).filter(({ MetricName }) => MetricName === 'NodesReported');
      aws.proxy.clear();
      return all.reduce((sum, { Value = 0 }) => sum + Number(Value), 0);
    },
    starts: () => startsOf(place.redis),
    async cleanUp(before) {
      const at = Date.now();
      await putPause(store, 'ill', { until: at + HOUR, reason: 'fault', by: 'test', at });
      for (let clean = 1; ; clean++) {
        await deliver(await handOut());
        // What the workers had to say is sent by a dispatch that comes when they have had their time for it.
        expect(await later.invoke(SCHEDULED)).toMatchObject({ ok: true });
        const messes = messesOf(before, await settingsOf(place.redis), await store.list(''));
        if (messes.length === 0 || clean === MOST_TICKS) return { clean, messes };
      }
    },
    async told() {
      await hear();
      return [...told];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
