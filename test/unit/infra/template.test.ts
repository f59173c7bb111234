import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENVIRONMENT } from '../../../core/config/environment.ts';
import { byLogicalId } from '../../../infra/cloudformation.ts';
import { jobSettings, notifierSettings } from '../../../infra/functions.ts';
import { logicalPart } from '../../../infra/names.ts';
import { queue } from '../../../infra/notifier.ts';
import { template } from '../../../infra/template.ts';
import { listing } from '../../infra/listing.ts';
import {
  CARTS,
  deployable,
  LONELY_VPC,
  NO_NETWORK,
  ofType,
  propertiesOf,
  QUEUE,
  resourcesOf,
  SESSIONS,
  stackFile,
} from './stacks.ts';

describe('logical ids', () => {
  test('hold letters and digits only', () => {
    for (const id of Object.keys(resourcesOf(stackFile(), LONELY_VPC)))
      expect(id).toMatch(/^[A-Za-z][A-Za-z0-9]{0,254}$/);
  });

  test.each([
    ['a-b', 'ab'],
    ['a-1', 'a1'],
    ['a--b', 'a-b'],
    ['a-', 'a'],
    ['carts-eu', 'cartsdasheu'],
    ['a---b', 'a-dash-b'],
  ])('%s and %s stay apart', (one, other) => {
    const file = stackFile([`  - { id: ${one}, url: redis://a }`, `  - { id: ${other}, url: redis://b }`]);
    const alarms = Object.keys(resourcesOf(file)).filter((id) => id.startsWith('NodeAlarm'));
    expect(alarms).toHaveLength(6);
  });

  test('of an instance and of a node of several stay apart', () => {
    const file = stackFile([CARTS, '  - { id: cartsx0aeac73f, url: redis://a }']);
    const alarms = Object.keys(resourcesOf(file)).filter((id) => id.startsWith('NodeAlarm'));
    expect(alarms).toHaveLength(8 + 3);
    expect(alarms.filter((id) => id.toLowerCase().startsWith('nodealarmcartsx0aeac73f'))).toHaveLength(4 + 3);
  });

  test('can be read back, so that no two ids of instances have the same', () => {
    const word = fc.constantFrom('-', 'dash', 'a', 'd', 'x', '0aeac73f');
    const id = fc.tuple(fc.constantFrom('a', 'd', 'dash', 'x'), fc.array(word, { maxLength: 8 }));
    fc.assert(
      fc.property(id, ([first, words]) => {
        const written = [first, ...words].join('');
        const part = logicalPart(written);
        expect(part.charAt(0).toLowerCase() + part.slice(1).replaceAll('Dash', '-')).toBe(written);
        // Nor with a node's part, which has an X behind it.
        expect(part.slice(1)).not.toContain('X');
      }),
      { numRuns: 2000 },
    );
  });

  test('that two resources share end packaging, before one of them vanishes', () => {
    const config = deployable(stackFile([QUEUE]));
    const twice = { ...config, instances: [...config.instances, ...config.instances] };
    expect(() => template(twice, NO_NETWORK)).toThrow(
      /^two resources have the logical id NodeAlarmQueue\w+: rename one of the instances/,
    );
    const [topics, more] = [{ A: queue('one') }, { A: queue('another') }];
    expect(() => byLogicalId([...Object.entries(topics), ...Object.entries(more)])).toThrow('logical id A');
  });
});

describe('the order of the file', () => {
  test.each([
    ['of instances', stackFile([QUEUE, CARTS, SESSIONS])],
    [
      'of nodes',
      stackFile([
        SESSIONS,
        CARTS.replace(
          '"rediss://carts-1.example", "rediss://carts-2.example"',
          '"rediss://carts-2.example", "rediss://carts-1.example"',
        ),
        QUEUE,
      ]),
    ],
  ])('%s changes nothing', (_, reordered) => {
    expect(JSON.stringify(template(deployable(reordered), NO_NETWORK))).toBe(
      JSON.stringify(template(deployable(stackFile()), NO_NETWORK)),
    );
  });

  test('an instance more leaves the others alone', () => {
    const before = resourcesOf(stackFile([SESSIONS, CARTS]));
    const after = resourcesOf();
    const changed = Object.keys(before).filter((id) => JSON.stringify(after[id]) !== JSON.stringify(before[id]));
    expect(changed).toEqual(['Dashboard']);
  });
});

describe('what surrounds the job', () => {
  test('the topic is open to the alarms of this account, and not encrypted with a key that they cannot use', () => {
    const { AlertTopic, AlertTopicPolicy } = resourcesOf();
    expect(AlertTopic?.Properties).toEqual({ TopicName: 'offpeak-prod-alerts', DisplayName: 'Offpeak prod' });
    expect(propertiesOf(AlertTopic).TopicName).toMatch(/^[A-Za-z0-9_-]{1,256}$/);
    expect(JSON.stringify(AlertTopicPolicy)).toContain('"Service":"cloudwatch.amazonaws.com"');
    expect(JSON.stringify(AlertTopicPolicy)).toContain('aws:SourceAccount');
  });

  test.each([
    ['1m', 'rate(1 minute)'],
    ['5m', 'rate(5 minutes)'],
    ['1h', 'rate(1 hour)'],
  ])('every %s is %s, in the zone of the config, without a flexible window', (every, expression) => {
    const { MaintainSchedule } = resourcesOf(stackFile([QUEUE], `schedule: { every: ${every} }`));
    expect(MaintainSchedule?.Properties).toMatchObject({
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
  });

  test('F18: the table stays when the stack goes, is protected, is paid by use and can be restored', () => {
    expect(resourcesOf().StateTable).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    });
  });

  test('each e-mail is a subscription', () => {
    const emails = ofType(resourcesOf(), 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties.Endpoint);
    expect(emails).toContain('redis-team@redis.example');
  });

  test('F11: the topic’s messages wait in a queue for Slack, for two hours of tries, and then where they are kept', () => {
    const { NotifySlackQueue, NotifySlackQueueSource, NotifySlackSubscription, NotifySlackQueuesPolicy } =
      resourcesOf();
    const settings = notifierSettings(deployable(stackFile()));
    const timeout = settings?.timeout ?? Number.NaN;
    const arn = { 'Fn::GetAtt': ['NotifySlackQueue', 'Arn'] };
    const deadLetterTargetArn = { 'Fn::GetAtt': ['NotifySlackDeadLetters', 'Arn'] };
    expect(NotifySlackQueue?.Properties).toMatchObject({
      VisibilityTimeout: 6 * timeout,
      MessageRetentionPeriod: 14 * 24 * 3600,
      RedrivePolicy: { deadLetterTargetArn, maxReceiveCount: 7200 / (6 * timeout) },
    });
    expect(NotifySlackQueueSource?.Properties).toEqual({
      EventSourceArn: arn,
      FunctionName: { 'Fn::GetAtt': ['NotifySlackLambdaFunction', 'Arn'] },
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    expect(NotifySlackSubscription?.Properties).toMatchObject({
      Protocol: 'sqs',
      Endpoint: arn,
      RedrivePolicy: { deadLetterTargetArn },
    });
    // Raw, a message would come without its subject.
    expect(NotifySlackSubscription?.Properties).not.toHaveProperty('RawMessageDelivery');
    expect(JSON.stringify(NotifySlackQueuesPolicy)).toContain(JSON.stringify([arn, deadLetterTargetArn]));
  });

  test('nothing of Slack exists where the config names no webhook', () => {
    const yaml = stackFile()
      .replace(/slack: \{[^}]*\}/, 'emails: []')
      .replace('emails: [redis-team@redis.example], ', '');
    expect(Object.keys(resourcesOf(yaml)).filter((id) => /slack|notifier/i.test(id))).toEqual([]);
    expect(notifierSettings(deployable(yaml))).toBeUndefined();
  });

  test('endpoints exist for what the job calls, the gateway among them, only where they are asked for', () => {
    const services = (yaml: string) => ofType(resourcesOf(yaml, LONELY_VPC), 'AWS::EC2::VPCEndpoint').map(([id]) => id);
    expect(services(stackFile())).toEqual([
      'EndpointDynamodb',
      'EndpointMonitoring',
      'EndpointSecretsmanager',
      'EndpointSns',
    ]);
    expect(services(stackFile([QUEUE]))).toEqual(['EndpointDynamodb', 'EndpointMonitoring', 'EndpointSns']);
    expect(ofType(resourcesOf(stackFile(), { ...LONELY_VPC, endpoints: false }), 'AWS::EC2::VPCEndpoint')).toEqual([]);
  });
});

describe('the functions', () => {
  test('get every variable that they read, except those of a run from a terminal', () => {
    const config = deployable(stackFile());
    const set = [jobSettings(config, NO_NETWORK, 'maintain'), notifierSettings(config)].flatMap((settings) =>
      Object.keys(settings?.environment ?? {}),
    );
    const { stateFile, batchQueueUrl, ...deployed } = ENVIRONMENT;
    expect(new Set(set)).toEqual(new Set(Object.values(deployed)));
    expect(set).not.toContain(stateFile);
    const [maintain, dispatch] = (['maintain', 'dispatch'] as const).map((key) => jobSettings(config, NO_NETWORK, key));
    expect(dispatch?.environment).toEqual({
      ...maintain?.environment,
      [ENVIRONMENT.configFile]: 'dist/dispatch/config.json',
      [batchQueueUrl]: { Ref: 'BatchQueue' },
    });
  });

  test.each([
    ['1m', 120, 180],
    ['5m', 300, 600],
    ['15m', 900, 1800],
    ['1h', 900, 4500],
  ])('at a look every %s the job may take %i s, and a tick waits for %i s', (every, timeout, age) => {
    const config = deployable(stackFile([QUEUE], `schedule: { every: ${every} }`));
    expect(jobSettings(config, NO_NETWORK, 'maintain')).toMatchObject({ timeout, maximumEventAge: age });
  });
});

test('the stack of three instances', () => {
  expect(listing(resourcesOf())).toMatchSnapshot();
});

test.each([
  ['a statistic', 'SampleCount', 'Sum'],
  ['a threshold', '"Threshold":1.5', '"Threshold":1.6'],
  ['a comparison', 'LessThanThreshold', 'GreaterThanThreshold'],
  ['a number of periods', '"EvaluationPeriods":3', '"EvaluationPeriods":4'],
  ['a period', '"Period":300', '"Period":60'],
  ['what missing data means', 'breaching', 'ignore'],
  ['an expression', 'rss - used >=', 'rss - used >'],
  ['an action', 'dynamodb:UpdateItem', 'dynamodb:PutItem'],
  ['a resource', '["*"]', '["**"]'],
  ['a condition', 'cloudwatch:namespace', 'cloudwatch:dimension'],
])('of %s a change is seen in the snapshot', (_, from, to) => {
  const text = JSON.stringify(resourcesOf());
  expect(text).toContain(from);
  expect(listing(JSON.parse(text.replaceAll(from, to)))).not.toBe(listing(JSON.parse(text)));
});
