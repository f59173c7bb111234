import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'vitest';
import { PYTHON } from './botocore.ts';

/** A running `moto_server`: AWS's APIs over HTTP, in memory, on a free loopback port. */
export interface Moto extends AsyncDisposable {
  readonly url: string;
  /** Forgets everything that was created or published. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** A cold Python on two busy cores has taken 6 s; an idle machine 0.5 s. */
const START_TIMEOUT_MS = 60_000;

/**
 * The shell ends moto when its standard input closes. The kernel closes that when the tests' process ends, however it ends,
 * so that `kill -9` of the tests leaves no server behind. (A background job's own input would be /dev/null, hence the 3.)
 */
const GUARD = 'exec 3<&0; "$@" & pid=$!; (cat <&3 >/dev/null; kill -9 $pid) & wait $pid';

const ON_PATH = spawnSync('sh', ['-c', 'command -v moto_server']).status === 0;
const MISSING = 'moto_server is not on the PATH: install it with `pip install "moto[server]"`';

/** `describe` for tests that need moto: without it they are skipped and say why; in CI they fail instead. */
export function describeWithMoto(name: string, tests: () => void): void {
  if (ON_PATH || process.env.CI) describe(name, tests);
  else describe.skip(`${name} (skipped: ${MISSING})`, tests);
}

/** moto with what it lacks of fleets: more of ElastiCache, MemoryDB and the tagging API. */
export const FLEETS: readonly string[] = [PYTHON ?? 'python3', join(import.meta.dirname, '../fixtures/moto/fleets.py')];

/** @throws Error when moto_server is missing, ends early, or does not answer within a minute */
export async function startMoto(command: readonly string[] = ['moto_server']): Promise<Moto> {
  if (!ON_PATH) throw new Error(MISSING);
  // Port 0: moto picks a free one and prints it, so no other process can take it in between.
  const child = spawn('sh', ['-c', GUARD, 'sh', ...command, '-H', '127.0.0.1', '-p', '0'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = () => stopChild(child);
  try {
    const url = await announcedUrl(child);
    await answers(url);
    const reset = async () => {
      await fetch(`${url}/moto-api/reset`, { method: 'POST' });
    };
    return { url, reset, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * What the test files of this process have returned, by its command. It belongs to the process: some tests load all modules anew
 * (`vi.resetModules`), and a Python that starts for each file takes more of the processor than most of the files.
 */
const RETURNED = Symbol.for('offpeak.tests.moto');

/** As `startMoto`, or one that a test file before has stopped, with nothing in it. It ends with this process. */
export async function lentMoto(command: readonly string[] = ['moto_server']): Promise<Moto> {
  const returned = returnedOf(command.join(' '));
  const moto = returned.pop() ?? (await startMoto(command));
  await moto.reset();
  let isLent = true;
  const stop = async () => {
    if (isLent) returned.push(moto);
    isLent = false;
  };
  return { ...moto, stop, [Symbol.asyncDispose]: stop };
}

function returnedOf(command: string): Moto[] {
  const shelf = globalThis as { [RETURNED]?: Record<string, Moto[]> };
  shelf[RETURNED] ??= {};
  shelf[RETURNED][command] ??= [];
  return shelf[RETURNED][command];
}

function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`moto_server ${why}\n${output.slice(-2_000)}`));
    const timer = setTimeout(fail, START_TIMEOUT_MS, `did not start within ${START_TIMEOUT_MS} ms`);
    const read = (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000);
      const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    // Both streams stay read for the server's whole life: a full pipe would stop it.
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const status = await fetch(`${url}/moto-api/data.json`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`moto_server at ${url} does not answer (last status ${status})`);
    await sleep(50);
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await exited;
}
