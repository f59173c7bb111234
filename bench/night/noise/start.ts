import { availableParallelism } from 'node:os';
import { leash } from '../../../cli/lab/leash.ts';
import { BenchError } from '../../support/main.ts';
import { hold, type Noise } from './hold.ts';
import { startQuota } from './quota.ts';
import { startStops } from './stops.ts';

/** By their names on the command line, with their descriptions for the tables. */
export const NOISES = {
  none: 'no noise',
  hogs: 'a CPU hog on each core',
  stops: 'the server stopped for 20 to 50 ms, about once a second',
  quota: 'the server on a quota of 40 ms of each 100 ms of processor time',
} as const;

export type NoiseKind = keyof typeof NOISES;

/** @throws BenchError where the machine does not allow it */
export async function startNoise(kind: NoiseKind, pid: number, seed: number): Promise<Noise> {
  const none = () => ({ [Symbol.asyncDispose]: async () => {} });
  return await { none, hogs: startHogs, stops: startStops, quota: startQuota }[kind](pid, seed);
}

/** Why the machine refuses this noise, if it does; tried on an unneeded process, before the data takes minutes. */
export async function refusalOf(kind: NoiseKind): Promise<string | undefined> {
  if (kind !== 'quota') return undefined;
  const sleeper = leash(['sleep', 'infinity']);
  try {
    await using _ = await startNoise(kind, (await sleeper.pid) ?? 0, 0);
    return undefined;
  } catch (error) {
    if (error instanceof BenchError) return error.message;
    throw error;
  } finally {
    await sleeper.release();
  }
}

/** It also checks that the bench is alive: a bench that is killed while the leash is being set up would leave its hogs running. */
const HOG = 'while kill -0 "$1" 2>&-; do i=0; while [ "$i" -lt 10000 ]; do i=$((i + 1)); done; done';

/** One for each core: the server always shares its core with a process that never sleeps. */
function startHogs(): Noise {
  const command = ['sh', '-c', HOG, 'offpeak-hog', `${process.pid}`];
  const hogs = Array.from({ length: availableParallelism() }, () => hold('hogs', command));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(hogs.map((hog) => hog[Symbol.asyncDispose]()));
    },
  };
}
