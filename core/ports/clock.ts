import type { Milliseconds } from '../config/units.ts';

export interface Clock {
  /** Epoch milliseconds, by a clock that people and NTP set: for what is stored, shared and reported. */
  now(): number;
  /** Milliseconds since some moment of this process, by a clock that is never set: for the time between two observations. Absent where time is simulated. */
  elapsed?(): Milliseconds;
  /** A wait that Ctrl-C does not shorten: the server must come to rest. */
  sleep(duration: Milliseconds): Promise<void>;
  /** A wait before something is done: ends early when the run is interrupted. */
  pause(duration: Milliseconds): Promise<void>;
}
