import { quantile } from '../statistics.ts';

/**
 * Microseconds: when a request was sent, by the machine's monotonic clock, for how long it then waited for its answer, and how long
 * after it was due it was sent. A prober that gets no processor is late; its wait from then on would hide that.
 */
export type Sample = readonly [sentAt: number, took: number, late: number];

/** From one time of the monotonic clock to another, in microseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What clients felt, in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Of how many requests: the tail of a few is not that of many. */
  readonly count: number;
}

/** Of the requests that were sent within one of the spans, each once: what happens at rest would water the tail down. */
export function latenciesIn(spans: readonly Span[], samples: readonly Sample[]): Latencies {
  const took = samples.filter(([sentAt]) => isWithin(spans, sentAt)).map(([, microseconds]) => microseconds);
  const at = (share: number) => quantile(took, share) / 1000;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), count: took.length };
}

function isWithin(spans: readonly Span[], at: number): boolean {
  return spans.some(({ from, to }) => from <= at && at <= to);
}
