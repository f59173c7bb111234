import pLimit from 'p-limit';
import type { Metric } from '../../domain/metric.ts';
import { combined, type PublishReport } from '../../ports/sinks.ts';
import { describeFailure, statusOf } from './failure.ts';
import { metricLabel } from './metric-batches.ts';

/** If an endpoint hangs, each request costs three time-outs: in parallel, they end together. */
const CONCURRENT_CALLS = 4;

/**
 * Extra calls with which one `publish` may find the metrics that are refused: 20 find one among 1000. Without a limit, 1000 metrics
 * that are refused for the same reason (the namespace) would cost 1998.
 */
const EXTRA_CALLS = 128;

/** One way to CloudWatch. */
interface MetricWay {
  /** In as few requests as the service allows. */
  readonly batches: (metrics: readonly Metric[]) => readonly (readonly Metric[])[];
  /** Throws what `describeFailure` and `statusOf` can read. */
  readonly send: (batch: readonly Metric[]) => Promise<PublishReport>;
  /** Whether the content is refused, so that a part of it may pass. Not: throttled, denied, unreachable. */
  readonly isRefusal: (error: unknown) => boolean;
}

/** Sends all metrics, and accounts for each of them. Never throws. */
export async function deliver(metrics: readonly Metric[], way: MetricWay): Promise<PublishReport> {
  const budget: Budget = { extraCalls: EXTRA_CALLS };
  // JSON has no such numbers: the whole request would be refused.
  const odd = metrics.filter(({ value }) => !Number.isFinite(value));
  const rejected = odd.map((one) => ({ what: metricLabel(one), why: `value ${one.value} is not a finite number` }));
  const batches = way.batches(metrics.filter((one) => !odd.includes(one)));
  const put = (batch: readonly Metric[]) => putBatch(batch, way, budget);
  return combined([{ sent: 0, rejected }, ...(await pLimit(CONCURRENT_CALLS).map(batches, put))]);
}

interface Budget {
  extraCalls: number;
  /** Why no more calls are made: a call without an answer has cost ten seconds, and publishing has fifteen. */
  silence?: string;
}

async function putBatch(batch: readonly Metric[], way: MetricWay, budget: Budget): Promise<PublishReport> {
  if (budget.silence !== undefined) return refused(batch, budget.silence);
  try {
    return await way.send(batch);
  } catch (error) {
    if (statusOf(error) === undefined) budget.silence = describeFailure(error);
    if (!way.isRefusal(error) || batch.length === 1 || budget.extraCalls < 2)
      return refused(batch, describeFailure(error));
    budget.extraCalls -= 2;
    const half = Math.ceil(batch.length / 2);
    const first = await putBatch(batch.slice(0, half), way, budget);
    const second = await putBatch(batch.slice(half), way, budget);
    return combined([first, second]);
  }
}

export function refused(batch: readonly Metric[], why: string): PublishReport {
  const [first] = batch;
  if (first === undefined) return { sent: 0, rejected: [] };
  const what = batch.length === 1 ? metricLabel(first) : `${batch.length} metrics from ${metricLabel(first)} on`;
  return { sent: 0, rejected: [{ what, why }] };
}
