/** Notifications as CloudWatch publishes them to SNS; keys and spellings are those of real ones. */

type Json = Readonly<Record<string, unknown>>;

const DIMENSIONS = [
  { value: '10.0.3.17:6379', name: 'Node' },
  { value: 'sessions', name: 'Instance' },
  { value: 'prod', name: 'Stage' },
];

const metric = (MetricName: string) => ({ MetricName, Namespace: 'Offpeak', Dimensions: DIMENSIONS });

const stat = (Id: string, MetricName: string) => ({
  Id,
  MetricStat: { Metric: metric(MetricName), Period: 300, Stat: 'Maximum' },
  ReturnData: false,
});

/** An alarm on one metric. */
export function anAlarm(over: Json = {}): Json {
  const name = 'offpeak-prod-sessions-unreachable-critical';
  return {
    AlarmName: name,
    AlarmDescription:
      'No answer from the node for 15 minutes. Runbook: https://docs.example/offpeak/runbook.md#unreachable.',
    AWSAccountId: '123456789012',
    AlarmConfigurationUpdatedTimestamp: '2026-11-20T09:00:00.000+0000',
    NewStateValue: 'ALARM',
    NewStateReason:
      'Threshold Crossed: 3 out of the last 3 datapoints [0.0 (23/11/26 02:04:00), 0.0 (23/11/26 01:59:00), 0.0 (23/11/26 01:54:00)] were less than the threshold (1.0) (minimum 3 datapoints for OK -> ALARM transition).',
    StateChangeTime: '2026-11-23T02:09:12.345+0000',
    Region: 'EU (Ireland)',
    AlarmArn: `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${name}`,
    OldStateValue: 'OK',
    OKActions: ['arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts'],
    AlarmActions: ['arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts'],
    InsufficientDataActions: [],
    Trigger: {
      ...metric('Reachable'),
      StatisticType: 'Statistic',
      Statistic: 'MINIMUM',
      Unit: null,
      Period: 300,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1.0,
      TreatMissingData: 'missing',
      EvaluateLowSampleCountPercentile: '',
    },
    ...over,
  };
}

/** The ratio with its byte floor: metric math has no metric of its own. */
export function aMathAlarm(over: Json = {}): Json {
  const name = 'offpeak-prod-sessions-fragmentation-warning';
  return anAlarm({
    AlarmName: name,
    AlarmArn: `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${name}`,
    AlarmDescription:
      'Fragmentation ratio above 1.5 for 30 minutes. Runbook: https://docs.example/offpeak/runbook.md#ratio',
    NewStateReason: 'Threshold Crossed: 6 out of the last 6 datapoints were greater than the threshold (1.5).',
    Trigger: {
      Period: 300,
      EvaluationPeriods: 6,
      DatapointsToAlarm: 6,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 1.5,
      TreatMissingData: 'notBreaching',
      EvaluateLowSampleCountPercentile: '',
      Metrics: [
        {
          Expression: 'IF(rss - used > 104857600, ratio, 0)',
          Id: 'floored',
          Label: 'ratio above floor',
          ReturnData: true,
        },
        stat('ratio', 'MemFragmentationRatio'),
        stat('rss', 'UsedMemoryRss'),
        stat('used', 'UsedMemory'),
      ],
    },
    ...over,
  });
}

/** A composite alarm has a rule and children, and no trigger. */
export function aCompositeAlarm(over: Json = {}): Json {
  const { Trigger: _, ...rest } = anAlarm();
  const child = 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:offpeak-prod-sessions-unreachable-critical';
  return {
    ...rest,
    AlarmName: 'offpeak-prod-fleet-critical',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:offpeak-prod-fleet-critical',
    AlarmDescription: null,
    AlarmRule:
      'ALARM("offpeak-prod-sessions-unreachable-critical") OR ALARM("offpeak-prod-carts-unreachable-critical")',
    NewStateReason: `${child} transitioned to ALARM at Monday 23 November, 2026 02:09:12 UTC`,
    TriggeringChildren: [{ Arn: child, State: { Value: 'ALARM', Timestamp: '2026-11-23T02:09:12.345+0000' } }],
    ...over,
  };
}

/** The job itself: no instance, no node. */
export function aJobAlarm(over: Json = {}): Json {
  const name = 'offpeak-prod-job-not-running-critical';
  return anAlarm({
    AlarmName: name,
    AlarmArn: `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:${name}`,
    AlarmDescription: 'No tick has ended in 20 minutes.',
    NewStateReason: 'Insufficient Data: 4 datapoints were unknown.',
    Trigger: {
      MetricName: 'Heartbeat',
      Namespace: 'Offpeak',
      StatisticType: 'Statistic',
      Statistic: 'SUM',
      Unit: null,
      Dimensions: [{ value: 'prod', name: 'Stage' }],
      Period: 300,
      EvaluationPeriods: 4,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1.0,
      TreatMissingData: 'breaching',
      EvaluateLowSampleCountPercentile: '',
    },
    ...over,
  });
}
