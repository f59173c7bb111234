import { CreateTopicCommand, type SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAlertSink } from '../../../core/adapters/aws/sns.ts';
import { createSnsClient } from '../../../core/adapters/aws/sns-topic.ts';
import { alertText } from '../../../core/format/alert-layout.ts';
import type { AwsProxy } from '../../support/aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from '../../support/aws-stand-in.ts';
import { messagesOf } from '../../support/aws-wire.ts';
import { describeWithMoto, type Moto } from '../../support/moto.ts';
import { createQueue, type MotoQueue } from '../../support/moto-queue.ts';
import { stormOf } from '../../support/storm.ts';
import { anAlert } from '../../support/telemetry-builders.ts';
import { digested } from '../../unit/functions/notify-slack/samples.ts';

describeWithMoto('sending alerts through SNS over HTTP', () => {
  let aws: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let client: SNSClient;
  let topicArn: string;
  let queue: MotoQueue;

  beforeAll(async () => {
    aws = await awsStandIn();
    ({ moto, proxy } = aws);
    client = createSnsClient();
  });
  afterAll(async () => {
    client?.destroy();
    await aws?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await moto.reset();
    topicArn = (await client.send(new CreateTopicCommand({ Name: 'offpeak-alerts' }))).TopicArn ?? '';
    queue = await createQueue(moto.url, 'subscriber');
    await client.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: queue.arn }));
    proxy.clear();
  });

  test('a subscriber receives the alert, its subject and its attributes', async () => {
    const alert = anAlert({ severity: 'warning', event: 'action-ineffective' });
    expect(await createAlertSink({ client: () => client, topicArn }).send([alert])).toEqual({ sent: 1, rejected: [] });

    const [received, ...more] = await queue.receive();
    expect(more).toEqual([]);
    expect(received).toMatchObject({
      TopicArn: topicArn,
      Subject: '[offpeak prod] sessions: 402 MB returned (warning)',
      MessageAttributes: {
        severity: { Type: 'String', Value: 'warning' },
        instance: { Type: 'String', Value: 'sessions' },
        event: { Type: 'String', Value: 'action-ineffective' },
        stage: { Type: 'String', Value: 'prod' },
      },
    });
  });

  test('the message holds a text for each protocol', async () => {
    const alert = anAlert();
    await createAlertSink({ client: () => client, topicArn }).send([alert]);
    const [message] = messagesOf(proxy.requests);
    expect(message).toMatchObject({ topicArn, structure: 'json' });
    const texts = JSON.parse(message?.message ?? '');
    expect(texts.email).toBe(alertText(alert));
    expect(texts.default).toBe(alertText(alert));
    for (const protocol of ['lambda', 'sqs', 'https', 'http']) expect(JSON.parse(texts[protocol])).toEqual(alert);
  });

  test('F11: a digest reaches those who filter on one of its instances or events, whole', async () => {
    const digest = digested(stormOf(240).filter(({ severity }) => severity === 'warning'));
    const subscribers = await Promise.all(
      [{ instance: ['app-001'] }, { event: ['lease-lost'] }, { instance: ['app-999'] }].map(async (policy, n) => {
        const subscriber = await createQueue(moto.url, `filtering-${n}`);
        const Attributes = { FilterPolicy: JSON.stringify(policy) };
        await client.send(
          new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: subscriber.arn, Attributes }),
        );
        return subscriber;
      }),
    );
    expect(await createAlertSink({ client: () => client, topicArn }).send([digest])).toEqual({ sent: 1, rejected: [] });
    const received = await Promise.all(subscribers.map(async (subscriber) => await subscriber.receive()));
    expect(received.map((messages) => messages.length)).toEqual([1, 1, 0]);
    expect(JSON.parse(received[0]?.[0]?.Message ?? '')).toEqual(digest);
    expect(received[0]?.[0]?.MessageAttributes.instance?.Type).toBe('String.Array');
  });

  test('with Amazon Q as the https subscriber, its schema is what https gets', async () => {
    const alert = anAlert();
    expect(await createAlertSink({ client: () => client, topicArn, https: 'amazon-q' }).send([alert])).toEqual({
      sent: 1,
      rejected: [],
    });
    const texts = JSON.parse(messagesOf(proxy.requests)[0]?.message ?? '');
    expect(JSON.parse(texts.https)).toMatchObject({ version: '1.0', source: 'custom', id: alert.id });
    expect(JSON.parse(texts.lambda)).toEqual(alert);
  });

  test('one message for each alert, and none for none', async () => {
    const sink = createAlertSink({ client: () => client, topicArn });
    const alerts = Array.from({ length: 7 }, (_, n) => anAlert({ id: `id-${n}` }));
    expect(await sink.send(alerts)).toEqual({ sent: 7, rejected: [] });
    expect(messagesOf(proxy.requests)).toHaveLength(7);
    expect((await queue.receive()).length).toBe(7);
    expect(await sink.send([])).toEqual({ sent: 0, rejected: [] });
    expect(proxy.requests).toHaveLength(7);
  });

  test.each([
    [
      'a long one',
      anAlert({ why: 'x'.repeat(300_000), facts: Array(9_000).fill({ label: '"', value: '\\'.repeat(99) }) }),
    ],
    ['emoji, line breaks and an empty stage', anAlert({ instance: '🎉\n', stage: '', title: 'a\u0000b\r\nc' })],
    ['an instance of many long characters', anAlert({ instance: '𝕏'.repeat(5_000) })],
  ])('an alert that SNS could refuse is delivered all the same: %s', async (_, alert) => {
    expect(await createAlertSink({ client: () => client, topicArn }).send([alert])).toEqual({ sent: 1, rejected: [] });
    expect(proxy.requests.map((call) => call.outcome)).toEqual(['forwarded']);
    expect(await queue.receive()).toHaveLength(1);
  });

  test('one alert that fails is named, and the others arrive', async () => {
    proxy.fault({
      operation: 'Publish',
      kind: 'invalid',
      when: (call) => String(call.input.Subject).includes('second'),
    });
    const alerts = ['first', 'second', 'third'].map((title) => anAlert({ title: `sessions: ${title}` }));
    expect(await createAlertSink({ client: () => client, topicArn }).send(alerts)).toEqual({
      sent: 2,
      rejected: [
        {
          what: '[offpeak prod] sessions: second (info)',
          why: expect.stringMatching(/^InvalidParameterValue\w*: The proxy was told to refuse this\.$/),
        },
      ],
    });
    expect(await queue.receive()).toHaveLength(2);
  });

  test('throttled twice, it arrives once', async () => {
    proxy.fault({ operation: 'Publish', kind: 'throttle', times: 2 });
    expect(await createAlertSink({ client: () => client, topicArn }).send([anAlert()])).toEqual({
      sent: 1,
      rejected: [],
    });
    expect(await queue.receive()).toHaveLength(1);
  });

  test.each([
    ['error', /^\w*InternalFailure\w*: .*\(tried 3 times\)$/],
    ['hang', /^TimeoutError: .*\(tried 3 times\)$/],
    ['reset', /ECONNRESET.*\(tried 3 times\)$/],
    ['deny', /^AccessDenied\w*: User is not authorized/],
  ] as const)('%s for ever is reported, not thrown', async (kind, why) => {
    proxy.fault({ operation: 'Publish', kind });
    const { sent, rejected } = await createAlertSink({ client: () => client, topicArn }).send([anAlert()]);
    expect(sent).toBe(0);
    expect(rejected).toEqual([{ what: expect.stringContaining('sessions'), why: expect.stringMatching(why) }]);
  });

  test('a topic that does not exist is reported', async () => {
    const sink = createAlertSink({ client: () => client, topicArn: `${topicArn}-gone` });
    const { rejected } = await sink.send([anAlert()]);
    expect(rejected[0]?.why).toMatch(/^NotFound/);
  });
});

describe('the topic', () => {
  test.each([
    '',
    'offpeak-alerts',
    'arn:aws:sqs:eu-west-1:123456789012:q',
    'arn:aws:sns:eu-west-1:123456789012:t.fifo',
  ])('%j is refused when the sink is made', (topicArn) => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    expect(() => createAlertSink({ topicArn })).toThrow(
      `topicArn: ${JSON.stringify(topicArn)} is not a standard SNS topic`,
    );
    vi.unstubAllEnvs();
  });
});

describe('the client', () => {
  const topicArn = 'arn:aws:sns:eu-west-1:123456789012:offpeak-alerts';
  afterEach(() => vi.unstubAllEnvs());

  test('is made with the first alert, and once', async () => {
    let made = 0;
    const client = () => {
      made += 1;
      return { send: async () => ({}) } as unknown as SNSClient;
    };
    const sink = createAlertSink({ topicArn, client });
    await sink.send([]);
    expect(made).toBe(0);
    expect(await sink.send([anAlert(), anAlert()])).toEqual({ sent: 2, rejected: [] });
    await sink.send([anAlert()]);
    expect(made).toBe(1);
  });

  test.each([
    [{ AWS_REGION: '', AWS_DEFAULT_REGION: '', AWS_PROFILE: '' }, 'AWS_REGION is not set'],
    [
      { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_SNS: 'localhost:5000' },
      'AWS_ENDPOINT_URL_SNS=localhost:5000 is not a URL',
    ],
  ])('that could not be made is told with the sink, not with the first alert: %j', (env, words) => {
    for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
    expect(() => createAlertSink({ topicArn })).toThrow(words);
  });

  test('that fails to be made costs its alerts, and throws nothing', async () => {
    const client = () => {
      throw new Error('no client');
    };
    const { sent, rejected } = await createAlertSink({ topicArn, client }).send([anAlert()]);
    expect({ sent, why: rejected.map(({ why }) => why) }).toEqual({ sent: 0, why: ['Error: no client'] });
  });
});
