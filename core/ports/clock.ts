import type { Milliseconds } from '../config/units.ts';

export interface Clock {
  /** Epoch milliseconds, by a clock that people and NTP set: for what is stored, shared and told. */
  now(): number;
  /** Milliseconds since some moment of this process, by a clock that is never set: for the time between two looks. None where time is simulated. */
  elapsed?(): Milliseconds;
  /** What has to settle settles, whoever presses Ctrl-C. */
  sleep(duration: Milliseconds): Promise<void>;
  /** A wait before something is done: ends early when the run is interrupted. */
  pause(duration: Milliseconds): Promise<void>;
}
