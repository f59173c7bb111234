import type { Config } from '../core/config/schema.ts';
import { MINUTE, SECOND } from '../core/config/units.ts';
import { type AlarmDescription, printAlarmDescription } from '../core/format/alarm-description.ts';
import { getAtt, type Intrinsic, type ResourceOf } from './cloudformation.ts';
import { alarmName } from './names.ts';
import { runbookPlace } from './runbook.ts';
import { topicsOfAlarm } from './topic.ts';

type AlarmProperties = ResourceOf<'AWS::CloudWatch::Alarm'>['Properties'];

/** One metric, or an expression over several. */
export type AlarmSource =
  | { readonly metric: MetricSource }
  | { readonly expression: string; readonly label: string; readonly metrics: Readonly<Record<string, MetricSource>> };

export interface MetricSource {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string | Intrinsic>>;
  readonly statistic: 'Average' | 'Maximum' | 'SampleCount' | 'Sum';
}

export interface AlarmSpec {
  /** Its subject: `carts`, `carts/<node>`, or `job`. */
  readonly subject: string;
  /** What is the matter: `fragmentation`, `not-running`. */
  readonly what: string;
  readonly severity: AlarmDescription['severity'];
  /** What is the matter, for people. */
  readonly means: string;
  /** What to do about it. */
  readonly next: string;
  /** One of `ANCHORS`. */
  readonly anchor: string;
  readonly source: AlarmSource;
  readonly comparison: 'GreaterThanThreshold' | 'GreaterThanOrEqualToThreshold' | 'LessThanThreshold';
  readonly threshold: number;
  /** Consecutive periods of `schedule.every`, in each of which the threshold has to be crossed. */
  readonly periods: number;
  /** `ignore` keeps the state: without data nothing is known, and the alarm `not-running` reports missing data. */
  readonly missing: 'breaching' | 'ignore' | 'notBreaching';
}

/** Every alarm sends its start and its end; its description says what to do, its severity and where to read on. */
export function alarm(config: Config, spec: AlarmSpec): ResourceOf<'AWS::CloudWatch::Alarm'> {
  const { means, next, severity, anchor, comparison, threshold, periods, missing } = spec;
  const runbook = runbookPlace(config, anchor);
  const topics = topicsOfAlarm(config, severity);
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: alarmName(config.stage, spec.subject, `${spec.what}-${severity}`),
      AlarmDescription: printAlarmDescription({ means, next, severity, runbook }),
      ...sourceProperties(spec.source, periodSeconds(config)),
      ComparisonOperator: comparison,
      Threshold: threshold,
      EvaluationPeriods: periods,
      DatapointsToAlarm: periods,
      TreatMissingData: missing,
      AlarmActions: topics,
      OKActions: topics,
    },
  };
}

/** One period holds one tick, as `every` divides the hour and CloudWatch's periods begin at the full hour. */
function periodSeconds({ schedule }: Config): number {
  return Math.max(schedule.every, MINUTE) / SECOND;
}

function sourceProperties(source: AlarmSource, period: number): Partial<AlarmProperties> {
  if ('metric' in source) {
    const { namespace, name, statistic } = source.metric;
    const Dimensions = dimensionList(source.metric);
    return { Namespace: namespace, MetricName: name, Dimensions, Statistic: statistic, Period: period };
  }
  const inputs = Object.entries(source.metrics).map(([Id, metric]) => ({
    Id,
    MetricStat: {
      Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions: dimensionList(metric) },
      Period: period,
      Stat: metric.statistic,
    },
    ReturnData: false,
  }));
  return {
    Metrics: [{ Id: 'result', Expression: source.expression, Label: source.label, ReturnData: true }, ...inputs],
  };
}

function dimensionList({ dimensions }: MetricSource) {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}

/** So many ticks may be missing before the alarm: one can be lost to a deployment, two to a bad minute. */
export const SILENT_TICKS = 3;

/** The dead-man's switch: what does not run raises no other alarm, so missing data raises this one. */
export function notRunning(metric: MetricSource) {
  return {
    what: 'not-running',
    severity: 'critical',
    source: { metric },
    comparison: 'LessThanThreshold',
    threshold: 1,
    periods: SILENT_TICKS,
    missing: 'breaching',
  } as const;
}

/** AWS publishes counts of failures only when there is something to count. */
export function aboveZero(source: AlarmSource) {
  return {
    source,
    comparison: 'GreaterThanThreshold',
    threshold: 0,
    periods: 1,
    missing: 'notBreaching',
  } as const;
}

/** Of a queue of dead letters: what could not be done is for people. */
export function deadLetters(subject: string, queueId: string, anchor: AlarmSpec['anchor'], meaning: string): AlarmSpec {
  const name = 'ApproximateNumberOfMessagesVisible';
  const dimensions = { QueueName: getAtt(queueId, 'QueueName') };
  return {
    ...aboveZero({ metric: { namespace: 'AWS/SQS', name, dimensions, statistic: 'Maximum' } }),
    subject,
    what: 'dead-letters',
    severity: 'warning',
    means: meaning,
    next: 'Read the message in the dead-letter queue, then purge the queue.',
    anchor,
    // An idle queue stops reporting after some hours, with what it holds.
    missing: 'ignore',
  };
}
