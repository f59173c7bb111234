import { setTimeout as wait } from 'node:timers/promises';
import type { Milliseconds } from '../config/units.ts';
import type { Clock } from '../ports/clock.ts';

/** The machine's clock. `offset` shifts it (for `plan --at`); an aborted `signal` ends every pause. */
export function systemClock({
  signal,
  offset = 0,
}: {
  readonly signal?: AbortSignal;
  readonly offset?: Milliseconds;
} = {}): Clock {
  return {
    now: () => Date.now() + offset,
    elapsed: () => performance.now(),
    sleep: (duration) => wait(duration),
    async pause(duration) {
      await wait(duration, undefined, signal && { signal }).catch((error: unknown) => {
        if (!signal?.aborted) throw error;
      });
    },
  };
}

/**
 * The rest of a given time, by a clock that is never set. Lambda's `getRemainingTimeInMillis` compares a deadline with the wall clock: if that
 * is set back during an invocation, it promises time that Lambda does not give.
 */
export function countdown(given: Milliseconds): () => Milliseconds {
  const from = performance.now();
  return () => given - (performance.now() - from);
}
