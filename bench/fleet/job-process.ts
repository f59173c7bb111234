import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { BenchError } from '../support/main.ts';
import type { Invocation, Invoked } from './job.ts';

export interface JobProcess<Answer> extends Disposable {
  /** One invocation. @throws BenchError if the process dies */
  invoke(invocation: Invocation): Promise<Invoked<Answer>>;
}

/** V8 collects no sooner than it has to: it has the heap of a function of 256 MiB. */
const HEAP = ['--max-old-space-size=230', '--max-semi-space-size=6'];

/** Characters of the log that are shown of a job that has died. */
const LAST_WORDS = 2_000;

/** A container of the packaged function: what it logs goes to `log`. `CPU_PROFILE`, a folder, gets a profile of it. */
export async function startJob<Answer>(
  handler: string,
  env: Readonly<Record<string, string>>,
  log: string,
): Promise<JobProcess<Answer>> {
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
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new BenchError(`the job ended with ${signal ?? code}:\n${lastWords(log)}`);
  });
  ended.catch(() => {});
  const answer = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  await answer();
  return {
    async invoke(invocation) {
      child.send(invocation);
      return (await answer()) as Invoked<Answer>;
    },
    // It ends by itself, with its profile.
    [Symbol.dispose]: () => void (child.connected && child.disconnect()),
  };
}

/** The end of a log, for a person who wants to know what went wrong. */
export function lastWords(log: string): string {
  const text = readFileSync(log, 'utf8');
  const errors = text.split('\n').filter((line) => line.includes('"level":"ERROR"'));
  return (errors.length > 0 ? errors.join('\n') : text).slice(-LAST_WORDS);
}
