/** Microseconds of the machine's monotonic clock: what two processes note down can be compared, unlike `performance.now()`. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
