import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

/** In turns, so that the state of the machine affects all in the same way. Prints each cell as soon as it is measured. */
export async function inTurns<One extends { readonly name: string }, Cell>(
  what: string,
  all: readonly One[],
  runs: number,
  measure: (one: One, run: number) => Promise<Cell>,
): Promise<readonly (readonly [one: One, cells: readonly Cell[]])[]> {
  const rows = all.map((one): [One, Cell[]] => [one, []]);
  for (let run = 1; run <= runs; run++) {
    for (const [one, cells] of rows) {
      const cell = await measure(one, run);
      cells.push(cell);
      process.stderr.write(`${what}, ${one.name}, ${run}: ${JSON.stringify(cell)}\n`);
    }
  }
  return rows;
}

/** `one run each`, or of several. */
export function runsText(runs: number): string {
  return runs === 1 ? 'one run each' : `medians of ${runs} runs`;
}

/** @throws BenchError for anything but a whole number from 1 on */
export function countOf(option: string, value: string): number {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new BenchError(`${option} ${value}: a whole number from 1 on is accepted`);
}

/** Those of the names, with what they mean. @throws BenchError for an unknown one */
export function chosen<T>(option: string, names: readonly string[], all: Readonly<Record<string, T>>) {
  return names.map((name) => {
    const one = Object.hasOwn(all, name) ? all[name] : undefined;
    if (one === undefined) throw new BenchError(`${option} ${name}: accepted are ${Object.keys(all).join(', ')}`);
    return [name, one] as const;
  });
}

const PAGE = join(import.meta.dirname, '../../docs/performance.md');

/** With UPDATE_DOCS=1, what was printed goes into docs/performance.md, between the markers of its name. */
export function noteInDocs(name: string, text: string): void {
  if (process.env.UPDATE_DOCS !== '1') return;
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const document = readFileSync(PAGE, 'utf8');
  const [before, rest] = document.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/performance.md has no ${start} … ${end}`);
  writeFileSync(PAGE, `${before}${start}\n\n${text.trim()}\n\n${end}${after}`);
}

const CHRT = ['chrt', '--fifo', '1'] as const;
let isAllowed: Promise<boolean> | undefined;

/**
 * The command ahead of all others on the machine, where that is allowed (Linux, root): what measures or disturbs a server does not live on
 * its cores elsewhere, and a late prober would count its own waits. Niceness would not do: each session has a share of its own.
 */
export async function realtime(command: readonly [string, ...string[]]): Promise<readonly [string, ...string[]]> {
  const [chrt, ...args] = CHRT;
  isAllowed ??= promisify(execFile)(chrt, [...args, 'true']).then(
    () => true,
    () => false,
  );
  return (await isAllowed) ? [...CHRT, ...command] : command;
}
