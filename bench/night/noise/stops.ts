import { join } from 'node:path';
import { realtime } from '../../support/realtime.ts';
import { hold, type Noise } from './hold.ts';

const STOPPER = join(import.meta.dirname, 'stopper.ts');

/** Stops the process at random, by the seed. It continues when the stopper ends, also where the stopper was killed during a stop. */
export async function startStops(pid: number, seed: number): Promise<Noise> {
  const held = hold('stops', await realtime([process.execPath, STOPPER, `${pid}`, `${seed}`]));
  return {
    async [Symbol.asyncDispose]() {
      try {
        await held[Symbol.asyncDispose]();
      } finally {
        resume(pid);
      }
    },
  };
}

function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}
