import { createInterface } from 'node:readline/promises';
import type { Config } from '../core/config/schema.ts';
import type { Outcome } from '../core/domain/outcome.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { Scope, Tick, TickOptions } from '../core/reconcile/scope.ts';
import { tick } from '../core/reconcile/tick.ts';
import { EXIT, exitCodeOf, exitCodeOfRun } from './exit.ts';
import { type RunOptions, UsageError } from './options.ts';
import { nowLines, toDoIn } from './render/now.ts';

interface Asking {
  readonly options: Pick<RunOptions, 'yes' | 'json'>;
  readonly signal: AbortSignal;
  print(tick: Tick): void;
  sayLeftOn(tick: Tick): void;
}

/**
 * Plans for this moment, says on stderr what would be done, and asks.
 *
 * @returns the instances that the question named: a yes is for these. Undefined: there is nothing to do, or the answer was not yes; then the exit
 *   code is set
 * @throws {UsageError} where no person can be asked
 */
export async function confirmedScope(
  config: Config,
  ports: Ports,
  tickOptions: TickOptions,
  { options, signal, print, sayLeftOn }: Asking,
): Promise<Scope | undefined> {
  if (!options.yes && !process.stdin.isTTY)
    throw new UsageError('run --now asks before it acts, and this is not a terminal; accepted: --yes beside it');
  const planned = await tick(config, ports, { ...tickOptions, mode: 'plan' });
  print(planned);
  process.stderr.write(
    nowLines(planned)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const named = toDoIn(planned);
  if (named.length > 0 && (options.yes || (await isAnsweredYes(signal)))) return scopeOf(named, planned);
  if (named.length > 0) process.stderr.write('offpeak: nothing was done\n');
  sayLeftOn(planned);
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOfRun(exitCodeOf([planned]), planned);
  return undefined;
}

/** All nodes of the instances: one follows the other. */
function scopeOf(named: readonly Outcome[], { instances }: Tick): Scope {
  const chosen = instances.filter(({ id }) => named.some(({ instance }) => instance === id));
  const nodes = chosen.flatMap(({ id, nodes }) => nodes.map((node) => ({ instance: id, node: node.id })));
  return { kind: 'nodes', nodes };
}

async function isAnsweredYes(signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C reaches the question, not the process, while it is open.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return /^y(es)?$/i.test((await terminal.question('Do this now? (y/N) ', { signal })).trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ABORT_ERR') throw error;
    // Ctrl-D leaves the cursor behind the question.
    if (!signal.aborted) process.stderr.write('\n');
    return false;
  } finally {
    terminal.close();
  }
}
