import { RedisServerSettingError } from '../../cli/lab/binary.ts';
import { ServerStartError } from '../../cli/lab/start.ts';

/** Errors that the caller can fix, or must know: the message is enough, and a stack trace would hide it. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}

const EXPECTED = [BenchError, RedisServerSettingError, ServerStartError];

/**
 * Runs a bench to its end, and says in a sentence why it cannot. Ctrl-C needs no care here: servers and folders are on leashes, and
 * the prober ends with its stdin, so that even `kill -9` leaves nothing behind.
 */
export async function bench(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const words = wordsOf(error);
    if (words === undefined) throw error;
    process.stderr.write(`bench:${name}: ${words}\n`);
    process.exitCode = 1;
  }
}

function wordsOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // ioredis' own words, for every command after a server that has died.
  if (error.message === 'Connection is closed.') return 'the server has gone away';
  const isUsage = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  return isUsage || EXPECTED.some((kind) => error instanceof kind) ? error.message : undefined;
}

/** @throws BenchError for anything but a whole number from 1 on */
export function countOf(option: string, value: string): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new BenchError(`${option} ${value}: a whole number from 1 on is accepted`);
}
