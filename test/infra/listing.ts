import type { Json, Resource, Resources } from '../../infra/cloudformation.ts';
import { metricsRead } from '../unit/infra/stacks.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Principal?: { readonly Service: string };
  readonly Resource?: Json;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

interface AlarmShape {
  readonly Statistic?: string;
  readonly Period?: number;
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: Resource['Properties']; readonly Period: number; readonly Stat: string };
  }[];
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly TreatMissingData: string;
}

const COMPARED: Readonly<Record<string, string>> = {
  GreaterThanThreshold: '>',
  GreaterThanOrEqualToThreshold: '>=',
  LessThanThreshold: '<',
};
const INDENT = ' '.repeat(25);

/** A template for people who review its change: a line for each resource, what each alarm watches, and every right. */
export function listing(resources: Resources): string {
  const lines = Object.entries(resources).flatMap(([id, resource]) => [
    titleOf(id, resource),
    ...detailsOf(resource).map((detail) => `${INDENT}${detail}`),
  ]);
  return lines.join('\n');
}

function titleOf(id: string, { Type, Properties }: Resource): string {
  const name = Properties.AlarmName ?? Properties.TopicName ?? Properties.QueueName ?? Properties.Name ?? '';
  return `${Type.replace('AWS::', '').padEnd(22)} ${id}${name === '' ? '' : `  ${String(name)}`}`;
}

function detailsOf({ Type, Properties }: Resource): readonly string[] {
  if (Type === 'AWS::CloudWatch::Alarm') return [alarmText(Properties)];
  const { AssumeRolePolicyDocument, Policies, PolicyDocument } = Properties as Readonly<Record<string, unknown>>;
  const inline = (Policies ?? []) as readonly { readonly PolicyDocument: unknown }[];
  const documents = [AssumeRolePolicyDocument, ...inline.map((one) => one.PolicyDocument), PolicyDocument];
  return documents
    .flatMap((document) => (document as { Statement: Statement[] } | undefined)?.Statement ?? [])
    .map(statementText);
}

/** `Offpeak Heartbeat of Stage=prod: SampleCount < 1 in 3 of 3 × 300 s, missing is breaching`. */
function alarmText(properties: Resource['Properties']): string {
  const alarm = properties as unknown as AlarmShape;
  const { Metrics = [], ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm } = alarm;
  const inputs = Metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [{ Id, ...MetricStat }] : []));
  const seconds = alarm.Period ?? [...new Set(inputs.map(({ Period }) => Period))].join(' and ');
  const source =
    Metrics.find(({ Expression }) => Expression)?.Expression ?? `${metricText(properties)}: ${alarm.Statistic}`;
  const compared = `${source} ${COMPARED[ComparisonOperator] ?? ComparisonOperator} ${Threshold}`;
  const lasting = `in ${DatapointsToAlarm} of ${EvaluationPeriods} × ${seconds} s, missing is ${alarm.TreatMissingData}`;
  const read = inputs.map(({ Id, Metric, Stat }) => `; ${Id} is ${metricText(Metric)}: ${Stat}`);
  return `${compared} ${lasting}${read.join('')}`;
}

function metricText(properties: Resource['Properties']): string {
  const [{ namespace, name, dimensions } = { namespace: '', name: '', dimensions: {} }] = metricsRead(properties);
  const of = Object.entries(dimensions).map(([dimension, value]) => `${dimension}=${valueText(value)}`);
  return `${namespace} ${name} of ${of.join(' ')}`;
}

/** `lambda.amazonaws.com may sts:AssumeRole`, `may sns:Publish on AlertTopic`, with its conditions behind it. */
function statementText({ Effect, Action, Principal, Resource: on, Condition = {} }: Statement): string {
  const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, value]) => `${key} ${operator} ${valueText(value)}`),
  );
  return [
    ...(Principal === undefined ? [] : [Principal.Service]),
    `${Effect === 'Allow' ? 'may' : 'may not'} ${[Action].flat().join(' ')}`,
    ...(on === undefined ? [] : [`on ${valueText(on)}`]),
    ...(conditions.length === 0 ? [] : [`if ${conditions.join(' and ')}`]),
  ].join(' ');
}

/** Without the notation of CloudFormation: `StateTable.Arn`. */
function valueText(value: Json): string {
  if (Array.isArray(value)) return value.map(valueText).join(' ');
  if (typeof value !== 'object') return String(value);
  const [inner = ''] = Object.values(value);
  return Array.isArray(inner) ? inner.join('.') : String(inner);
}
