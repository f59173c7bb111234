import { quantile } from '../statistics.ts';

/** Microseconds of the machine's monotonic clock: what two processes note down can be compared, unlike `performance.now()`. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

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
  const within = samples.filter(([sentAt]) => spans.some(({ from, to }) => from <= sentAt && sentAt <= to));
  const took = within.map(([, microseconds]) => microseconds);
  const at = (share: number) => quantile(took, share) / 1000;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), count: took.length };
}

/** What clients waited in a span of time, counted from when each request was due. */
export interface Waits {
  /** Milliseconds. */
  readonly p999: number;
  readonly worst: number;
  /** The share (0 to 1) of the time in which a client that came had to wait for longer than the promise. */
  readonly over: number;
  /** Milliseconds: the 99.9th percentile of what the prober itself was late by. It is part of the waits. */
  readonly late: number;
  readonly count: number;
}

/** Offpeak's promise by default, in milliseconds. */
const PROMISE_MS = 5;

/** A request is due every millisecond, so a share of the requests is a share of the time. */
export function waitsIn({ from, to }: Span, samples: readonly Sample[]): Waits {
  const due = samples.filter(([sentAt, , late]) => from <= sentAt - late && sentAt - late <= to);
  const waits = due.map(([, took, late]) => (took + late) / 1000);
  const over = waits.filter((wait) => wait > PROMISE_MS).length;
  const lates = due.map(([, , late]) => late / 1000);
  return {
    p999: quantile(waits, 0.999),
    worst: quantile(waits, 1),
    over: over / waits.length,
    late: quantile(lates, 0.999),
    count: waits.length,
  };
}
