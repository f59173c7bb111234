import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The script, for a test that starts it in its own way. */
export const CONTENDER = fileURLToPath(new URL('./state-contender.ts', import.meta.url));

/** Another process at work on the state file; for what the parts do see `state-contender.ts`. Killed at scope's end. */
export function startContender(path: string, part: 'lease' | 'count' | 'hold', amount = 0) {
  const child = fork(CONTENDER, [path, part, String(amount)], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  return {
    child,
    async [Symbol.asyncDispose]() {
      await kill9(child);
    },
  };
}

/** No chance to clean up: as the kernel's out-of-memory killer does it. */
export async function kill9(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** The next message of the child; rejects when it ends instead. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([code, killedBy]) => {
    throw new Error(`the contender ended (${code ?? killedBy}) without an answer`);
  });
  try {
    return await Promise.race([once(child, 'message', { signal }).then(([message]) => message), ended]);
  } finally {
    settled.abort();
    await ended.catch(() => undefined);
  }
}
