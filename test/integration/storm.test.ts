import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createAlertSink } from '../../core/adapters/aws/sns.ts';
import { flush } from '../../core/alerts/outbox.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Log } from '../../core/ports/log.ts';
import type { StateStore } from '../../core/ports/state-store.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { OUTBOX } from '../../core/state/keys.ts';
import { runs } from '../fuzz/runs.ts';
import { aStore } from '../model/store.ts';
import { messagesOf } from '../support/aws-wire.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { type AwsBackend, awsBackend, contextOf } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { type QueueSource, queueSource } from '../support/queue-source.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../support/slack-endpoint.ts';
import { stormOf, stormOfKind } from '../support/storm.ts';
import { resourcesOf } from '../unit/infra/stacks.ts';

/** A tenth of the real pace: Slack's and the function's own. */
const SLACK_INTERVAL = 100;
const wait = (duration: number) => pause(duration / 10);

/** What the template says of the queue and of how Lambda reads it. */
const STACK = z.object({
  NotifySlackQueue: z.object({
    Properties: z.object({ RedrivePolicy: z.object({ maxReceiveCount: z.number() }), VisibilityTimeout: z.number() }),
  }),
  NotifySlackQueueSource: z.object({
    Properties: z.object({ BatchSize: z.number(), ScalingConfig: z.object({ MaximumConcurrency: z.number() }) }),
  }),
});
const { NotifySlackQueue, NotifySlackQueueSource } = STACK.parse(resourcesOf());
const { maxReceiveCount } = NotifySlackQueue.Properties.RedrivePolicy;
const { BatchSize, ScalingConfig } = NotifySlackQueueSource.Properties;

const START = Date.now();
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

describeWithMoto('F11: the events of one tick in which much happened, from the outbox to Slack', () => {
  const stack = new AsyncDisposableStack();
  let aws: AwsBackend;
  let slack: SlackEndpoint;
  let source: QueueSource;
  let table: StateStore;
  beforeAll(async () => {
    aws = stack.use(await awsBackend());
    slack = stack.use(await startSlackEndpoint());
    source = await queueSource(aws.motoUrl, { maxReceiveCount, batchSize: BatchSize });
    const sns = stack.adopt(new SNSClient({}), (client) => client.destroy());
    await sns.send(new SubscribeCommand({ TopicArn: aws.topicArn, Protocol: 'sqs', Endpoint: source.queue.arn }));
    // Without a limit of time: on a busy machine moto takes longer over so many calls at once than the job's client waits.
    const client = stack.adopt(new DynamoDBClient({}), (one) => one.destroy());
    const { tableName } = await createStateTable(client);
    table = createDynamoStore(client, { tableName });
  });
  afterAll(() => stack.disposeAsync());
  beforeEach(() => {
    slack.clear();
    aws.proxy.clear();
    vi.resetModules();
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.stubEnv('SLACK_WEBHOOK', 'env:TEST_SLACK_ADDRESS');
    vi.stubEnv('TEST_SLACK_ADDRESS', slack.url);
    for (const level of ['info', 'warn', 'error'] as const) vi.spyOn(console, level).mockImplementation(() => {});
  });
  afterEach(() => void vi.restoreAllMocks());

  // Claims have half a minute; this machine may be busy with something else for that long.
  const clock = { now: () => START, sleep: async () => {}, pause: async () => {} };
  const portsWith = (store: StateStore) => ({
    store,
    clock,
    log: silent,
    alerts: createAlertSink({ topicArn: aws.topicArn }),
  });
  /** Containers of the Slack function, as many as there may be at once. */
  async function containers(): Promise<readonly ((event: unknown) => Promise<unknown>)[]> {
    const { createHandler } = await import('../../functions/notify-slack/handler.ts');
    return Array.from({ length: ScalingConfig.MaximumConcurrency }, () => {
      const handler = createHandler({ allowedHosts: [slack.host], wait });
      return async (event) => await handler(event, contextOf(59_000));
    });
  }
  /** What is not answered within three seconds is posted again, on a machine that is busy enough. */
  const shownOnce = () => [...new Set(slack.shown().map((message) => JSON.stringify(message)))];
  const placesIn = (messages: readonly unknown[], alerts: readonly Alert[]) => {
    const text = JSON.stringify(messages);
    return alerts.filter(({ node }) => text.includes(node)).length;
  };

  test.each<[string, readonly Alert[], () => StateStore]>([
    ['of every kind', stormOf(1_000), () => aStore().store],
    ['of one kind', stormOfKind(1_000, 'unsupported'), () => aStore().store],
    // Three writes for each event: moto takes a minute for 1,000 of them, which `npm run test:nightly` gives it.
    ['of every kind, in the state table,', stormOf(Math.min(1_000, runs(0.2))), () => table],
  ])(
    '%s are at most ten messages, that name each node, and none is in the dead letters',
    async (_, alerts, storeFor) => {
      const store = storeFor();
      slack.limit(SLACK_INTERVAL);
      expect((await flush(portsWith(store), 'tick', alerts)).rejected).toEqual([]);
      const published = messagesOf(aws.proxy.requests);
      expect(published.length).toBeLessThanOrEqual(10);
      expect(placesIn(published, alerts)).toBe(alerts.length);
      expect((await store.list(OUTBOX)).size).toBe(0);

      await source.drain(await containers());
      const shown = shownOnce();
      expect(shown.length).toBeLessThanOrEqual(10);
      expect(placesIn(shown, alerts)).toBe(alerts.length);
      expect(await source.deadLetters.receive()).toEqual([]);
    },
  );

  test('messages of a hundred alarms at once wait for their turn, whatever Slack answers, and none is lost', async () => {
    const sns = stack.adopt(new SNSClient({}), (client) => client.destroy());
    const { PublishCommand } = await import('@aws-sdk/client-sns');
    const names = Array.from({ length: 100 }, (_, n) => `alarm-${String(n).padStart(3, '0')}`);
    for (const Message of names)
      await sns.send(new PublishCommand({ TopicArn: aws.topicArn, Message, Subject: 'ALARM' }));
    slack.limit(SLACK_INTERVAL / 10);
    slack.behave(
      { kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '600' } },
      { kind: 'answer', status: 503, body: '' },
      { kind: 'reset' },
    );
    await source.drain(await containers());
    const text = shownOnce().join('\n');
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
    expect(shownOnce()).toHaveLength(100);
    expect(await source.deadLetters.receive()).toEqual([]);
  });
});
