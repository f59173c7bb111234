import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { NAMESPACE } from '../../domain/metric.ts';
import type { MetricSink } from '../../ports/sinks.ts';
import { statusOf } from './failure.ts';
import { metricBatches, toDatum } from './metric-batches.ts';
import { deliver } from './metric-delivery.ts';

/**
 * Publishes metrics to CloudWatch. The report's `rejected` names what CloudWatch does not accept; `publish` does not
 * throw when the service, the network or the credentials fail.
 */
export function createMetricSink(client: CloudWatchClient, namespace = NAMESPACE): MetricSink {
  return {
    publish: (metrics) =>
      deliver(metrics, {
        batches: (some) => metricBatches(some),
        async send(batch) {
          await client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: batch.map(toDatum) }));
          return { sent: batch.length, rejected: [] };
        },
        isRefusal,
      }),
  };
}

/** Names by which CloudWatch says "this request is wrong", in its JSON and in its query vocabulary. */
const REFUSALS = /^(InvalidParameter|InvalidFormat|Missing(Required)?Parameter|Validation|Serialization)/;

function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 413) return true;
  return error instanceof Error && status !== undefined && status >= 400 && status < 500 && REFUSALS.test(error.name);
}
