import { leash } from '../../../cli/lab/leash.ts';
import { BenchError } from '../../support/main.ts';

/** Disturbs the server until it is disposed. */
export type Noise = AsyncDisposable;

/**
 * A command that makes noise. It ends with the bench, in any case. If it ends earlier by itself, the rest of the measurement would be without
 * noise: that is an error.
 */
export function hold(name: string, command: readonly string[]): Noise {
  const held = leash(command);
  let isOver = false;
  const ended = held.ended.then((status) => (isOver ? undefined : status));
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await held.release();
      const early = await ended;
      if (early !== undefined) throw new BenchError(`the noise ${name} ended too early, with status ${early}`);
    },
  };
}
