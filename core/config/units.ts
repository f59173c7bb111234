/** A number of bytes, 0 or more, whole. */
export type Bytes = number;
/** A number of milliseconds, 0 or more; a fraction is possible (`1.5ms`). */
export type Milliseconds = number;
/** Hundredths, 0..100; whole in the configuration. */
export type Percent = number;

/** A duration as people write it, with its unit: `250ms`, `1.5h`. The config and the command line read the same form. */
export const DURATION = '^\\d+(\\.\\d+)?\\s?(ms|s|m|h|d)$';

export const MIB: Bytes = 1024 ** 2;
export const GIB: Bytes = 1024 ** 3;
export const TIB: Bytes = 1024 ** 4;
export const SECOND: Milliseconds = 1000;
export const MINUTE: Milliseconds = 60 * SECOND;
export const HOUR: Milliseconds = 60 * MINUTE;
