import type { Json, Resource, Resources } from '../../infra/cloudformation.ts';
import { type Alarm, listOf, metricsRead, propertiesOf } from '../unit/infra/stacks.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Principal?: { readonly Service: string };
  readonly Resource?: Json;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
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

function titleOf(id: string, resource: Resource): string {
  const { AlarmName, TopicName, QueueName, Name } = propertiesOf(resource);
  const name = AlarmName ?? TopicName ?? QueueName ?? Name ?? '';
  return `${resource.Type.replace('AWS::', '').padEnd(22)} ${id}${name === '' ? '' : `  ${String(name)}`}`;
}

function detailsOf(resource: Resource): readonly string[] {
  if (resource.Type === 'AWS::CloudWatch::Alarm') {
    const { Properties } = resource;
    return [
      'EvaluationCriteria' in Properties ? Properties.EvaluationCriteria.PromQLCriteria.Query : alarmText(Properties),
    ];
  }
  const { AssumeRolePolicyDocument, Policies, PolicyDocument }: Readonly<Record<string, unknown>> =
    propertiesOf(resource);
  const inline = (Policies ?? []) as readonly { readonly PolicyDocument: unknown }[];
  const documents = [AssumeRolePolicyDocument, ...inline.map((one) => one.PolicyDocument), PolicyDocument];
  return documents
    .flatMap((document) => (document as { Statement: Statement[] } | undefined)?.Statement ?? [])
    .map(statementText);
}

/** `Offpeak Heartbeat of Stage=prod: SampleCount < 1 in 3 of 3 × 300 s, missing is breaching`. */
function alarmText(alarm: Alarm): string {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm } = alarm;
  const metrics = listOf(alarm.Metrics);
  const inputs = metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [{ Id, ...MetricStat }] : []));
  const seconds = alarm.Period ?? [...new Set(inputs.map(({ Period }) => Period))].join(' and ');
  const source = metrics.find(({ Expression }) => Expression)?.Expression ?? `${metricText(alarm)}: ${alarm.Statistic}`;
  const compared = `${source} ${COMPARED[String(ComparisonOperator)]} ${Threshold}`;
  const lasting = `in ${DatapointsToAlarm} of ${EvaluationPeriods} × ${seconds} s, missing is ${alarm.TreatMissingData}`;
  const read = inputs.map(({ Id, Metric, Stat }) => `; ${Id} is ${metricText(Metric)}: ${Stat}`);
  return `${compared} ${lasting}${read.join('')}`;
}

function metricText(properties: Partial<Alarm>): string {
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
