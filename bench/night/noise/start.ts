import { leash } from '../../../cli/lab/leash.ts';
import { BenchError } from '../../support/main.ts';
import { startHogs } from './hogs.ts';
import type { Noise } from './hold.ts';
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
  switch (kind) {
    case 'none':
      return { [Symbol.asyncDispose]: async () => {} };
    case 'hogs':
      return startHogs();
    case 'stops':
      return startStops(pid, seed);
    case 'quota':
      return startQuota(pid);
  }
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
