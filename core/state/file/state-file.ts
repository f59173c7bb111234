import { type FileHandle, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StateUnavailable } from '../../ports/state-store.ts';
import { type Contents, parseContents, printContents } from './contents.ts';

/** Where the absolute `path` leads, links followed: every name of one file shares one lock. It need not exist. */
export async function locate(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw unavailable(path, 'cannot be read', error);
  }
}

/**
 * What the file holds; no file is an empty store. Needs no lock: a replacement is seen whole or not at all.
 *
 * @throws StateUnavailable for a file that cannot be read, or that is anything but a whole state file.
 */
export async function load(path: string): Promise<Contents> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isMissing(error)) return { next: 1, documents: new Map() };
    throw unavailable(path, 'cannot be read', error);
  }
  return parseContents(bytes, path);
}

/**
 * Puts `contents` in the file's place in one step, and on the disk before it returns: a lease has to outlive the crash
 * of the machine. The caller holds the lock, so the temporary name can be fixed, and one that a killed writer left goes
 * with the next write.
 *
 * write-file-atomic 7.0.1 was tried: it ignores how much the system took of a write, so on a full disk it replaced
 * the good file by the first 16 kB of the new one, and reported success.
 */
export async function replace(path: string, contents: Contents): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    await writeDurably(temporary, printContents(contents));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unavailable(path, 'cannot be written', error);
  }
  await syncFolder(dirname(path));
}

async function writeDurably(path: string, text: string): Promise<void> {
  // wx: never write through a link that somebody else put there.
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** Makes the new name durable. The document is in place by now, so a file system that cannot do this is no failure. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Some network file systems and Windows refuse to sync a folder.
  } finally {
    await handle?.close();
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EISDIR: 'A folder is in its place: move it away, or name another file.',
  ENOTDIR: 'A part of its path is a file, not a folder: name another place.',
  EACCES: 'Give this user read and write access to it and to its folder.',
  EPERM: 'Give this user read and write access to it and to its folder.',
  EROFS: 'The file system is read-only: name another place.',
  ENOSPC: 'The disk is full: make room. The stored state is as it was.',
  EDQUOT: 'The disk quota is used up: make room. The stored state is as it was.',
  EFBIG: 'The system allows no file of this size. The stored state is as it was.',
};

/** The refusal for a failed call to the file system. `what` completes "The state file x …". */
export function unavailable(path: string, what: string, cause: unknown): StateUnavailable {
  const code = codeOf(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy = REMEDIES[code ?? ''] ?? 'Make it a file that this user may read and write, or name another place.';
  return new StateUnavailable(`The state file ${path} ${what} (${reason}). ${remedy}`, { cause });
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
