import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import type { Metric } from '../../domain/metric.ts';

/** What one PutMetricData takes (its API reference). */
const LIMITS = {
  datums: 1000,
  /** Documented as "1 MB" before compression, without saying whether that is 1,000,000 or 1,048,576 bytes: a tenth less. */
  bytes: 900_000,
};

/** `{"Namespace":"…","MetricData":[…]}` around the datums; a namespace has at most 255 characters. */
const ENVELOPE_BYTES = 300;

/**
 * Packs metrics into as few requests as CloudWatch allows, in the order given.
 *
 * Each metric stays a datum of its own, though equal ones could share a `Values` array: a tick publishes each metric
 * once, and a datum that CloudWatch refuses can then be named.
 */
export function metricBatches(metrics: readonly Metric[], limits = LIMITS): readonly (readonly Metric[])[] {
  const batches: Metric[][] = [];
  let bytes = 0;
  for (const metric of metrics) {
    const size = datumBytes(metric);
    const current = batches.at(-1);
    if (current && current.length < limits.datums && bytes + size <= limits.bytes) {
      current.push(metric);
      bytes += size;
    } else {
      batches.push([metric]);
      bytes = ENVELOPE_BYTES + size;
    }
  }
  return batches;
}

/** One metric as PutMetricData takes it; the names are CloudWatch's own. */
export function toDatum(metric: Metric): MetricDatum {
  return {
    MetricName: metric.name,
    Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
    Timestamp: new Date(metric.at),
    Value: metric.value,
    Unit: metric.unit,
  };
}

/**
 * The bytes that a datum adds to the body, with its comma: the JSON that the SDK writes, which is ASCII as the names and addresses of the
 * config are. Only the timestamp differs: the SDK writes seconds with a fraction, and here it counts as milliseconds and a point.
 */
function datumBytes(metric: Metric): number {
  return JSON.stringify({ ...toDatum(metric), Timestamp: metric.at }).length + '.,'.length;
}

/** Names a metric for people: `UsedMemory{Stage=prod,Instance=sessions,Node=primary}`. */
export function metricLabel({ name, dimensions }: Metric): string {
  return `${name}{${Object.entries(dimensions).map(([key, value]) => `${key}=${value}`)}}`;
}
