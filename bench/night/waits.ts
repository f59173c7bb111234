import { quantile } from '../statistics.ts';
import type { Sample, Span } from '../support/latencies.ts';

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
export const PROMISE_MS = 5;

/** A request is due every millisecond, so a share of the requests is a share of the time. */
export function waitsIn({ from, to }: Span, samples: readonly Sample[], promise = PROMISE_MS): Waits {
  const due = samples.filter(([sentAt, , late]) => from <= sentAt - late && sentAt - late <= to);
  const waits = due.map(([, took, late]) => (took + late) / 1000);
  const over = waits.filter((wait) => wait > promise).length;
  return {
    p999: quantile(waits, 0.999),
    worst: quantile(waits, 1),
    over: over / waits.length,
    late:
      quantile(
        due.map(([, , late]) => late),
        0.999,
      ) / 1000,
    count: waits.length,
  };
}
