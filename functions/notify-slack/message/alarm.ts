import * as z from 'zod/mini';
import {
  DIMENSION,
  FLEET_METRICS,
  JOB_METRICS,
  type MetricDefinition,
  NAMESPACE,
  NODE_METRICS,
} from '../../../core/domain/metric-catalogue.ts';

/** CloudWatch writes null as often as it leaves a key out. */
const maybeText = z.nullish(z.string());

/** `{"name": …, "value": …}` in notifications; the API's own spelling has capitals. */
const dimension = z.union([
  z.object({ name: z.string(), value: z.string() }),
  z.pipe(
    z.object({ Name: z.string(), Value: z.string() }),
    z.transform(({ Name, Value }) => ({ name: Name, value: Value })),
  ),
]);
const dimensions = z.catch(z.array(dimension), []);

const metric = { MetricName: maybeText, Namespace: maybeText, Dimensions: dimensions };

/** What an alarm watches. A composite alarm has none; one with metric math has `Metrics` in place of a metric. */
const trigger = z.object({
  ...metric,
  Period: z.nullish(z.number()),
  EvaluationPeriods: z.nullish(z.number()),
  DatapointsToAlarm: z.nullish(z.number()),
  ComparisonOperator: maybeText,
  Threshold: z.nullish(z.number()),
  Unit: maybeText,
  Metrics: z.catch(
    z.optional(
      z.array(
        z.object({
          Label: maybeText,
          Expression: maybeText,
          ReturnData: z.nullish(z.boolean()),
          MetricStat: z.nullish(z.object({ Metric: z.object(metric), Period: z.nullish(z.number()) })),
        }),
      ),
    ),
    undefined,
  ),
});

const alarm = z.object({
  AlarmName: z.string().check(z.minLength(1)),
  NewStateValue: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']),
  OldStateValue: maybeText,
  NewStateReason: maybeText,
  StateChangeTime: maybeText,
  AlarmDescription: maybeText,
  AlarmArn: maybeText,
  Region: maybeText,
  AlarmRule: maybeText,
  // A shape that CloudWatch has changed costs its details, not the message.
  Trigger: z.catch(z.nullish(trigger), undefined),
  TriggeringChildren: z.catch(z.nullish(z.array(z.object({ Arn: z.string() }))), undefined),
});

/** A state change of an alarm, as CloudWatch publishes it to SNS. */
export type Alarm = z.output<typeof alarm>;
/** What the alarm watches. */
export type Trigger = z.output<typeof trigger>;

/** A notification of a CloudWatch alarm, or undefined where it is something else, or lacks its name or its state. */
export function readAlarm(json: unknown): Alarm | undefined {
  return z.safeParse(alarm, json).data;
}

/** The instances and nodes that the alarm's metrics belong to, each once; empty for a job's or a composite alarm. */
export function placesOf({ Trigger: watched }: Alarm): {
  readonly instances: readonly string[];
  readonly nodes: readonly string[];
} {
  const all = [
    ...(watched?.Dimensions ?? []),
    ...(watched?.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric.Dimensions ?? []),
  ];
  const valuesOf = (wanted: string) => [
    ...new Set(all.filter(({ name }) => name === wanted).map(({ value }) => value)),
  ];
  return { instances: valuesOf(DIMENSION.instance), nodes: valuesOf(DIMENSION.node) };
}

/** What the alarm compares: a metric, or with metric math the one of `Metrics` that returns data. */
export function comparedOf({ MetricName, Namespace, Unit, Period, Metrics = [] }: Trigger): {
  readonly name: string;
  /** As CloudWatch spells it; undefined where nothing says it. */
  readonly unit: string | undefined;
  /** Seconds. */
  readonly period: number | undefined;
} {
  const compared = MetricName ? undefined : Metrics.find(({ ReturnData }) => ReturnData !== false);
  const metric = compared?.MetricStat?.Metric ?? { MetricName, Namespace };
  const own = [metric.Namespace, metric.MetricName].filter(Boolean).join(' ');
  return {
    name: compared?.Label || compared?.Expression || own,
    unit: Unit ?? unitOf(metric),
    period: Period ?? Metrics.find(({ MetricStat }) => MetricStat?.Period)?.MetricStat?.Period ?? undefined,
  };
}

const CATALOGUE: readonly MetricDefinition[] = [NODE_METRICS, JOB_METRICS, FLEET_METRICS].flatMap((all) =>
  Object.values<MetricDefinition>(all),
);

function unitOf({ MetricName, Namespace }: { MetricName?: Text; Namespace?: Text }): string | undefined {
  return Namespace === NAMESPACE ? CATALOGUE.find(({ name }) => name === MetricName)?.unit : undefined;
}

type Text = string | null | undefined;
