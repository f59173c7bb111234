import type { Json, Resources } from '../../../../infra/cloudformation.ts';
import { propertiesOf } from '../../infra/stacks.ts';

interface MetricShape {
  readonly MetricName?: string;
  readonly Namespace?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: Named }[];
  readonly Statistic?: string;
  readonly Period?: number;
}

/** An alarm on a queue names it by its resource. */
type Named = string | { readonly 'Fn::GetAtt': readonly [logicalId: string, attribute: string] };

/** An alarm as the template has it. */
interface AlarmShape extends MetricShape {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly ComparisonOperator: keyof typeof WORDS;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly { readonly MetricStat?: MetricShape & { readonly Metric: MetricShape } }[];
}

/** What happened: the state, and the datum that made it so; without one, none came. */
export interface Change {
  readonly to: 'ALARM' | 'OK';
  readonly datum?: number;
}

const WORDS = {
  GreaterThanThreshold: 'greater than',
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  LessThanThreshold: 'less than',
} as const;
const STATISTICS: Readonly<Record<string, string>> = { SampleCount: 'SAMPLE_COUNT' };
const ACCOUNT = '123456789012';
/** The period in which an alarm began; it ended half an hour later. */
const AT: Readonly<Record<Change['to'], number>> = {
  ALARM: Date.UTC(2026, 10, 23, 2, 4),
  OK: Date.UTC(2026, 10, 23, 2, 34),
};
/** From the start of a period to the message about it. */
const DELAY = 312_345;

/**
 * What CloudWatch publishes to SNS when an alarm of the template changes its state: keys, spellings and reasons are those of real
 * ones, all else is the alarm's own.
 */
export function notificationOf(resources: Resources, name: string, change: Change): Readonly<Record<string, unknown>> {
  const alarm = alarmNamed(resources, name);
  const actions = [`arn:aws:sns:eu-west-1:${ACCOUNT}:${propertiesOf(resources.AlertTopic).TopicName}`];
  return {
    AlarmName: name,
    AlarmDescription: alarm.AlarmDescription,
    AWSAccountId: ACCOUNT,
    AlarmConfigurationUpdatedTimestamp: '2026-11-20T09:00:00.000+0000',
    NewStateValue: change.to,
    NewStateReason: reason(alarm, change),
    StateChangeTime: new Date(AT[change.to] + DELAY).toISOString().replace('Z', '+0000'),
    Region: 'EU (Ireland)',
    AlarmArn: `arn:aws:cloudwatch:eu-west-1:${ACCOUNT}:alarm:${name}`,
    OldStateValue: change.to === 'OK' ? 'ALARM' : 'OK',
    OKActions: actions,
    AlarmActions: actions,
    InsufficientDataActions: [],
    Trigger: triggerOf(resources, alarm),
  };
}

function alarmNamed(resources: Resources, name: string): AlarmShape {
  const found = Object.values(resources).find((one) => propertiesOf(one).AlarmName === name);
  if (found === undefined) throw new Error(`the template has no alarm ${name}`);
  return found.Properties as unknown as AlarmShape;
}

function triggerOf(resources: Resources, alarm: AlarmShape): unknown {
  const { Metrics, Statistic = '' } = alarm;
  const { EvaluationPeriods, DatapointsToAlarm, ComparisonOperator, Threshold, TreatMissingData } = alarm;
  const compared = {
    EvaluationPeriods,
    DatapointsToAlarm,
    ComparisonOperator,
    Threshold,
    TreatMissingData,
    EvaluateLowSampleCountPercentile: '',
  };
  if (Metrics === undefined) {
    return {
      ...metricOf(resources, alarm),
      StatisticType: 'Statistic',
      Statistic: STATISTICS[Statistic] ?? Statistic.toUpperCase(),
      Unit: null,
      Period: alarm.Period,
      ...compared,
    };
  }
  const metrics = Metrics.map(({ MetricStat, ...one }) => ({
    ...one,
    ...(MetricStat && { MetricStat: { ...MetricStat, Metric: metricOf(resources, MetricStat.Metric) } }),
  }));
  return { Period: periodOf(alarm), ...compared, Metrics: metrics };
}

/** Seconds; of metric math, those of its metrics. */
function periodOf({ Period, Metrics = [] }: AlarmShape): number {
  return Period ?? Metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period ?? 0;
}

function metricOf(resources: Resources, { MetricName, Namespace, Dimensions = [] }: MetricShape): object {
  const dimensions = Dimensions.map(({ Name, Value }) => ({ value: filledIn(resources, Value), name: Name }));
  return { MetricName, Namespace, Dimensions: dimensions };
}

/** As CloudFormation does. */
function filledIn(resources: Resources, value: Named): Json | undefined {
  if (typeof value === 'string') return value;
  const [logicalId, attribute] = value['Fn::GetAtt'];
  return propertiesOf(resources[logicalId])[attribute];
}

function reason(alarm: AlarmShape, { to, datum }: Change): string {
  const { ComparisonOperator, Threshold, EvaluationPeriods: count, TreatMissingData } = alarm;
  if (datum === undefined) {
    const treated = `[${TreatMissingData.charAt(0).toUpperCase()}${TreatMissingData.slice(1)}]`;
    return `Threshold Crossed: no datapoints were received for ${counted(count, 'period')} and ${counted(count, 'missing datapoint')} were treated as ${treated}.`;
  }
  const over = `${WORDS[ComparisonOperator]} the threshold (${double(Threshold)})`;
  const dataOf = (many: number) =>
    Array.from({ length: many }, (_, n) => `${double(datum)} (${timeText(AT[to] - n * periodOf(alarm) * 1000)})`).join(
      ', ',
    );
  if (to === 'OK') return `Threshold Crossed: 1 datapoint [${dataOf(1)}] was not ${over}.`;
  return `Threshold Crossed: ${count} out of the last ${count} datapoints [${dataOf(count)}] ${count === 1 ? 'was' : 'were'} ${over} (minimum ${counted(count, 'datapoint')} for OK -> ALARM transition).`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `23/11/26 02:04:00`. */
function timeText(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().slice(2, 19).split('T');
  return `${date.split('-').reverse().join('/')} ${time}`;
}

/** As Java writes it: `1.0`, `5.476083302E9`. */
function double(value: number): string {
  if (value >= 1e7) return value.toExponential().replace('e+', 'E');
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
