import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answered } from './looker-process.ts';
import { kill9 } from './state-contenders.ts';

const SCRIPT = join(import.meta.dirname, 'looker-process.ts');

/** The job in a process of its own, with a heap of its own. */
export interface Looker extends AsyncDisposable {
  /** One tick over the servers at these ports, and over the healthy one. Rejects when the process has died. */
  look(...ports: readonly number[]): Promise<Answered>;
  /** The same, with what is kept of the memory. */
  measure(...ports: readonly number[]): Promise<Answered>;
}

/** `heap`: what V8 may use for objects, in MiB; beyond it the process dies. */
export async function startLooker(goodPort: number, heap: number): Promise<Looker> {
  const child = fork(SCRIPT, [String(goodPort)], {
    execArgv: [`--max-old-space-size=${heap}`, '--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, PromiseWithResolvers<Answered>>();
  let death: Error | undefined;
  child.on('message', (message: Answered | 'ready') => {
    if (message !== 'ready') waiting.get(message.id)?.resolve(message);
  });
  child.once('exit', (code, signal) => {
    death = new Error(`the process died (${signal ?? code})`);
    for (const { reject } of waiting.values()) reject(death);
  });
  await Promise.race([once(child, 'message'), once(child, 'exit')]);
  let asked = 0;
  const ask = async (ports: readonly number[], measures: boolean) => {
    if (death) throw death;
    const id = ++asked;
    const answer = Promise.withResolvers<Answered>();
    waiting.set(id, answer);
    child.send({ id, ports, measures });
    try {
      return await answer.promise;
    } finally {
      waiting.delete(id);
    }
  };
  return {
    look: (...ports) => ask(ports, false),
    measure: (...ports) => ask(ports, true),
    [Symbol.asyncDispose]: () => kill9(child),
  };
}
