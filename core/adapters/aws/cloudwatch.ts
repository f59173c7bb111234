import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import pLimit from 'p-limit';
import { type Metric, NAMESPACE } from '../../domain/metric-catalogue.ts';
import { combined, type MetricSink, type PublishReport } from '../../ports/sinks.ts';
import { describeFailure, statusOf } from './failure.ts';
import { metricBatches, metricLabel, toDatum } from './metric-batches.ts';

/** If an endpoint hangs, each request costs three time-outs: in parallel, they end together. */
const CONCURRENT_CALLS = 4;

/**
 * Extra calls with which one `publish` may find the datums that CloudWatch refuses: 20 find one among 1000. Without a limit, 1000 datums
 * that are refused for the same reason (the namespace) would cost 1998.
 */
const EXTRA_CALLS = 128;

/**
 * Publishes metrics to CloudWatch. The report's `rejected` names what CloudWatch does not accept; `publish` does not
 * throw when the service, the network or the credentials fail.
 */
export function createMetricSink(client: CloudWatchClient, namespace = NAMESPACE): MetricSink {
  return {
    async publish(metrics) {
      const budget: Budget = { extraCalls: EXTRA_CALLS };
      const put = (batch: readonly Metric[]) => putBatch(client, namespace, batch, budget);
      // JSON has no such numbers: CloudWatch would refuse the whole request.
      const odd = metrics.filter(({ value }) => !Number.isFinite(value));
      const rejected = odd.map((one) => ({ what: metricLabel(one), why: `value ${one.value} is not a finite number` }));
      const batches = metricBatches(metrics.filter((one) => !odd.includes(one)));
      return combined([{ sent: 0, rejected }, ...(await pLimit(CONCURRENT_CALLS).map(batches, put))]);
    },
  };
}

interface Budget {
  extraCalls: number;
  /** Why no more calls are made: a call without an answer has cost ten seconds, and publishing has fifteen. */
  silence?: string;
}

async function putBatch(
  client: CloudWatchClient,
  namespace: string,
  batch: readonly Metric[],
  budget: Budget,
): Promise<PublishReport> {
  if (budget.silence !== undefined) return refused(batch, budget.silence);
  try {
    await client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: batch.map(toDatum) }));
    return { sent: batch.length, rejected: [] };
  } catch (error) {
    if (statusOf(error) === undefined) budget.silence = describeFailure(error);
    if (!isRefusal(error) || batch.length === 1 || budget.extraCalls < 2) return refused(batch, describeFailure(error));
    budget.extraCalls -= 2;
    const half = Math.ceil(batch.length / 2);
    const first = await putBatch(client, namespace, batch.slice(0, half), budget);
    const second = await putBatch(client, namespace, batch.slice(half), budget);
    return combined([first, second]);
  }
}

/** Names by which CloudWatch says "this request is wrong", in its JSON and in its query vocabulary. */
const REFUSALS = /^(InvalidParameter|InvalidFormat|Missing(Required)?Parameter|Validation|Serialization)/;

/** Whether CloudWatch refuses the content, so that a part of it may pass. Not: throttled, denied, unreachable. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 413) return true;
  return error instanceof Error && status !== undefined && status >= 400 && status < 500 && REFUSALS.test(error.name);
}

function refused(batch: readonly Metric[], why: string): PublishReport {
  const [first] = batch;
  if (first === undefined) return { sent: 0, rejected: [] };
  const what = batch.length === 1 ? metricLabel(first) : `${batch.length} metrics from ${metricLabel(first)} on`;
  return { sent: 0, rejected: [{ what, why }] };
}
