import { appendFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import which from 'which';
import { type LeashOptions, leash } from './leash.ts';

const TAIL_LINES = 12;

interface RunOptions extends Pick<LeashOptions, 'cwd' | 'env' | 'user'> {
  readonly signal?: AbortSignal | undefined;
  /** A file to which the command line and everything that it prints is appended. */
  readonly logFile?: string;
}

/** A command that ended with another status than 0; the message ends with the last lines that it printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(command: readonly string[], status: number, output: string) {
    const tail = lastLines(output);
    super(`${command.slice(0, 2).join(' ')} ended with status ${status}${tail === '' ? '' : `:\n${tail}`}`);
  }
}

/**
 * Runs a command to its end and returns its stdout. It ends with this process, or by the signal.
 *
 * @throws CommandError when it cannot be started or ends with another status than 0
 * @throws the signal's reason when aborted, after the command has ended
 */
export async function runCommand(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { signal, logFile, ...leashed } = options;
  signal?.throwIfAborted();
  const held = leash(command, leashed);
  const onAbort = () => void held.release();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const [status, printed] = await Promise.all([held.ended, collect(held.shell.stdout, held.shell.stderr)]);
    if (logFile !== undefined) await appendFile(logFile, `$ ${command.join(' ')}\n${printed.all}\n`);
    signal?.throwIfAborted();
    if (status !== 0) throw new CommandError(command, status, printed.all);
    return printed.stdout;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The last lines that are not empty. */
export function lastLines(output: string): string {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.slice(-TAIL_LINES).join('\n');
}

async function collect(stdout: Readable | null, stderr: Readable | null) {
  let all = '';
  const drain = async (stream: Readable | null) => {
    let own = '';
    for await (const chunk of stream?.setEncoding('utf8') ?? []) {
      own += chunk;
      all += chunk;
    }
    return own;
  };
  const [out] = await Promise.all([drain(stdout), drain(stderr)]);
  return { stdout: out, all };
}

/** The path of an executable file: the path itself, or the first of that name on the PATH; undefined when there is none. */
export async function executable(nameOrPath: string): Promise<string | undefined> {
  return (await which(nameOrPath, { nothrow: true })) ?? undefined;
}

/** Those of the commands that are not on the PATH. */
export async function missingCommands(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(executable));
  return names.filter((_, index) => found[index] === undefined);
}

/** @throws Error naming those of the commands that are not on the PATH */
export async function requireCommands(names: readonly string[]): Promise<void> {
  const missing = await missingCommands(names);
  if (missing.length > 0) throw new Error(`not on the PATH: ${missing.join(', ')}`);
}
