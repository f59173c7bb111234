import { template } from '../../../../infra/template.ts';
import { deployable, fleetFile, NO_NETWORK } from '../../infra/stacks.ts';
import { type Change, notificationOf } from './alarm-notification.ts';

type Json = Readonly<Record<string, unknown>>;

export const RUNBOOK = 'https://docs.example/offpeak/runbook.md';

/** One node, and everything that a stack can have. */
const FILE = [
  'instances:',
  '  - { id: sessions, url: redis://10.0.3.17, memoryLimit: 6GiB }',
  'notifications: { slack: { webhook: ssm:/offpeak/slack } }',
  `runbook: ${RUNBOOK}`,
].join('\n');

const { Resources: NODE_STACK } = template(deployable(FILE), NO_NETWORK);
const { Resources: FLEET_STACK } = template({ ...deployable(fleetFile(26)), runbook: RUNBOOK }, NO_NETWORK);

const CHILD = 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:offpeak-prod/sessions/unreachable-critical';

/** What an alarm of the stack sends; `name` is without the stage. */
const ofNode = (name: string, change: Change): Json => notificationOf(NODE_STACK, `offpeak-prod/${name}`, change);
const ofFleet = (name: string, change: Change): Json => notificationOf(FLEET_STACK, `offpeak-prod/${name}`, change);

/** An alarm on one metric. */
export function anAlarm(over: Json = {}): Json {
  return { ...ofNode('sessions/unreachable-critical', { to: 'ALARM', datum: 0 }), ...over };
}

/** The ratio with its byte floor: metric math has no metric of its own. */
export function aMathAlarm(over: Json = {}): Json {
  return { ...ofNode('sessions/fragmentation-warning', { to: 'ALARM', datum: 1.83 }), ...over };
}

/** RSS in percent of the limit. */
export function aLimitAlarm(): Json {
  return ofNode('sessions/rss-critical', { to: 'ALARM', datum: 86.944_580_078 });
}

/** Of another team, since a stack has none: a composite alarm has a rule and children, and no trigger. */
export function aCompositeAlarm(over: Json = {}): Json {
  const { Trigger: _, ...rest } = anAlarm();
  return {
    ...rest,
    AlarmName: 'shop-redis-is-down',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-redis-is-down',
    AlarmDescription: null,
    AlarmRule: 'ALARM("offpeak-prod/sessions/unreachable-critical") AND ALARM("shop-checkout-errors")',
    NewStateReason: `${CHILD} transitioned to ALARM at Monday 23 November, 2026 02:09:12 UTC`,
    TriggeringChildren: [{ Arn: CHILD, State: { Value: 'ALARM', Timestamp: '2026-11-23T02:09:12.345+0000' } }],
    ...over,
  };
}

/** Of another team, which wants a message about missing data, too. */
function anotherTeamsAlarm(): Json {
  return anAlarm({
    AlarmName: 'shop-checkout-errors',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-checkout-errors',
    AlarmDescription: 'Checkout fails. See https://wiki.shop.example/checkout.',
    NewStateValue: 'INSUFFICIENT_DATA',
    NewStateReason: 'Insufficient Data: 4 datapoints were unknown.',
    Trigger: {
      MetricName: 'Errors',
      Namespace: 'Shop',
      StatisticType: 'Statistic',
      Statistic: 'SUM',
      Unit: null,
      Dimensions: [{ value: 'checkout', name: 'Service' }],
      Period: 60,
      EvaluationPeriods: 4,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 10.0,
      TreatMissingData: 'missing',
      EvaluateLowSampleCountPercentile: '',
    },
  });
}

/** Of another team: a metric of AWS, with a dimension of its own. */
const BYTES_USED = {
  MetricName: 'BytesUsedForCache',
  Namespace: 'AWS/ElastiCache',
  Dimensions: [{ value: 'shop-cache-0001-001', name: 'CacheClusterId' }],
};

/** `over` changes the trigger. */
export function aCacheAlarm(reason: string, over: Json = {}, state: Json = {}): Json {
  return anAlarm({
    AlarmName: 'shop-cache-memory',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-cache-memory',
    AlarmDescription: 'Restart the importer. See https://wiki.shop.example/cache.',
    NewStateReason: reason,
    Trigger: {
      ...BYTES_USED,
      StatisticType: 'Statistic',
      Statistic: 'MAXIMUM',
      Unit: null,
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 5_476_083_302,
      TreatMissingData: 'missing',
      EvaluateLowSampleCountPercentile: '',
      ...over,
    },
    ...state,
  });
}

const CROSSED =
  'Threshold Crossed: 2 out of the last 3 datapoints [5.842468864E9 (23/11/26 02:04:00), 5.842468864E9 (23/11/26 02:03:00)] were greater than the threshold (5.476083302E9) (minimum 2 datapoints for OK -> ALARM transition).';

const metricStat = (metric: Json) => ({ Metric: metric, Period: 300, Stat: 'Average' });

export function anAnomalyAlarm(): Json {
  return aCacheAlarm(
    'Thresholds Crossed: 1 out of the last 1 datapoints [5.842468864E9 (23/11/26 02:04:00)] was greater than the upper thresholds [4.831838208E9] (minimum 1 datapoint for OK -> ALARM transition).',
    {
      MetricName: undefined,
      Namespace: undefined,
      Dimensions: undefined,
      Threshold: undefined,
      ThresholdMetricId: 'ad1',
      ComparisonOperator: 'GreaterThanUpperThreshold',
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
      Metrics: [
        {
          Id: 'ad1',
          Expression: 'ANOMALY_DETECTION_BAND(m1, 2)',
          Label: 'BytesUsedForCache (expected)',
          ReturnData: true,
        },
        { Id: 'm1', MetricStat: metricStat(BYTES_USED), ReturnData: true },
      ],
    },
    { AlarmName: 'shop-cache-memory-unusual' },
  );
}

/** Metric math over another team's metrics. */
export function aCacheMathAlarm(
  Expression: string,
  Threshold: number,
  datum: string,
  Label: string | null = null,
): Json {
  const watched = ['BytesUsedForCache', 'FreeableMemory'].map((MetricName, index) => ({
    Id: `m${index + 1}`,
    MetricStat: metricStat({ ...BYTES_USED, MetricName }),
    ReturnData: false,
  }));
  return aCacheAlarm(
    `Threshold Crossed: 1 out of the last 1 datapoints [${datum} (23/11/26 02:04:00)] was greater than the threshold (${Threshold.toFixed(1)}).`,
    {
      MetricName: undefined,
      Namespace: undefined,
      Dimensions: undefined,
      Threshold,
      Metrics: [{ Id: 'e1', Expression, Label, ReturnData: true }, ...watched],
    },
  );
}

/** By their names in docs/slack-messages.json; those of another team last. */
export const ALARMS: Readonly<Record<string, Json>> = {
  'one metric: ALARM': anAlarm(),
  'one metric: OK': ofNode('sessions/unreachable-critical', { to: 'OK', datum: 1 }),
  'metric math: ALARM': aMathAlarm(),
  'metric math: OK': ofNode('sessions/fragmentation-warning', { to: 'OK', datum: 1.24 }),
  'near the limit: ALARM': aLimitAlarm(),
  'near the limit: OK': ofNode('sessions/rss-critical', { to: 'OK', datum: 75 }),
  'a fleet: ALARM': ofFleet('fleet/fragmentation-critical', { to: 'ALARM', datum: 3 }),
  'the job does not run: ALARM': ofNode('job/not-running-critical', { to: 'ALARM' }),
  'the job does not run: OK': ofNode('job/not-running-critical', { to: 'OK', datum: 1 }),
  'a queue: ALARM': ofNode('job/dead-letters-warning', { to: 'ALARM', datum: 1 }),
  "another team's composite: ALARM": aCompositeAlarm(),
  "another team's composite: OK": aCompositeAlarm({
    NewStateValue: 'OK',
    OldStateValue: 'ALARM',
    StateChangeTime: '2026-11-23T02:14:12.345+0000',
    NewStateReason: `${CHILD} transitioned to OK at Monday 23 November, 2026 02:14:12 UTC`,
  }),
  "another team's: INSUFFICIENT_DATA": anotherTeamsAlarm(),
  "another team's cache: ALARM": aCacheAlarm(CROSSED),
  "another team's cache: OK": aCacheAlarm(
    'Threshold Crossed: 1 datapoint [4.831838208E9 (23/11/26 02:34:00)] was not greater than the threshold (5.476083302E9).',
    {},
    { NewStateValue: 'OK', OldStateValue: 'ALARM' },
  ),
  "another team's cache: INSUFFICIENT_DATA": aCacheAlarm(
    'Insufficient Data: 3 datapoints were unknown.',
    {},
    { NewStateValue: 'INSUFFICIENT_DATA', OldStateValue: 'ALARM' },
  ),
  "another team's anomaly: ALARM": anAnomalyAlarm(),
  "another team's metric math: ALARM": aCacheMathAlarm('100 * m1 / (m1 + m2)', 85, '90.3456'),
};
