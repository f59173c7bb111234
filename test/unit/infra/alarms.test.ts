import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GIB } from '../../../core/config/units.ts';
import { FLEET_METRICS, JOB_METRICS } from '../../../core/domain/job-metrics.ts';
import { NAMESPACE } from '../../../core/domain/metric.ts';
import { NODE_METRICS } from '../../../core/domain/node-metrics.ts';
import { parseAlarmDescription } from '../../../core/format/alarm-description.ts';
import { ANCHORS, runbookPlace } from '../../../infra/runbook.ts';
import { anchorsOf } from '../../support/headings.ts';
import {
  CARTS,
  fleetFile,
  metricsRead,
  ofType,
  propertiesOf,
  QUEUE,
  resourcesOf,
  SESSIONS,
  stackFile,
} from './stacks.ts';

const ALARM = 'AWS::CloudWatch::Alarm';
const RUNBOOK = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
const CARTS_1 = 'carts/carts-1.example:6379';

function alarmsOf(yaml: string = stackFile()) {
  return ofType(resourcesOf(yaml), ALARM).map(([id, { Properties }]) => ({ id, ...Properties }));
}

function alarmNamed(name: string, yaml: string = stackFile()) {
  const found = ofType(resourcesOf(yaml), ALARM).find(([, { Properties }]) => Properties.AlarmName === name);
  if (found === undefined) throw new Error(`no alarm ${name}`);
  return found[1].Properties;
}

describe('every alarm', () => {
  const catalogue = new Map<unknown, readonly string[]>([
    [
      NAMESPACE,
      [NODE_METRICS, JOB_METRICS, FLEET_METRICS].flatMap((all) => Object.values(all).map(({ name }) => name)),
    ],
    ['AWS/Lambda', ['Errors', 'Throttles']],
    ['AWS/SQS', ['ApproximateNumberOfMessagesVisible']],
    ['AWS/SNS', ['NumberOfNotificationsFailed']],
  ]);
  const all = [stackFile(), fleetFile(26)].flatMap((yaml) => ofType(resourcesOf(yaml), ALARM));

  test.each(all.map(([id, { Properties }]) => ({ id, Properties })))(
    '$id reads metrics that exist, tells both ways, says its severity and what to do',
    ({ Properties }) => {
      const { AlarmName, AlarmDescription, AlarmActions, OKActions, EvaluationPeriods } = Properties;
      for (const { namespace, name } of metricsRead(Properties)) expect(catalogue.get(namespace)).toContain(name);
      expect(AlarmActions).toEqual([{ Ref: 'AlertTopic' }]);
      expect(OKActions).toEqual([{ Ref: 'AlertTopic' }]);
      expect(AlarmName).toMatch(/^offpeak-prod\/[^/]+(\/[^/]+)?\/[a-z-]+-(warning|critical)$/);
      expect(String(AlarmName).length).toBeLessThanOrEqual(255);
      const { severity, next, runbook } = parseAlarmDescription(String(AlarmDescription)) ?? {};
      expect(AlarmName).toMatch(new RegExp(`-${severity}$`));
      expect(next).toMatch(/^[A-Z].*\.$/);
      const [page, anchor] = runbook?.split('#') ?? [];
      expect(page).toBe('https://wiki.redis.example/offpeak');
      expect(Object.values(ANCHORS)).toContain(anchor);
      expect(String(AlarmDescription).length).toBeLessThanOrEqual(1024);
      expect(Number(EvaluationPeriods)).toBeGreaterThan(0);
    },
  );

  test.each(Object.values(ANCHORS))('without an address in the config, the section is named: %s', (anchor) => {
    const [, heading = ''] = /^docs\/runbook\.md, section "([^"]+)"$/.exec(runbookPlace({}, anchor)) ?? [];
    expect(anchorsOf(`## ${heading}`)).toEqual([anchor]);
    expect(RUNBOOK).toContain(`\n## ${heading}\n`);
  });

  test('has a name of its own', () => {
    const names = alarmsOf().map((alarm) => ('AlarmName' in alarm ? alarm.AlarmName : ''));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('each node has its alarms by itself', () => {
  test('four where the limit is known, three where it is not', () => {
    const ids = Object.keys(resourcesOf()).filter((id) => id.startsWith('NodeAlarm'));
    const count = (prefix: string) => ids.filter((id) => id.startsWith(`NodeAlarm${prefix}`)).length;
    expect([count('Sessions'), count('Carts'), count('Queue')]).toEqual([4, 8, 3]);
  });

  test('the ratio counts only above the byte floor, as an empty server shows 13', () => {
    expect(alarmNamed(`offpeak-prod/${CARTS_1}/fragmentation-warning`)).toMatchObject({
      Threshold: 1.5,
      ComparisonOperator: 'GreaterThanThreshold',
      EvaluationPeriods: 6,
      DatapointsToAlarm: 6,
      Metrics: [
        { Expression: 'IF(rss - used >= 104857600, rss / used, 0)', ReturnData: true },
        { Id: 'rss', MetricStat: { Metric: { MetricName: 'UsedMemoryRss' }, Period: 300, Stat: 'Average' } },
        { Id: 'used', MetricStat: { Metric: { MetricName: 'UsedMemory' }, Period: 300, Stat: 'Average' } },
      ],
    });
    expect(alarmNamed('offpeak-prod/queue/fragmentation-critical')).toMatchObject({
      Threshold: 2,
      EvaluationPeriods: 2,
    });
  });

  test('with the dimensions under which the job publishes', () => {
    expect(metricsRead(alarmNamed(`offpeak-prod/${CARTS_1}/unreachable-critical`))).toEqual([
      {
        namespace: 'Offpeak',
        name: 'Reachable',
        dimensions: { Stage: 'prod', Instance: 'carts', Node: 'carts-1.example:6379' },
      },
    ]);
  });

  test('RSS is compared in percent of the limit: CloudWatch writes the numbers of its mails as they are compared', () => {
    const { Threshold, EvaluationPeriods, Metrics } = alarmNamed('offpeak-prod/sessions/rss-critical');
    expect({ Threshold, EvaluationPeriods }).toEqual({ Threshold: 85, EvaluationPeriods: 1 });
    expect(Metrics).toMatchObject([
      {
        Expression: `IF(rss > 0, 100 * (rss + FILL(fork, 0)) / ${6 * GIB})`,
        Label: "RSS of sessions.example:6379, with a fork's pages, in percent of its limit of 6 GiB",
      },
      { Id: 'rss', MetricStat: { Metric: { MetricName: 'UsedMemoryRss' }, Stat: 'Maximum' }, ReturnData: false },
      { Id: 'fork', MetricStat: { Metric: { MetricName: 'ForkMemory' }, Stat: 'Maximum' }, ReturnData: false },
    ]);
  });

  test('no alarm compares bytes', () => {
    const thresholds = [stackFile(), fleetFile(26)]
      .flatMap((yaml) => ofType(resourcesOf(yaml), ALARM))
      .map(([, { Properties }]) => Number(Properties.Threshold));
    expect(Math.max(...thresholds)).toBeLessThanOrEqual(100);
  });

  test.each([
    ['1m', 60, 30, 10],
    ['5m', 300, 6, 2],
    ['20m', 1200, 2, 1],
    ['1h', 3600, 1, 1],
  ])(
    'at a look every %s a period has %i s, and 30 and 10 minutes are %i and %i of them',
    (every, period, warning, critical) => {
      const yaml = stackFile([QUEUE], `schedule: { every: ${every} }`);
      expect(alarmNamed('offpeak-prod/queue/fragmentation-warning', yaml)).toMatchObject({
        EvaluationPeriods: warning,
        Metrics: [{}, { MetricStat: { Period: period } }, { MetricStat: { Period: period } }],
      });
      expect(alarmNamed('offpeak-prod/queue/fragmentation-critical', yaml)).toMatchObject({
        EvaluationPeriods: critical,
      });
    },
  );

  test('a host of 250 characters still has a legal name', () => {
    const host = (n: number) =>
      `"redis://${Array.from({ length: 24 }, () => 'label-of-1')
        .join('.')
        .slice(0, 248)}-${n}"`;
    const names = alarmsOf(stackFile([`  - { id: long, nodes: [${host(1)}, ${host(2)}] }`])).map((alarm) =>
      'AlarmName' in alarm ? String(alarm.AlarmName) : '',
    );
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(255);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the job', () => {
  test('that does not run is an alarm because nothing comes', () => {
    expect(alarmNamed('offpeak-prod/job/not-running-critical')).toMatchObject({
      MetricName: 'Heartbeat',
      Statistic: 'SampleCount',
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 3,
    });
  });

  test.each([
    'job/errors',
    'job/nodes-not-reached',
    'job/throttled',
    'job/dead-letters',
    'alerts/undelivered',
    'notifier/errors',
    'notifier/dead-letters',
  ])('has the alarm %s', (what) => expect(alarmNamed(`offpeak-prod/${what}-warning`)).toMatchObject({ Threshold: 0 }));
});

describe('nodes that the own config keeps out of sight', () => {
  test.each([stackFile(), fleetFile(26)])('are a critical alarm as soon as a silent server would be one', (yaml) => {
    const { AlarmDescription, ...alarm } = alarmNamed('offpeak-prod/job/nodes-misconfigured-critical', yaml);
    expect(alarm).toMatchObject({
      MetricName: 'NodesMisconfigured',
      Statistic: 'Maximum',
      Threshold: 0,
      EvaluationPeriods: 2,
      TreatMissingData: 'ignore',
    });
    const { means, next } = parseAlarmDescription(String(AlarmDescription)) ?? {};
    expect(means).toMatch(/its own config: a secret, variable, file or region .+ These servers may be well/);
    expect(next).toMatch(/name the node, the reference and the cause\. Correct the config/);
  });
});

describe('a change of one threshold', () => {
  const carts = CARTS.replace(
    'metrics: detailed',
    'metrics: detailed\n    thresholds: { fragmentationWarning: { ratio: 1.7 } }',
  );

  test('changes exactly the alarms concerned, and the line on the dashboard', () => {
    const before = resourcesOf();
    const after = resourcesOf(stackFile([SESSIONS, carts, QUEUE]));
    const changed = Object.keys(after).filter((id) => JSON.stringify(after[id]) !== JSON.stringify(before[id]));
    expect(Object.keys(after)).toEqual(Object.keys(before));
    const names = changed.map((id) => propertiesOf(after[id]).AlarmName ?? id);
    expect(names.toSorted()).toEqual([
      'Dashboard',
      'offpeak-prod/carts/carts-1.example:6379/fragmentation-warning',
      'offpeak-prod/carts/carts-2.example:6379/fragmentation-warning',
    ]);
  });
});

describe('beyond 25 nodes', () => {
  test('four alarms watch what the job counts, however many nodes there are', () => {
    const fleet = (nodes: number) =>
      ofType(resourcesOf(fleetFile(nodes)), ALARM).filter(([id]) => !/^(Job|Topic|Notifier)/.test(id));
    expect(fleet(25)).toHaveLength(100);
    expect(fleet(26).map(([id]) => id)).toEqual([
      'FleetAlarmFragmentationCritical',
      'FleetAlarmFragmentationWarning',
      'FleetAlarmRssCritical',
      'FleetAlarmUnreachable',
    ]);
    expect(fleet(500)).toEqual(fleet(26));
  });

  test.each([
    ['2h', 30, 6],
    ['10m', 10, 2],
  ])(
    'one instance with `for: %s` makes it %i minutes, the shortest of all: nobody waits for another',
    (own, minutes, n) => {
      const thresholds = `thresholds: { fragmentationWarning: { for: ${own} } }`;
      const yaml = fleetFile(26).replace('{ id: node-3,', `{ id: node-3, ${thresholds},`);
      expect(alarmNamed('offpeak-prod/fleet/fragmentation-warning', yaml)).toMatchObject({
        AlarmDescription: expect.stringContaining(
          `of their instance for ${minutes} minutes.\nWhat to do then: Alerts of the job name the nodes`,
        ),
        EvaluationPeriods: n,
        DatapointsToAlarm: n,
      });
    },
  );

  test('an instance without a limit has no say in how long is near it', () => {
    const limited = fleetFile(26).replaceAll('memoryLimit', 'thresholds: { rssCritical: { for: 20m } }, memoryLimit');
    const yaml = limited.replace(/\{ id: node-3, .*\}/, '{ id: node-3, url: "redis://node-3.example" }');
    expect(alarmNamed('offpeak-prod/fleet/rss-critical', yaml)).toMatchObject({ EvaluationPeriods: 4 });
  });
});

describe('unreachable, of one node as of a fleet,', () => {
  test.each([
    ['1m', 10],
    ['5m', 2],
    ['15m', 2],
    ['1h', 2],
  ])('at a check every %s is an alarm after %i checks in a row, never after one', (every, looks) => {
    const often = `schedule: { every: ${every} }`;
    const [node, fleet] = [stackFile([QUEUE], often), fleetFile(26, often)];
    for (const [name, yaml, who] of [
      ['offpeak-prod/queue/unreachable-critical', node, '10.0.0.9:6379 has'],
      ['offpeak-prod/fleet/unreachable-critical', fleet, 'Nodes have'],
    ] as const) {
      expect(alarmNamed(name, yaml)).toMatchObject({
        AlarmDescription: expect.stringContaining(
          `${who} not answered Offpeak in ${looks} checks in a row.\nWhat to do then: `,
        ),
        EvaluationPeriods: looks,
        DatapointsToAlarm: looks,
      });
    }
  });
});

describe('a target that asks for a severity', () => {
  const yaml = stackFile([QUEUE]).replace(
    'emails: [redis-team@redis.example]',
    'emails: [all@b.example, { address: some@b.example, from: warning }, { address: oncall@b.example, from: critical }]',
  );
  const resources = resourcesOf(yaml);
  const topicsOf = (name: string) => alarmNamed(name, yaml).AlarmActions;

  test('gets alerts by a filter, and alarms, whose messages no filter passes, by a topic', () => {
    const subscriptions = ofType(resources, 'AWS::SNS::Subscription')
      .map(([, { Properties }]) => Properties)
      .filter(({ Protocol }) => Protocol === 'email')
      .map(({ Endpoint, TopicArn, FilterPolicy }) => [Endpoint, Object(TopicArn).Ref, FilterPolicy]);
    expect(subscriptions).toHaveLength(5);
    expect(subscriptions).toEqual(
      expect.arrayContaining([
        ['all@b.example', 'AlertTopic', undefined],
        ['some@b.example', 'AlertTopic', { severity: ['warning', 'critical'] }],
        ['some@b.example', 'AlarmTopic', undefined],
        ['oncall@b.example', 'AlertTopic', { severity: ['critical'] }],
        ['oncall@b.example', 'CriticalAlarmTopic', undefined],
      ]),
    );
    expect(topicsOf('offpeak-prod/queue/fragmentation-warning')).toEqual([
      { Ref: 'AlertTopic' },
      { Ref: 'AlarmTopic' },
    ]);
    expect(topicsOf('offpeak-prod/queue/unreachable-critical')).toEqual([
      { Ref: 'AlertTopic' },
      { Ref: 'AlarmTopic' },
      { Ref: 'CriticalAlarmTopic' },
    ]);
  });

  test('each of the topics lets the alarms of this stage publish', () => {
    const policies = ofType(resources, 'AWS::SNS::TopicPolicy').map(([, { Properties }]) => Properties);
    expect(policies.map(({ Topics }) => Topics)).toEqual(
      expect.arrayContaining(['AlertTopic', 'AlarmTopic', 'CriticalAlarmTopic'].map((Ref) => [{ Ref }])),
    );
    for (const { Topics, PolicyDocument } of policies)
      expect(PolicyDocument).toMatchObject({ Statement: [{ Action: 'sns:Publish', Resource: Object(Topics)[0] }] });
  });
});
