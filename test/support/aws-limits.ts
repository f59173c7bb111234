import {
  type AwsCall,
  messagesOf,
  type PutMetricDataInput,
  pointsOf,
  type WireDatum,
  type WireMessage,
} from './aws-wire.ts';

/** How AWS refuses a call. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const HOUR_S = 3_600;

/**
 * What CloudWatch and SNS refuse by their API references and moto 5.2.1 lets pass. Written from those references alone,
 * not from the code under test, so that the two can disagree.
 */
export function refusalOf(call: AwsCall, nowMs: number): Refusal | undefined {
  if (call.operation === 'PutMetricData') return metricRefusal(call, nowMs / 1000);
  if (call.operation === 'OtlpMetrics') return otlpRefusal(call, nowMs);
  if (call.operation === 'Publish') return messagesOf([call]).map(messageRefusal)[0];
  return undefined;
}

function metricRefusal(call: AwsCall, now: number): Refusal | undefined {
  const { Namespace = '', MetricData = [] } = call.input as PutMetricDataInput;
  if (call.bytes > 1_000_000) {
    return { status: 413, code: 'RequestEntityTooLarge', message: `The request of ${call.bytes} bytes is too large.` };
  }
  const message =
    (Namespace.startsWith('AWS/') ? `The value ${Namespace} for Namespace is reserved.` : undefined) ??
    (MetricData.length > 1000 ? `MetricData must have at most 1000 members, not ${MetricData.length}.` : undefined) ??
    MetricData.map((datum, index) => datumRefusal(datum, `MetricData.member.${index + 1}`, now)).find(Boolean);
  return message === undefined ? undefined : { status: 400, code: 'InvalidParameterValue', message };
}

/** What the protocol and CloudWatch's pages on OpenTelemetry metrics say; the sizes are those of PutMetricData. */
function otlpRefusal(call: AwsCall, nowMs: number): Refusal | undefined {
  if (call.bytes > 1_000_000) return { status: 413, code: 'TooLarge', message: `${call.bytes} bytes are too many` };
  const points = pointsOf([call]);
  const invalid = (message: string): Refusal => ({ status: 400, code: 'InvalidArgument', message });
  if (points.length === 0 || points.length > 1000) return invalid(`${points.length} data points in a request`);
  for (const { name, labels, timeUnixNano, asDouble } of points) {
    if (Object.keys(labels).length > 150) return invalid(`${name} has more than 150 labels`);
    if (typeof asDouble !== 'number' || !/^\d{19}$/.test(timeUnixNano)) return invalid(`${name} is not a point`);
    if (Math.abs(Number(timeUnixNano.slice(0, -6)) - nowMs) > 2 * HOUR_S * 1000) return invalid(`${name} is too old`);
  }
  return undefined;
}

function datumRefusal(datum: WireDatum, at: string, now: number): string | undefined {
  const { Dimensions = [], Timestamp = now, Values = [], MetricName } = datum;
  for (const value of [datum.Value ?? 0, ...Values]) {
    const legal = typeof value === 'number' && Math.abs(value) <= 2 ** 360;
    if (!legal) return `The value ${value} for parameter ${at}.Value is invalid.`;
  }
  if (Values.length > 150) return `${at}.Values has ${Values.length} values, more than 150.`;
  if (Dimensions.length > 30) return `${at} has ${Dimensions.length} dimensions, more than 30.`;
  if (Timestamp < now - 14 * 24 * HOUR_S || Timestamp > now + 2 * HOUR_S) {
    return `The value ${Timestamp} for parameter ${at}.Timestamp must be within two weeks ago and two hours ahead.`;
  }
  if (!isLegal(MetricName, 255)) return `The value for parameter ${at}.MetricName is invalid.`;
  const bad = Dimensions.find(
    ({ Name, Value }) => !isLegal(Name, 255) || Name.startsWith(':') || !isLegal(Value, 1024),
  );
  return bad && `The dimension ${bad.Name} of ${at} is invalid.`;
}

function isLegal(text: string, maxChars: number): boolean {
  return text.trim() !== '' && text.length <= maxChars && /^[\x20-\x7e]*$/.test(text);
}

function messageRefusal(message: WireMessage): Refusal | undefined {
  const invalid = (what: string): Refusal => ({
    status: 400,
    code: 'InvalidParameter',
    message: `Invalid parameter: ${what}`,
  });
  const attributes = Object.entries(message.attributes).flatMap(([name, { type, value }]) => [name, type, value]);
  const bytes = Buffer.byteLength([message.message, ...attributes].join(''));
  if (bytes > 262_144) return invalid(`Message too long: ${bytes} bytes`);
  if (message.subject !== '' && !/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(message.subject)) return invalid('Subject');
  if (attributes.some((text) => text === '')) return { ...invalid('empty attribute'), code: 'ParameterValueInvalid' };
  if (message.structure === 'json' && !hasDefault(message.message)) {
    return invalid('Message Structure - JSON message body failed to parse, or has no default entry');
  }
  return undefined;
}

function hasDefault(message: string): boolean {
  try {
    return typeof JSON.parse(message).default === 'string';
  } catch {
    return false;
  }
}
