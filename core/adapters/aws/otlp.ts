import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { HttpRequest, type HttpResponse } from '@smithy/core/protocols';
import type { SignatureV4 } from '@smithy/signature-v4';
import type { Metric } from '../../domain/metric.ts';
import { jsonIn } from '../../format/json.ts';
import type { MetricSink, PublishReport } from '../../ports/sinks.ts';
import { CALL_POLICY } from './clients.ts';
import { statusOf } from './failure.ts';
import { metricLabel } from './metric-batches.ts';
import { deliver, refused } from './metric-delivery.ts';
import { otlpBatches, otlpBody } from './otlp-body.ts';
import { createSigner } from './signer.ts';

/** A point takes no more labels (CloudWatch: "OpenTelemetry metrics"). */
const MOST_LABELS = 150;

/** Answers after which the same request may pass (OTLP 1.x, "Retryable Response Codes"; 500 is how AWS says it). */
const RETRYABLE = [429, 500, 502, 503, 504];
const PAUSE_MS = 100;

/**
 * Publishes metrics to CloudWatch by OTLP over HTTP: JSON, compressed, signed as `monitoring`. No SDK of OpenTelemetry: what it takes is one
 * JSON. The CloudWatch client lends its connections and time-outs, and knows the endpoint. `publish` reports failures and does not throw.
 */
export function createOtlpSink(client: Pick<CloudWatchClient, 'config'>): MetricSink {
  let signer: SignatureV4 | undefined;
  const way = {
    batches: (metrics: readonly Metric[]) => otlpBatches(metrics),
    async send(batch: readonly Metric[]) {
      signer ??= createSigner('monitoring');
      return await post(client, signer, batch);
    },
    // What is wrong with a part is a partial success, by the protocol; a whole that is refused may still have such a part.
    isRefusal: (error: unknown) => [400, 413].includes(statusOf(error) ?? 0),
  };
  return {
    async publish(metrics) {
      const wide = metrics.filter(({ dimensions }) => Object.keys(dimensions).length > MOST_LABELS);
      const why = `it has more than ${MOST_LABELS} labels`;
      const report = await deliver(
        metrics.filter((one) => !wide.includes(one)),
        way,
      );
      return { ...report, rejected: [...report.rejected, ...wide.map((one) => ({ what: metricLabel(one), why }))] };
    },
  };
}

/** How CloudWatch answered, in the form of the SDK's errors. The message is the service's own. */
class OtlpFailure extends Error {
  override readonly name = 'OtlpFailure';
  readonly $metadata: { readonly httpStatusCode: number; readonly attempts: number };

  constructor(httpStatusCode: number, message: string, attempts: number) {
    super(message);
    this.$metadata = { httpStatusCode, attempts };
  }
}

async function post(
  client: Pick<CloudWatchClient, 'config'>,
  signer: SignatureV4,
  batch: readonly Metric[],
): Promise<PublishReport> {
  const body = await promisify(gzip)(otlpBody(batch));
  const url = await endpointOf(client);
  const headers = { host: url.host, 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const { protocol, hostname, port } = url;
  const path = `${url.pathname.replace(/\/$/, '')}/v1/metrics`;
  const request = new HttpRequest({
    ...{ method: 'POST', protocol, hostname, path, headers, body },
    ...(port !== '' && { port: Number(port) }),
  });
  for (let attempt = 1; ; attempt++) {
    // Anew each time: a signature is valid for minutes only.
    const signed = await signer.sign(request);
    const answer = await answerTo(client, signed, attempt);
    if (answer === 'later') await wait(PAUSE_MS * 2 ** attempt);
    else return reportOf(batch, answer);
  }
}

/** The body of a 2xx answer. @throws OtlpFailure, or what the connection failed with. */
async function answerTo(
  { config }: Pick<CloudWatchClient, 'config'>,
  request: ConstructorParameters<typeof HttpRequest>[0],
  attempt: number,
): Promise<unknown> {
  const isLast = attempt >= CALL_POLICY.maxAttempts;
  let response: HttpResponse;
  try {
    ({ response } = await config.requestHandler.handle(new HttpRequest(request)));
  } catch (error) {
    if (isLast) throw error;
    return 'later';
  }
  const text = Buffer.concat(await response.body.toArray()).toString('utf8');
  // An empty body is a full success too.
  if (response.statusCode < 300) return jsonIn(text);
  if (RETRYABLE.includes(response.statusCode) && !isLast) return 'later';
  throw new OtlpFailure(response.statusCode, messageIn(text), attempt);
}

interface PartialSuccess {
  readonly partialSuccess?: { readonly rejectedDataPoints?: string | number; readonly errorMessage?: string };
}

/** Which of the points were refused, the protocol does not say. */
function reportOf(batch: readonly Metric[], answer: unknown): PublishReport {
  const { rejectedDataPoints = 0, errorMessage = 'no reason given' } =
    (Object(answer) as PartialSuccess).partialSuccess ?? {};
  const lost = Math.min(batch.length, Math.max(0, Number(rejectedDataPoints) || 0));
  if (lost === 0) return { sent: batch.length, rejected: [] };
  const [first] = refused(batch, errorMessage.slice(0, 300)).rejected;
  const some = first && { ...first, what: lost === batch.length ? first.what : `${lost} of ${first.what}` };
  return { sent: batch.length - lost, rejected: some ? [some] : [] };
}

/** `{ "message": … }` of google.rpc.Status, or of AWS. */
function messageIn(text: string): string {
  const { message, Message } = Object(jsonIn(text)) as { readonly message?: unknown; readonly Message?: unknown };
  return String(message ?? Message ?? text.slice(0, 300));
}

/** As the client would find it: by the environment, or the service's endpoint in its region. */
async function endpointOf({ config }: Pick<CloudWatchClient, 'config'>): Promise<URL> {
  const given = process.env.AWS_ENDPOINT_URL_CLOUDWATCH || process.env.AWS_ENDPOINT_URL;
  if (given) return new URL(given);
  return config.endpointProvider({ Region: await config.region() }, {}).url;
}
