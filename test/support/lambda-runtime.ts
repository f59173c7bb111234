import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Container, openLog, startContainer } from './lambda-container.ts';
import type { Ric } from './lambda-ric.ts';
import { type LambdaError, type RuntimeApi, startRuntimeApi } from './runtime-api.ts';

/** What a function is deployed as. */
export interface Deployment {
  /** Its package: a zip, or a folder with the same content. */
  readonly zip: string;
  /** `dist/maintain/handler.handler`. */
  readonly handler: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** MiB. */
  readonly memory: number;
}

type Answer = { readonly ok: true; readonly payload: unknown } | { readonly ok: false; readonly error: LambdaError };

export type Invocation = Answer & {
  /** From handing the event over to the answer; the start of a container is not in it. */
  readonly ms: number;
  /** Milliseconds from the start of the process until it asked for work; undefined in a container that was there. */
  readonly initMs: number | undefined;
  /** What was written to standard output and error meanwhile, the start included. */
  readonly logs: string;
};

/** A function as Lambda runs it: one container at a time, thawed for an invocation, frozen after it. */
export interface LambdaFunction extends AsyncDisposable {
  /** The unpacked package. */
  readonly taskRoot: string;
  /** How many containers were started so far. */
  starts(): number;
  invoke(event: unknown): Promise<Invocation>;
  /** Ends the container without a warning, as when its machine goes. */
  crash(): void;
  /** Gives the running invocation no more time of any CPU. */
  starve(): void;
}

/** Unpacks the package; the first invocation starts a container. */
export async function startFunction(ric: Ric, deployment: Deployment): Promise<LambdaFunction> {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-function-'));
  const taskRoot = join(folder, 'task');
  unpack(deployment.zip, taskRoot);
  const log = openLog(join(folder, 'log.txt'));
  const api = await startRuntimeApi();
  let container: Container | undefined;
  let starts = 0;

  async function cold(): Promise<Container> {
    starts += 1;
    api.reset();
    return await startContainer({ ...deployment, ric, taskRoot, api: api.host }, log);
  }

  return {
    taskRoot,
    starts: () => starts,
    async invoke(event) {
      const start = log.length();
      const isCold = container === undefined;
      container ??= await cold();
      const { answer, ms, initMs, isGone } = await invokeOnce(container, api, { event, ...deployment });
      if (isGone) container = undefined;
      return { ...answer, ms, initMs: isCold ? initMs : undefined, logs: log.from(start) };
    },
    crash: () => container?.kill(),
    starve: () => container?.freeze(),
    async [Symbol.asyncDispose]() {
      await container?.end();
      await api[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function unpack(zip: string, folder: string): void {
  if (statSync(zip).isDirectory()) {
    cpSync(zip, folder, { recursive: true });
    return;
  }
  mkdirSync(folder);
  const { status, stderr, error } = spawnSync('unzip', ['-q', zip, '-d', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${zip} cannot be unpacked: ${error?.message ?? stderr}`);
}

interface Ran {
  readonly answer: Answer;
  readonly ms: number;
  /** From the container's start until it asked for work the first time, or failed to. */
  readonly initMs: number;
  readonly isGone: boolean;
}

async function invokeOnce(
  container: Container,
  api: RuntimeApi,
  { event, timeoutMs }: { readonly event: unknown; readonly timeoutMs: number },
): Promise<Ran> {
  const requestId = randomUUID();
  const exit = container.ended.then((status) => failure('Runtime.ExitError', requestId, exitWords(status)));
  const failed = await Promise.race([api.asked(), answerOf(api), exit]);
  const initMs = performance.now() - container.startedAt;
  if (failed) {
    await container.end();
    return { answer: failed, ms: 0, initMs, isGone: true };
  }
  container.thaw();
  const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:offpeak-test';
  const startedAt = performance.now();
  api.hand({ requestId, event, deadline: Date.now() + timeoutMs, functionArn });
  using time = timeLimit(timeoutMs);
  const answer = await Promise.race([answerOf(api), exit, time.isUp]);
  const ms = performance.now() - startedAt;
  // After its answer the runtime asks for more, unless it has ended; after the time limit it is ended.
  const ending =
    answer === undefined ? container.end() : Promise.race([api.asked().then(() => 'asked' as const), container.ended]);
  const isGone = (await ending) !== 'asked';
  if (!isGone) container.freeze();
  const seconds = (timeoutMs / 1000).toFixed(2);
  return {
    answer: answer ?? failure('Sandbox.Timedout', requestId, `Task timed out after ${seconds} seconds`),
    ms,
    initMs,
    isGone,
  };
}

async function answerOf(api: RuntimeApi): Promise<Answer> {
  const told = await api.told();
  return told.kind === 'response' ? { ok: true, payload: told.payload } : { ok: false, error: told.error };
}

function timeLimit(timeoutMs: number): Disposable & { readonly isUp: Promise<undefined> } {
  const stop = new AbortController();
  const isUp = sleep(timeoutMs, undefined, { signal: stop.signal }).catch(() => undefined);
  return { isUp, [Symbol.dispose]: () => stop.abort() };
}

/** What Lambda itself says of a container. */
function failure(errorType: string, requestId: string, words: string): Answer {
  return { ok: false, error: { errorType, errorMessage: `RequestId: ${requestId} Error: ${words}` } };
}

function exitWords(status: number): string {
  if (status < 128) return `Runtime exited with error: exit status ${status}`;
  const name = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return `Runtime exited with error: signal: ${name === 'SIGKILL' ? 'killed' : name}`;
}
