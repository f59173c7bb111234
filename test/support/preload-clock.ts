/**
 * Loaded before a command by `NODE_OPTIONS=--import`: the wall clock is set by CLOCK_JUMP_MS, CLOCK_AFTER_MS after the start, as a machine's
 * is by NTP or by a person. What counts time otherwise is left alone.
 */
const { CLOCK_JUMP_MS = '0', CLOCK_AFTER_MS = '0' } = process.env;
const real = Date.now;

Date.now = () => (performance.now() < Number(CLOCK_AFTER_MS) ? real() : real() + Number(CLOCK_JUMP_MS));
