import type { Executable } from './binary.ts';
import { ask, isErrorReply } from './client.ts';
import { runCommand } from './run-command.ts';
import { startServer } from './start.ts';

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
