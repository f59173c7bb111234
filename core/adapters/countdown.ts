import type { Milliseconds } from '../config/units.ts';

/**
 * What is left of a time that is known now, by a clock that is never set. Lambda's `getRemainingTimeInMillis` compares a deadline with the
 * wall clock: one that is set back during an invocation would promise time that Lambda does not give.
 */
export function countdown(given: Milliseconds): () => Milliseconds {
  const from = performance.now();
  return () => given - (performance.now() - from);
}
