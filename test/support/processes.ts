import { readFileSync } from 'node:fs';

/** Whether the process exists and is not a zombie, which only waits for whoever adopted it to take note. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // No /proc on this system, or the process ended between the two looks.
    return process.platform !== 'linux';
  }
}

/** Milliseconds of a processor that this process has used: a busy machine does not add to them. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
