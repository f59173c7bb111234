import { describe, expect, test } from 'vitest';
import { usesQueue, workersOf } from '../../../core/config/fleet.ts';
import { template } from '../../../infra/template.ts';
import {
  deployable,
  fleetFile,
  LONELY_VPC,
  NO_NETWORK,
  ofType,
  propertiesOf,
  resourcesOf,
  stackFile,
} from './stacks.ts';

const LARGE = fleetFile(1001);

describe('a queue', () => {
  test.each([
    ['1,000 named nodes', fleetFile(1000), false],
    ['1,001 named nodes', LARGE, true],
    ['few, but asked for', fleetFile(3, 'fleet: { queue: always }'), true],
    ['many, but refused', fleetFile(1001, 'fleet: { queue: never }'), false],
    [
      'found at run time, however many',
      stackFile(['  - { id: a, discover: { cluster: { seeds: ["redis://a.example"] } } }']),
      false,
    ],
  ])('%s', (_, yaml, isThere) => {
    expect(usesQueue(deployable(yaml))).toBe(isThere);
    expect(Object.keys(resourcesOf(yaml)).filter((id) => /^(Batch|Work|DispatchRole)/.test(id)).length > 0).toBe(
      isThere,
    );
    expect(Object.keys(resourcesOf(yaml)).includes('MaintainRole')).toBe(!isThere);
  });

  test('feeds at most fleet.workers at once, and always two more than there are defrags', () => {
    const workers = (more: string) => workersOf(deployable(fleetFile(1001, more)));
    expect([workers(''), workers('fleet: { workers: 2 }'), workers('maxDefragsAtOnce: 100')]).toEqual([16, 6, 102]);
    expect(resourcesOf(LARGE).BatchQueueSource?.Properties).toMatchObject({
      BatchSize: 4,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 16 },
    });
  });

  test.each([
    ['1m', 240],
    ['5m', 600],
    ['1h', 1800],
  ])(
    'at a tick every %s brings no message again before its worker has ended twice, %i s',
    (every, VisibilityTimeout) => {
      expect(resourcesOf(fleetFile(1001, `schedule: { every: ${every} }`)).BatchQueue?.Properties).toMatchObject({
        VisibilityTimeout,
        RedrivePolicy: { maxReceiveCount: 1, deadLetterTargetArn: { 'Fn::GetAtt': ['BatchDeadLetters', 'Arn'] } },
        SqsManagedSseEnabled: true,
      });
    },
  );

  test('each function may do what it does, and no more', () => {
    const yaml = fleetFile(1001).replace(
      'instances:\n',
      'instances:\n  - { id: own, url: "redis://own.example", credentials: { password: "ssm:/own" } }\n',
    );
    const { DispatchRole, WorkRole } = resourcesOf(yaml);
    const [dispatch, work] = [DispatchRole, WorkRole].map((role) => JSON.stringify(propertiesOf(role)));
    const queue = '{"Fn::GetAtt":["BatchQueue","Arn"]}';
    expect(dispatch).toContain(
      `"Action":["sqs:SendMessage"],"Resource":[{"Fn::GetAtt":["MaintainDeadLetters","Arn"]},${queue}]`,
    );
    expect(dispatch).not.toMatch(/ReceiveMessage|ssm:/);
    expect(work).toContain(
      `"Action":["sqs:DeleteMessage","sqs:GetQueueAttributes","sqs:ReceiveMessage"],"Resource":[${queue}]`,
    );
    expect(work).toContain('ssm:GetParameter');
    expect(work).not.toMatch(/SendMessage|elasticache:Describe/);
    const { MaintainSchedule } = resourcesOf(yaml);
    expect(JSON.stringify(MaintainSchedule)).toContain('DispatchLambdaFunction');
  });

  test('in a VPC without NAT the dispatch reaches it', () => {
    expect(ofType(resourcesOf(LARGE, LONELY_VPC), 'AWS::EC2::VPCEndpoint').map(([id]) => id)).toContain('EndpointSqs');
  });
});

describe('alarms over several workers', () => {
  const alarms = new Map(
    ofType(resourcesOf(LARGE), 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => [
      id,
      JSON.stringify(Properties),
    ]),
  );
  test.each([
    'FleetAlarmFragmentationWarning',
    'FleetAlarmFragmentationCritical',
    'FleetAlarmRssCritical',
    'FleetAlarmUnreachable',
    'JobAlarmMisconfigured',
  ])('%s begins with what one of them says, and ends only when all nodes were reported', (id) => {
    expect(alarms.get(id)).toContain('IF(nodes > 0 OR FILL(reported, 0) >= FILL(dispatched, 1000000000), nodes)');
    expect(alarms.get(id)).toContain('"TreatMissingData":"ignore"');
    expect(alarms.get(id)?.match(/"Stat":"Sum"/g)).toHaveLength(3);
  });

  test('nodes that no worker reports, a queue that is behind, and dead letters are alarms', () => {
    expect(alarms.get('JobAlarmNotReached')).toContain('dispatched - FILL(reported, 0)');
    expect(alarms.get('WorkAlarmNotRunning')).toMatch(/"MetricName":"NodesReported".*"SampleCount".*"breaching"/);
    expect(alarms.get('WorkAlarmQueueAge')).toMatch(/"ApproximateAgeOfOldestMessage".*"Threshold":300/);
    expect([...alarms.keys()]).toEqual(
      expect.arrayContaining(['WorkAlarmDeadLetters', 'WorkAlarmErrors', 'WorkAlarmThrottled', 'JobAlarmErrors']),
    );
  });
});

test.each([1000, 1001, 3000])(
  'the template of %i instances is within the limits of CloudFormation and of dashboards',
  (nodes) => {
    const { Resources } = template(deployable(fleetFile(nodes)), NO_NETWORK);
    // osls adds the functions, their logs, a bucket and its policy.
    expect(Object.keys(Resources).length).toBeLessThan(500 - 20);
    // By osls' bucket; a template that is sent without one may have 51,200 bytes, of which the dashboard alone takes all.
    expect(JSON.stringify(Resources).length).toBeLessThan(120_000);
    expect(JSON.stringify(propertiesOf(Resources.Dashboard)).length).toBeLessThan(100_000);
  },
);
