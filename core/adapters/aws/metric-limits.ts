import type { Metric } from '../../domain/metric-catalogue.ts';

/**
 * What CloudWatch accepts, from the API reference of PutMetricData, MetricDatum and Dimension. One bad datum makes
 * CloudWatch refuse the whole request, so each is checked before it shares a request with others.
 */
export const LIMITS = {
  datumsPerCall: 1000,
  /**
   * Documented as "1 MB" before compression. A tenth less, because the reference does not say whether that is 1,000,000 or
   * 1,048,576 bytes.
   */
  bytesPerCall: 900_000,
  dimensions: 30,
  metricNameChars: 255,
  dimensionNameChars: 255,
  dimensionValueChars: 1024,
  magnitude: 2 ** 360,
  oldestMs: 14 * 24 * 3_600_000,
  newestMs: 2 * 3_600_000,
} as const;

/** This machine's clock and CloudWatch's differ, and a retry takes seconds: data this near to a time limit counts as beyond it. */
const CLOCK_MARGIN_MS = 60_000;

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

/** Why CloudWatch would refuse this metric, or undefined when it would not. `now` is epoch milliseconds. */
export function metricFault(metric: Metric, now: number): string | undefined {
  return (
    textFault('metric name', metric.name, LIMITS.metricNameChars) ??
    valueFault(metric.value) ??
    timeFault(metric.at, now) ??
    dimensionsFault(metric.dimensions)
  );
}

function valueFault(value: number): string | undefined {
  if (!Number.isFinite(value)) return `value ${value} is not a finite number`;
  if (Math.abs(value) > LIMITS.magnitude) return `value ${value} is outside -2^360 to 2^360`;
  return undefined;
}

function timeFault(at: number, now: number): string | undefined {
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return `timestamp ${at} is not a time`;
  if (at < now - LIMITS.oldestMs + CLOCK_MARGIN_MS) return `timestamp ${when.toISOString()} is older than two weeks`;
  if (at > now + LIMITS.newestMs - CLOCK_MARGIN_MS) return `timestamp ${when.toISOString()} is over two hours ahead`;
  return undefined;
}

function dimensionsFault(dimensions: Metric['dimensions']): string | undefined {
  const entries = Object.entries(dimensions);
  if (entries.length > LIMITS.dimensions)
    return `${entries.length} dimensions, at most ${LIMITS.dimensions} are accepted`;
  for (const [name, value] of entries) {
    const fault =
      textFault('dimension name', name, LIMITS.dimensionNameChars) ??
      (name.startsWith(':') ? `dimension name ${quoted(name)} starts with a colon` : undefined) ??
      textFault(`dimension ${quoted(name)}`, value, LIMITS.dimensionValueChars);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function textFault(what: string, text: string, maxChars: number): string | undefined {
  if (text.trim() === '') return `${what} ${quoted(text)} is empty`;
  if (text.length > maxChars) return `${what} has ${text.length} characters, at most ${maxChars} are accepted`;
  if (!PRINTABLE_ASCII.test(text)) return `${what} ${quoted(text)} holds characters other than printable ASCII`;
  return undefined;
}

/** Names a metric for people: `UsedMemory{Stage=prod,Instance=sessions,Node=primary}`, 200 characters at most. */
export function metricLabel(metric: Metric): string {
  const dimensions = Object.entries(metric.dimensions).map(([name, value]) => `${name}=${value}`);
  const label = `${metric.name}{${dimensions.join(',')}}`;
  // JSON escapes line breaks and control characters, which would let a dimension value forge a log line.
  const escaped = JSON.stringify(label).slice(1, -1);
  return escaped.length > 200 ? `${escaped.slice(0, 199).toWellFormed()}…` : escaped;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59).toWellFormed()}…` : text);
}
