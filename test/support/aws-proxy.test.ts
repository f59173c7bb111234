import { CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  type PublishCommandInput,
  SNSClient,
} from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { CALL_POLICY } from '../../core/adapters/aws/clients.ts';
import { type AwsProxy, SLOW_MS, startAwsProxy } from './aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from './aws-stand-in.ts';
import { messagesOf } from './aws-wire.ts';
import { describeWithMoto, type Moto } from './moto.ts';

const HOUR = 3_600_000;
const datum = (over: Partial<MetricDatum> = {}): MetricDatum => ({ MetricName: 'M', Value: 1, ...over });
const dimensions = (count: number) => Array.from({ length: count }, (_, n) => ({ Name: `D${n}`, Value: 'x' }));

describeWithMoto('the proxy in front of moto', () => {
  let aws: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let cloudwatch: CloudWatchClient;
  let sns: SNSClient;

  beforeAll(async () => {
    aws = await awsStandIn();
    ({ moto, proxy } = aws);
    cloudwatch = new CloudWatchClient({ maxAttempts: 1 });
    sns = new SNSClient({ maxAttempts: 1 });
  });
  afterAll(async () => {
    await aws?.[Symbol.asyncDispose]();
  });
  afterEach(() => proxy.clear());

  const put = (MetricData: MetricDatum[], Namespace = 'Offpeak') =>
    cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
  const publish = (over: Partial<PublishCommandInput>) =>
    sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:eu-west-1:123456789012:t', Message: 'm', ...over }));

  test.each<[string, MetricDatum[], string?]>([
    ['1001 datums', Array(1001).fill(datum())],
    ['151 values', [datum({ Value: undefined, Values: Array.from({ length: 151 }, (_, n) => n) })]],
    ['31 dimensions', [datum({ Dimensions: dimensions(31) })]],
    ['a reserved namespace', [datum()], 'AWS/ElastiCache'],
    ['a timestamp of 1970', [datum({ Timestamp: new Date(0) })]],
    ['a timestamp three hours ahead', [datum({ Timestamp: new Date(Date.now() + 3 * HOUR) })]],
    ['NaN', [datum({ Value: Number.NaN })]],
    ['an accent in a dimension', [datum({ Dimensions: [{ Name: 'Node', Value: 'é' }] })]],
  ])('refuses %s as CloudWatch does', async (_, data, namespace) => {
    await expect(put(data, namespace)).rejects.toMatchObject({ name: expect.stringMatching(/^InvalidParameterValue/) });
    expect(proxy.requests.map((call) => call.outcome)).toEqual(['refused']);
  });

  test('refuses a body over 1 MB, measured before compression', async () => {
    const fat = datum({ Dimensions: dimensions(30).map(({ Name }) => ({ Name, Value: 'x'.repeat(1024) })) });
    await expect(put(Array(40).fill(fat))).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
    expect(proxy.requests).toMatchObject([{ gzip: true, outcome: 'refused' }]);
  });

  test.each<[string, Partial<PublishCommandInput>]>([
    ['a subject of 100 characters', { Subject: 's'.repeat(100) }],
    ['a subject with a line break', { Subject: 'a\nb' }],
    ['a subject with an emoji', { Subject: 'done 🎉' }],
    ['a subject that begins with a space', { Subject: ' done' }],
    ['256 KB and a byte', { Message: 'x'.repeat(262_145) }],
    ['256 KB in characters of two bytes', { Message: 'é'.repeat(131_073) }],
    ['an empty attribute', { MessageAttributes: { instance: { DataType: 'String', StringValue: '' } } }],
    ['a JSON message without a default', { MessageStructure: 'json', Message: '{"email":"x"}' }],
    ['a JSON message that is none', { MessageStructure: 'json', Message: 'x' }],
  ])('refuses %s as SNS does', async (_, over) => {
    await expect(publish(over)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(proxy.requests.map((call) => call.outcome)).toEqual(['refused']);
  });

  test('records a message with its attributes by name', async () => {
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue });
    const MessageAttributes = { a: attribute('1'), b: attribute('zwei & "drei"') };
    // The topic does not exist: the call is recorded, and moto's own refusal comes through.
    await expect(publish({ Subject: 's', MessageAttributes })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
    expect(messagesOf(proxy.requests)).toEqual([
      {
        topicArn: 'arn:aws:sns:eu-west-1:123456789012:t',
        subject: 's',
        structure: '',
        message: 'm',
        attributes: { a: { type: 'String', value: '1' }, b: { type: 'String', value: 'zwei & "drei"' } },
      },
    ]);
  });

  test('a fault hits as many calls as it was told to, and only its operation', async () => {
    proxy.fault({ operation: 'PutMetricData', kind: 'error', times: 1 });
    await expect(put([datum()])).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await expect(put([datum()])).resolves.toBeDefined();
    expect(proxy.requests.map((call) => call.outcome)).toEqual(['error', 'forwarded']);
  });

  test('an answer that is lost or garbled is one to a call that was carried out', async () => {
    for (const kind of ['lost-answer', 'garble'] as const) {
      const Name = `topic-${kind}`;
      proxy.fault({ operation: 'CreateTopic', kind });
      await expect(sns.send(new CreateTopicCommand({ Name }))).rejects.toThrow();
      const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
      expect(Topics.map(({ TopicArn }) => TopicArn?.split(':').at(-1))).toContain(Name);
    }
  });

  test('a slow answer comes two seconds late, before the clients of the job give up', async () => {
    proxy.fault({ operation: 'CreateTopic', kind: 'slow' });
    const startedAt = performance.now();
    await expect(sns.send(new CreateTopicCommand({ Name: 'topic-slow' }))).resolves.toBeDefined();
    expect(performance.now() - startedAt).toBeGreaterThan(SLOW_MS - 10);
    expect(SLOW_MS).toBeLessThan(CALL_POLICY.requestHandler.requestTimeout);
  });

  test('stops while a call still hangs', async () => {
    const other = await startAwsProxy(moto.url);
    const client = new CloudWatchClient({ endpoint: other.url, maxAttempts: 1 });
    other.fault({ operation: 'PutMetricData', kind: 'hang' });
    const call = client.send(new PutMetricDataCommand({ Namespace: 'Offpeak', MetricData: [datum()] }));
    const failed = expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(other.requests).toHaveLength(1));
    await other.stop();
    await failed;
  });
});
