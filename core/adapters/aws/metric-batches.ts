import type { Metric } from '../../domain/metric-catalogue.ts';
import type { Rejection } from '../../ports/sinks.ts';
import { LIMITS, metricFault, metricLabel } from './metric-limits.ts';

/** One metric as PutMetricData takes it; the names are CloudWatch's own. */
export interface Datum {
  readonly MetricName: string;
  readonly Dimensions: { readonly Name: string; readonly Value: string }[];
  readonly Timestamp: Date;
  readonly Value: number;
  readonly Unit: Metric['unit'];
}

export interface MetricBatches {
  /** In the order given; each fits one PutMetricData. */
  readonly batches: readonly (readonly Metric[])[];
  readonly rejected: readonly Rejection[];
}

export interface BatchLimits {
  readonly datums: number;
  /** Of the request's body before compression. */
  readonly bytes: number;
}

const API_LIMITS: BatchLimits = { datums: LIMITS.datumsPerCall, bytes: LIMITS.bytesPerCall };

/** `{"Namespace":"…","MetricData":[…]}` around the datums; a namespace has at most 255 characters. */
const ENVELOPE_BYTES = 300;

/**
 * Packs metrics into as few requests as CloudWatch allows, and rejects those that it would refuse.
 *
 * Each metric stays a datum of its own, though equal ones could share a `Values` array: a tick publishes each metric
 * once, and a datum that CloudWatch refuses can then be named.
 *
 * @param now epoch milliseconds, for the limits on timestamps
 */
export function planMetricBatches(metrics: readonly Metric[], now: number, limits = API_LIMITS): MetricBatches {
  const rejected: Rejection[] = [];
  const batches: Metric[][] = [];
  let current: Metric[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const metric of metrics) {
    const size = datumBytes(metric);
    const why = metricFault(metric, now) ?? sizeFault(size, limits);
    if (why !== undefined) {
      rejected.push({ what: metricLabel(metric), why });
      continue;
    }
    if (current.length === limits.datums || bytes + size > limits.bytes) {
      batches.push(current);
      current = [];
      bytes = ENVELOPE_BYTES;
    }
    current.push(metric);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return { batches, rejected };
}

export function toDatum(metric: Metric): Datum {
  return {
    MetricName: metric.name,
    Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
    Timestamp: new Date(metric.at),
    Value: metric.value,
    Unit: metric.unit,
  };
}

/**
 * The bytes that a datum adds to the body, with its comma: the JSON that the SDK writes. Only the timestamp differs: the SDK writes seconds with
 * a fraction, and here it counts as milliseconds and a point. A metric that passes the
 * limits is ASCII, so its characters are bytes.
 */
function datumBytes(metric: Metric): number {
  return JSON.stringify({ ...toDatum(metric), Timestamp: metric.at }).length + '.,'.length;
}

function sizeFault(bytes: number, limits: BatchLimits): string | undefined {
  if (ENVELOPE_BYTES + bytes <= limits.bytes) return undefined;
  return `takes ${bytes} bytes, more than one request of ${limits.bytes} bytes carries`;
}
