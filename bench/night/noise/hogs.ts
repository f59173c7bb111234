import { availableParallelism } from 'node:os';
import { hold, type Noise } from './hold.ts';

/** It also checks that the bench is alive: a bench that is killed while the leash is being set up would leave its hogs running. */
const HOG = 'while kill -0 "$1" 2>&-; do i=0; while [ "$i" -lt 10000 ]; do i=$((i + 1)); done; done';

/** One for each core: the server always shares its core with a process that never sleeps. */
export function startHogs(): Noise {
  const command = ['sh', '-c', HOG, 'offpeak-hog', `${process.pid}`];
  const hogs = Array.from({ length: availableParallelism() }, () => hold('hogs', command));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(hogs.map((hog) => hog[Symbol.asyncDispose]()));
    },
  };
}
