import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { leash } from '../../cli/lab/leash.ts';
import type { Ric } from './lambda-ric.ts';

/** A process that runs a function, in an environment that has nothing of this process' own. */
export interface Container {
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Its exit status, as a shell tells it: 128 + n after signal n. */
  readonly ended: Promise<number>;
  /** Lambda lets no code run between invocations, and so do these. */
  freeze(): void;
  thaw(): void;
  /** At once. */
  kill(): void;
  /** Kills it, and waits until it is gone. */
  end(): Promise<void>;
}

/** Standard output and error of a function. A file and no pipe: what was written before an answer is there when it comes. */
interface LogFile {
  readonly path: string;
  /** The text from a byte on; `length` is where the next one starts. */
  from(start: number): string;
  length(): number;
}

export function openLog(path: string): LogFile {
  closeSync(openSync(path, 'a'));
  return {
    path,
    from: (start) => readFileSync(path).subarray(start).toString('utf8'),
    length: () => readFileSync(path).length,
  };
}

interface ContainerSettings {
  readonly ric: Ric;
  readonly taskRoot: string;
  /** `dist/maintain/handler.handler`. */
  readonly handler: string;
  /** MiB. */
  readonly memory: number;
  /** The Runtime API's `host:port`. */
  readonly api: string;
  /** What the deployment sets; it wins. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws Error when the process cannot be started */
export async function startContainer(settings: ContainerSettings, log: LogFile): Promise<Container> {
  const startedAt = performance.now();
  const output = openSync(log.path, 'a');
  try {
    const assignments = Object.entries(environmentOf(settings)).map(([name, value]) => `${name}=${value}`);
    const command = ['env', '-i', ...assignments, process.execPath, settings.ric.entry];
    const held = leash(command, { cwd: settings.taskRoot, output });
    const pid = await held.pid;
    if (pid === undefined) throw new Error('the runtime could not be started');
    return {
      startedAt,
      ended: held.ended,
      freeze: () => send(pid, 'SIGSTOP'),
      thaw: () => send(pid, 'SIGCONT'),
      kill: () => send(pid, 'SIGKILL'),
      async end() {
        send(pid, 'SIGKILL');
        await held.release();
      },
    };
  } finally {
    closeSync(output);
  }
}

/** The variables that Lambda's documentation lists. */
function environmentOf({ ric, taskRoot, handler, memory, api, env }: ContainerSettings) {
  const name = 'offpeak-test';
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: taskRoot,
    LAMBDA_RUNTIME_DIR: dirname(ric.entry),
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_RUNTIME_API: api,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/24/[$LATEST]58419525dade4d17a495dceeeed44708',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    ...env,
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
