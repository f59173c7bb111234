import type { ServerBinary } from './binary.ts';
import { ask, isErrorReply } from './client.ts';
import { runCommand } from './run-command.ts';
import { startServer } from './start.ts';

type Executable = Pick<ServerBinary, 'path' | 'env'>;

/**
 * Whether a server can defragment. Only a question to the server shows it: `mem_allocator:jemalloc-5.3.0` is also what the distributions'
 * builds report, and they refuse.
 */
export type DefragProbe = { readonly defrag: 'accepted' } | { readonly defrag: 'refused'; readonly words: string };

/** Starts the server for a moment and asks it for `CONFIG SET activedefrag yes`. @throws when it does not start */
export async function probeDefrag(binary: Executable, signal?: AbortSignal): Promise<DefragProbe> {
  await using server = await startServer(binary, signal === undefined ? {} : { signal });
  try {
    await ask(server, 'CONFIG', 'SET', 'activedefrag', 'yes');
    return { defrag: 'accepted' };
  } catch (error) {
    if (!isErrorReply(error)) throw error;
    return { defrag: 'refused', words: error.message };
  }
}

/** The version in the words of `--version`: "Redis server v=7.0.15 sha=…". @throws when it does not run or is something else */
export async function versionOf(binary: Executable, signal?: AbortSignal): Promise<string> {
  const words = await runCommand([binary.path, '--version'], { env: binary.env, signal });
  const version = /\bserver v=(\S+)/i.exec(words)?.[1];
  if (version === undefined) throw new Error(`${binary.path} --version says no version of a server: ${words.trim()}`);
  return version;
}
