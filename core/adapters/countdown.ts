import type { Milliseconds } from '../config/units.ts';

/**
 * The rest of a given time, by a clock that is never set. Lambda's `getRemainingTimeInMillis` compares a deadline with the wall clock: if that
 * is set back during an invocation, it promises time that Lambda does not give.
 */
export function countdown(given: Milliseconds): () => Milliseconds {
  const from = performance.now();
  return () => given - (performance.now() - from);
}
