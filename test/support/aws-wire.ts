import type { IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** A call as AWS reads it: unzipped, and parsed from the protocol of its service. */
export interface AwsCall {
  /** The service's name in the signature: `monitoring`, `sns`, `sqs`, … */
  readonly service: string;
  /** `PutMetricData`, `Publish`, … */
  readonly operation: string;
  /** The parameters: JSON's own for awsJson; for awsQuery the form's flat names (`MessageAttributes.entry.1.Name`). */
  readonly input: Readonly<Record<string, unknown>>;
  readonly protocol: 'json' | 'query' | 'otlp';
  readonly gzip: boolean;
  /** The body's size before compression. */
  readonly bytes: number;
}

/** @throws Error for a protocol that is neither awsJson nor awsQuery: an SDK that changes its protocol must be noticed */
export function decodeCall(headers: IncomingHttpHeaders, body: Buffer): AwsCall {
  const type = headers['content-type'] ?? '';
  const gzip = headers['content-encoding'] === 'gzip';
  const plain = gzip ? gunzipSync(body) : body;
  const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
  const common = { service, gzip, bytes: plain.length };
  if (type.startsWith('application/x-amz-json-')) {
    const operation = String(headers['x-amz-target']).split('.').at(-1) ?? '';
    return { ...common, protocol: 'json', operation, input: JSON.parse(plain.toString('utf8')) };
  }
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const input = Object.fromEntries(new URLSearchParams(plain.toString('utf8')));
    return { ...common, protocol: 'query', operation: input.Action ?? '', input };
  }
  if (type === 'application/json' && service === 'monitoring') {
    return { ...common, protocol: 'otlp', operation: 'OtlpMetrics', input: JSON.parse(plain.toString('utf8')) };
  }
  throw new Error(`the proxy cannot decode content type ${JSON.stringify(type)}`);
}

/** A datum on the wire, as the SDK wrote it: the timestamp in epoch seconds, NaN and Infinity as words. */
export interface WireDatum {
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Timestamp?: number;
  readonly Value?: number | string;
  readonly Values?: readonly number[];
  readonly Unit?: string;
}

export interface PutMetricDataInput {
  readonly Namespace?: string;
  readonly MetricData?: readonly WireDatum[];
}

/** A point of a gauge, with its metric. */
interface WirePoint {
  readonly name: string;
  readonly unit: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeUnixNano: string;
  readonly asDouble: number;
}

interface WireAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

interface OtlpInput {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly unit: string;
        readonly gauge: {
          readonly dataPoints: readonly (Pick<WirePoint, 'timeUnixNano' | 'asDouble'> & {
            readonly attributes: readonly WireAttribute[];
          })[];
        };
      }[];
    }[];
  }[];
}

/** The points of OTLP calls, in the order of arrival, as OTLP 1.x writes ExportMetricsServiceRequest. */
export function pointsOf(calls: readonly AwsCall[]): WirePoint[] {
  return calls
    .filter((call) => call.operation === 'OtlpMetrics')
    .flatMap((call) => (call.input as unknown as OtlpInput).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .flatMap(({ name, unit, gauge }) =>
      gauge.dataPoints.map(({ attributes, ...point }) => ({
        ...{ name, unit, ...point },
        labels: Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue])),
      })),
    );
}

/** The datums of PutMetricData calls, in the order of arrival. */
export function datumsOf(calls: readonly AwsCall[]): WireDatum[] {
  return calls
    .filter((call) => call.operation === 'PutMetricData')
    .flatMap((call) => (call.input as PutMetricDataInput).MetricData ?? []);
}

/** A Publish, with its attributes by name and its per-protocol texts parsed. */
export interface WireMessage {
  readonly topicArn: string;
  readonly subject: string;
  readonly structure: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, { readonly type: string; readonly value: string }>>;
}

/** The messages of Publish calls, in the order of arrival. */
export function messagesOf(calls: readonly AwsCall[]): WireMessage[] {
  return calls.filter((call) => call.operation === 'Publish').map((call) => messageOf(call.input));
}

function messageOf(input: AwsCall['input']): WireMessage {
  const text = (key: string) => String(input[key] ?? '');
  const attributes: Record<string, { type: string; value: string }> = {};
  for (let n = 1; `MessageAttributes.entry.${n}.Name` in input; n += 1) {
    const entry = `MessageAttributes.entry.${n}`;
    attributes[text(`${entry}.Name`)] = {
      type: text(`${entry}.Value.DataType`),
      value: text(`${entry}.Value.StringValue`),
    };
  }
  return {
    topicArn: text('TopicArn'),
    subject: text('Subject'),
    structure: text('MessageStructure'),
    message: text('Message'),
    attributes,
  };
}
