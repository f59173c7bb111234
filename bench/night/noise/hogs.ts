import { availableParallelism } from 'node:os';
import { hold, type Noise } from './hold.ts';

/** It looks for the bench itself as well: one that is killed while the leash is being put on would leave its hogs without one. */
const HOG = 'while kill -0 "$1" 2>&-; do i=0; while [ "$i" -lt 10000 ]; do i=$((i + 1)); done; done';

/** One for each core: whatever the server does, it shares its core with something that never sleeps. */
export function startHogs(): Noise {
  const command = ['sh', '-c', HOG, 'offpeak-hog', `${process.pid}`];
  const hogs = Array.from({ length: availableParallelism() }, () => hold('hogs', command));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(hogs.map((hog) => hog[Symbol.asyncDispose]()));
    },
  };
}
