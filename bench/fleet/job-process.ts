import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { BenchError } from '../support/main.ts';
import type { Invoked } from './job.ts';

export interface JobProcess extends Disposable {
  /** One invocation, with this many milliseconds. @throws BenchError if the process dies */
  invoke(budget: number): Promise<Invoked>;
}

/** V8 collects no sooner than it has to: it has the heap of a function of 256 MiB. */
const HEAP = ['--max-old-space-size=230', '--max-semi-space-size=6'];

/** A container of the packaged function: what it logs goes to `log`. `CPU_PROFILE`, a folder, gets a profile of it. */
export async function startJob(
  handler: string,
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<JobProcess> {
  const out = openSync(log, 'a');
  const profile = process.env.CPU_PROFILE;
  // Without its types: Node's own compiler for them would be a fifth of the memory.
  const script = join(dirname(handler), 'bench-job.mjs');
  writeFileSync(script, stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'job.ts'), 'utf8')));
  const child = fork(script, [handler], {
    execArgv: [...HEAP, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])],
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', out, out, 'ipc'],
  });
  await answerOf(child);
  return {
    async invoke(budget) {
      child.send(budget);
      return (await answerOf(child)) as Invoked;
    },
    // It ends by itself, with its profile.
    [Symbol.dispose]: () => void (child.connected && child.disconnect()),
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new BenchError(`the job ended with ${signal ?? code}`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}
