import { createInterface } from 'node:readline/promises';
import type { Config } from '../core/config/schema.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { Tick, TickOptions } from '../core/reconcile/scope.ts';
import { tick } from '../core/reconcile/tick.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { type RunOptions, UsageError } from './options.ts';
import { nowLines, plannedIn } from './render/now.ts';

interface Asking {
  readonly options: Pick<RunOptions, 'yes' | 'json'>;
  readonly signal: AbortSignal;
  print(tick: Tick): void;
}

/**
 * Plans for this moment, says on stderr what would be done, and asks. False: there is nothing to do, or the answer was not yes; then the exit
 * code is set. @throws {UsageError} where no person can be asked
 */
export async function isConfirmed(
  config: Config,
  ports: Ports,
  tickOptions: TickOptions,
  { options, signal, print }: Asking,
): Promise<boolean> {
  if (!options.yes && !process.stdin.isTTY)
    throw new UsageError('run --now asks before it acts, and this is not a terminal; accepted: --yes beside it');
  const planned = await tick(config, ports, { ...tickOptions, mode: 'plan' });
  print(planned);
  process.stderr.write(
    nowLines(planned, config)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const isWanted = plannedIn(planned).length > 0;
  if (isWanted && (options.yes || (await isAnsweredYes(signal)))) return true;
  if (isWanted) process.stderr.write('offpeak: nothing was done\n');
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOf([planned]);
  return false;
}

async function isAnsweredYes(signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C reaches the question, not the process, while it is open.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(es)?$/i.test((await terminal.question('Do this now? (y/N) ', { signal })).trim());
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
