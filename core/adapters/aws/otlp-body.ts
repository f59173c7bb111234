import { type Metric, type MetricUnit, OTLP_PREFIX } from '../../domain/metric.ts';
import { metricBatches } from './metric-batches.ts';

/** The Unified Code for Units of Measure, as OTLP has units. */
const UNITS: Readonly<Record<MetricUnit, string>> = {
  Bytes: 'By',
  Count: '1',
  'Count/Second': '1/s',
  Milliseconds: 'ms',
  None: '1',
  Percent: '%',
};

/**
 * What one request takes. No page that could be read names limits for metrics but the 150 labels of a point: these are those of PutMetricData, and a
 * datum there has about as many bytes as a point here.
 */
const LIMITS = { datums: 1000, bytes: 600_000 };

export function otlpBatches(metrics: readonly Metric[]): readonly (readonly Metric[])[] {
  return metricBatches(metrics, LIMITS);
}

/**
 * ExportMetricsServiceRequest as JSON: each metric a gauge, with the dimensions as attributes of its points. One short attribute of the resource: CloudWatch
 * charges each point with all of them.
 */
export function otlpBody(metrics: readonly Metric[]): string {
  const named = [...Map.groupBy(metrics, ({ name }) => name)].map(([name, points]) => ({
    name: `${OTLP_PREFIX}${name}`,
    unit: points[0] && UNITS[points[0].unit],
    gauge: { dataPoints: points.map(pointOf) },
  }));
  const resource = { attributes: [attribute('service.name', 'offpeak')] };
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics: named }] }] });
}

function pointOf({ value, dimensions, at }: Metric) {
  return {
    attributes: Object.entries(dimensions).map(([key, text]) => attribute(key, text)),
    // 64 bits, which JSON has as text.
    timeUnixNano: `${Math.round(at)}000000`,
    asDouble: value,
  };
}

function attribute(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}
