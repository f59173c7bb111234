import { setTimeout as wait } from 'node:timers/promises';
import { stopPlan } from './stop-plan.ts';

/**
 * Stops a process now and then, as a hypervisor does that gives the processor to another guest: `node stopper.ts <pid> <seed>`, until
 * SIGTERM. In a process of its own, so that its stops last as long as planned, independent of the bench.
 */
const [pid = 0, seed = 0] = process.argv.slice(2).map(Number);
if (!(pid > 1)) throw new Error('stopper.ts <pid> <seed>');

/** Without the process, the stopper ends. */
function send(signal: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    process.exit();
  }
}

process.on('exit', () => {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit());

for (const { after, lasts } of stopPlan(seed)) {
  await wait(after);
  send('SIGSTOP');
  await wait(lasts);
  send('SIGCONT');
}
