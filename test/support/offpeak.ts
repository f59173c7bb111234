import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { ownPort } from './ports.ts';
import type { TickDocument } from './tick-document.ts';

const ENTRY = fileURLToPath(new URL('../../cli/offpeak.js', import.meta.url));

/** A developer's own AWS keys, colours and OFFPEAK_CONFIG must not decide what a test sees. */
const INHERITED = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'TMPDIR', 'LANG', 'REDIS_SERVER'];

export interface OffpeakOptions {
  readonly cwd?: string;
  /** Added to the little that is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  /** The whole lines of stdout, parsed, when `--json` is among the arguments. */
  readonly documents: readonly TickDocument[];
}

export interface Finished extends Printed {
  /** As a shell tells it: 128 + n after a signal n that it did not handle, so 137 after `kill -9`. */
  readonly code: number;
}

interface RunningOffpeak extends AsyncDisposable {
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** As `| head` does when it has seen enough. */
  closeStdout(): void;
  /** Waits until what was printed is so. @throws Error with all of it when the command ends before. */
  until(isSo: (printed: Printed) => boolean): Promise<Printed>;
  /** To its process group, as Ctrl-C in a terminal. */
  signal(name: NodeJS.Signals): void;
}

/** The command line, as its users run it, to its end. */
export async function runOffpeak(args: readonly string[], options: OffpeakOptions = {}): Promise<Finished> {
  return await startOffpeak(args, options).finished;
}

/** The same, to be watched and interrupted; disposing of it kills it. */
export function startOffpeak(args: readonly string[], { cwd, env = {} }: OffpeakOptions = {}): RunningOffpeak {
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const child = spawn(process.execPath, [ENTRY, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const printed = recorder(child, args.includes('--json'));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 0), ...printed() });
    });
  });
  const signal = (name: NodeJS.Signals) => {
    const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (!isOver) process.kill(-(child.pid ?? 0), name);
  };
  return {
    pid: child.pid ?? 0,
    finished,
    closeStdout: () => child.stdout.destroy(),
    until: (isSo) => until(child, printed, isSo),
    signal,
    async [Symbol.asyncDispose]() {
      signal('SIGKILL');
      await finished;
    },
  };
}

function recorder(child: ChildProcess, isJson: boolean): () => Printed {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
  const documents = () => (isJson ? stdout.split('\n').slice(0, -1) : []).map((line) => JSON.parse(line));
  return () => ({ stdout, stderr, documents: documents() });
}

async function until(child: ChildProcess, printed: () => Printed, isSo: (printed: Printed) => boolean) {
  const { promise, resolve, reject } = Promise.withResolvers<Printed>();
  const look = () => {
    if (isSo(printed())) resolve(printed());
  };
  const onEnd = () => reject(new Error(`offpeak ended before that: ${JSON.stringify(printed())}`));
  child.stdout?.on('data', look);
  child.stderr?.on('data', look);
  child.once('close', onEnd);
  look();
  try {
    return await promise;
  } finally {
    child.stdout?.off('data', look);
    child.stderr?.off('data', look);
    child.off('close', onEnd);
  }
}

export interface Workplace extends Disposable {
  readonly folder: string;
  readonly stateFile: string;
  /** Writes a file there and returns its path. */
  write(name: string, text: string): string;
  /** How many leases the state file holds. */
  leases(): Promise<number>;
}

/** An empty folder to run in. */
export function aWorkplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-cli-'));
  const stateFile = join(folder, 'state.db');
  return {
    folder,
    stateFile,
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    leases: async () => (await createFileStore(stateFile).list('lease#')).size,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A loopback port on which nothing listens. */
export async function refusedPort(): Promise<number> {
  return await ownPort();
}

/** A server younger than ten seconds is not acted on (guards.ts). */
export async function untilOldEnough(redis: Redis): Promise<void> {
  const uptime = async () => Number(/^uptime_in_seconds:(\d+)/m.exec(await redis.info('server'))?.[1]);
  while ((await uptime()) <= 10) await sleep(200);
}
