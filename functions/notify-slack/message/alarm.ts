import * as z from 'zod/mini';
import { FLEET_METRICS, JOB_METRICS } from '../../../core/domain/job-metrics.ts';
import { type MetricDefinition, NAMESPACE } from '../../../core/domain/metric.ts';
import { NODE_METRICS } from '../../../core/domain/node-metrics.ts';

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
  ThresholdMetricId: maybeText,
  Unit: maybeText,
  Metrics: z.catch(
    z.optional(
      z.array(
        z.object({
          Id: maybeText,
          Label: maybeText,
          Expression: maybeText,
          ReturnData: z.nullish(z.boolean()),
          MetricStat: z.nullish(z.object({ Metric: z.object(metric), Period: z.nullish(z.number()), Unit: maybeText })),
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

/** What the alarm's metrics belong to: each dimension with its values, each once. None for a composite alarm. */
export function placesOf({ Trigger: watched }: Alarm): ReadonlyMap<string, readonly string[]> {
  const all = [
    ...(watched?.Dimensions ?? []),
    ...(watched?.Metrics ?? []).flatMap(({ MetricStat }) => MetricStat?.Metric.Dimensions ?? []),
  ];
  const byName = Map.groupBy(all, ({ name }) => name);
  return new Map([...byName].map(([name, those]) => [name, [...new Set(those.map(({ value }) => value))]]));
}

/** What the alarm compares: a metric, or with metric math the one of `Metrics` that returns data. */
export function comparedOf({ MetricName, Namespace, Unit, Period, Metrics = [] }: Trigger): {
  readonly name: string;
  /** As CloudWatch spells it; undefined where nothing says it. */
  readonly unit: string | undefined;
  /** Seconds. */
  readonly period: number | undefined;
} {
  // The band of an anomaly alarm returns data, too: it is the threshold.
  const returning = Metrics.filter(({ ReturnData, Expression }) => ReturnData !== false && !isBand(Expression));
  const compared = MetricName ? undefined : returning[0];
  const metric = compared?.MetricStat?.Metric ?? { MetricName, Namespace };
  const own = [metric.Namespace, metric.MetricName].filter(Boolean).join(' ');
  const inputs = Metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []));
  return {
    name: compared?.Label || compared?.Expression || own,
    unit: Unit ?? compared?.MetricStat?.Unit ?? (compared?.Expression ? unitOfMath(compared, inputs) : unitOf(metric)),
    period: Period ?? Metrics.find(({ MetricStat }) => MetricStat?.Period)?.MetricStat?.Period ?? undefined,
  };
}

function isBand(expression: Text): boolean {
  return /^\s*ANOMALY_DETECTION_BAND\(/.test(expression ?? '');
}

/** A share in percent, where the words or the factor say so; else the unit of what is added up, compared or taken the most of. */
function unitOfMath(
  { Expression, Label }: { readonly Expression?: Text; readonly Label?: Text },
  inputs: readonly MetricName[],
): string | undefined {
  const text = Expression ?? '';
  if (/percent|%/i.test(Label ?? '') || /(?<![\d.])100\s*\*|\*\s*100(?![\d.])/.test(text)) return 'Percent';
  const units = new Set(inputs.map(unitOf));
  return units.size === 1 && !/[*/^]|RATE\(/.test(text) ? [...units][0] : undefined;
}

const CATALOGUE: readonly MetricDefinition[] = [NODE_METRICS, JOB_METRICS, FLEET_METRICS].flatMap((all) =>
  Object.values<MetricDefinition>(all),
);

interface MetricName {
  readonly MetricName?: Text;
  readonly Namespace?: Text;
}

/**
 * Notifications seldom have a unit. Offpeak's metrics have theirs in the catalogue; others have names that say it, like `BytesUsedForCache`,
 * `DatabaseMemoryUsagePercentage`, `FreeableMemory`, `pod_memory_working_set`. The first that fits.
 */
const NAMES: readonly (readonly [name: RegExp, unit: string | undefined])[] = [
  [/percent|utilization/i, 'Percent'],
  // ContainerInsights has MemoryUtilized and MemoryReserved in megabytes.
  [/ratio|count|number|score|rate|utilized|reserved|fail|pages/i, undefined],
  [/bytes|memory|(?:^|_)mem_|rss|swapusage|storagespace|^network(?:in|out)$/i, 'Bytes'],
];

function unitOf({ MetricName = '', Namespace }: MetricName): string | undefined {
  if (Namespace === NAMESPACE) return CATALOGUE.find(({ name }) => name === MetricName)?.unit;
  return NAMES.find(([name]) => name.test(MetricName ?? ''))?.[1];
}

type Text = string | null | undefined;
