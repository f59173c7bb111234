import { type Milliseconds, SECOND } from '../../../core/config/units.ts';

export interface PaceConditions {
  /** A clock that is never set. */
  readonly now: () => Milliseconds;
  readonly pause: (duration: Milliseconds) => Promise<unknown>;
  /** 0..1, for the jitter. */
  readonly random: () => number;
}

/** Slack takes about one message a second. */
const PACE: Milliseconds = SECOND;

/**
 * A wait before each message of a container, so that a second passes after the one before, which may have been another invocation's.
 * Up to half as much again, so that two containers that began together do not go on together.
 */
export function createPace({ now, pause, random }: PaceConditions): () => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async () => {
    const wait = next - now();
    if (wait > 0) await pause(wait);
    next = now() + PACE * (1 + random() / 2);
  };
}
