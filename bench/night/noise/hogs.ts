import { availableParallelism } from 'node:os';
import { hold, type Noise } from './hold.ts';

/** One for each core: whatever the server does, it shares its core with something that never sleeps. */
export function startHogs(): Noise {
  const hogs = Array.from({ length: availableParallelism() }, () => hold('hogs', ['sh', '-c', 'while :; do :; done']));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(hogs.map((hog) => hog[Symbol.asyncDispose]()));
    },
  };
}
