import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import type { Executable } from './binary.ts';
import { ask, isErrorReply, onConnection } from './client.ts';
import { type Leashed, leash } from './leash.ts';
import { lastLines, runCommand } from './run-command.ts';

const HOST = '127.0.0.1';
/** Long, because a loaded CI machine is slow to start anything; an idle one needs 30 ms. */
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
/** Between finding a port free and the server's bind, another process may take it. */
const PORT_ATTEMPTS = 5;
const PORT_TAKEN = /address already in use/i;

const SERVER_FOLDER_PREFIX = 'offpeak-redis-';

export interface StartOptions {
  /** redis-server arguments, after the usual ones, so that they win: `['--hz', '100']`. */
  readonly args?: readonly string[];
  /** A config file, for servers that rewrite it; it stays where it is. */
  readonly configFile?: string;
  /** A fixed port; without it, a free one is taken. */
  readonly port?: number;
  /** Gives up the start; the server is then gone before the start rejects. It has no effect on a running server. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** redis-server's own pid. */
  readonly pid: number;
  /**
   * Ends the server (SIGTERM; SIGKILL after two seconds, so a SIGSTOPped one ends too) and removes its folder. May be
   * called twice. Without it nothing is left behind either: the server ends with this process.
   */
  stop(): Promise<void>;
}

/** A server that died, or did not answer, at its start; the message ends with its last log lines. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';
}

/**
 * Starts a server without persistence on loopback, in a fresh temp folder, and waits until it answers.
 *
 * @throws ServerStartError when it ends at once, does not answer within 30 s, or the given port is taken
 */
export async function startServer(binary: Executable, options: StartOptions = {}): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await startOn(options.port ?? (await getPort({ host: HOST })), binary, options);
    } catch (error) {
      const portTaken = error instanceof ServerStartError && PORT_TAKEN.test(error.message);
      if (!portTaken || options.port !== undefined || attempt >= PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOn(port: number, binary: Executable, options: StartOptions) {
  const folder = await mkdtemp(join(tmpdir(), SERVER_FOLDER_PREFIX));
  // Held open: the log is still readable here after the leash has removed the folder of a server that died.
  const log = await open(join(folder, 'server.log'), 'a+');
  const held = leash(serverCommand(binary.path, port, folder, options), {
    env: binary.env,
    scratch: folder,
    output: log.fd,
  });
  try {
    const pid = await untilReady(held, port, options.signal);
    held.unref();
    const stop = () => held.release();
    return { host: HOST, port, url: `redis://${HOST}:${port}`, pid, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await held.release();
    await rm(folder, { recursive: true, force: true });
    if (!(error instanceof ServerStartError)) throw error;
    throw new ServerStartError(`${binary.path} on port ${port} ${error.message}${await tailOf(log)}`);
  } finally {
    await log.close();
  }
}

function serverCommand(path: string, port: number, folder: string, { configFile, args = [] }: StartOptions): string[] {
  const file = configFile === undefined ? [] : [configFile];
  const own = ['--port', `${port}`, '--bind', HOST, '--dir', folder, '--save', '', '--appendonly', 'no'];
  return [path, ...file, ...own, '--daemonize', 'no', '--logfile', '', ...args];
}

async function untilReady(held: Leashed, port: number, signal: AbortSignal | undefined): Promise<number> {
  const pid = await held.pid;
  let status: number | undefined;
  void held.ended.then(
    (code) => (status = code),
    () => (status = 127),
  );
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (status !== undefined) break;
    signal?.throwIfAborted();
    if (pid !== undefined && (await answersAs(pid, port))) return pid;
    await delay(POLL_MS);
  }
  throw new ServerStartError(
    status === undefined ? `did not answer within ${START_TIMEOUT_MS / 1000} s` : `ended with status ${status}`,
  );
}

/** Whether it is this server that answers: after a lost race for the port, it may be another one. */
async function answersAs(pid: number, port: number): Promise<boolean> {
  try {
    const info = await onConnection({ host: HOST, port }, async (redis) => {
      // Refused while it loads its data; INFO is not.
      await redis.ping();
      return await redis.info('server');
    });
    return new RegExp(`^process_id:${pid}\\r?$`, 'm').test(info);
  } catch (error) {
    // A server with a password or an ACL refuses the question: then it is up, and there is no more to learn.
    return isErrorReply(error) && /^(NOAUTH|NOPERM)/.test(error.message);
  }
}

async function tailOf(log: FileHandle): Promise<string> {
  const { size } = await log.stat();
  const { buffer, bytesRead } = await log.read(Buffer.alloc(size), 0, size, 0);
  const tail = lastLines(buffer.toString('utf8', 0, bytesRead));
  return tail === '' ? ', and printed nothing' : `; its last lines:\n${tail}`;
}

/**
 * Starts the server for a moment and asks it for `CONFIG SET activedefrag yes`. Only this question shows whether it can defragment:
 * `mem_allocator:jemalloc-5.3.0` is also what the distributions' builds report, and they refuse.
 *
 * @returns its words where it refuses; undefined where it accepts
 * @throws when it does not start
 */
export async function defragRefusal(binary: Executable, signal?: AbortSignal): Promise<string | undefined> {
  await using server = await startServer(binary, { signal });
  try {
    await ask(server, 'CONFIG', 'SET', 'activedefrag', 'yes');
    return undefined;
  } catch (error) {
    if (!isErrorReply(error)) throw error;
    return error.message;
  }
}

/** The version in the words of `--version`: "Redis server v=7.0.15 sha=…". @throws when it does not run or is something else */
export async function versionOf(binary: Executable, signal?: AbortSignal): Promise<string> {
  const words = await runCommand([binary.path, '--version'], { env: binary.env, signal });
  const version = /\bserver v=(\S+)/i.exec(words)?.[1];
  if (version === undefined) throw new Error(`${binary.path} --version says no version of a server: ${words.trim()}`);
  return version;
}
