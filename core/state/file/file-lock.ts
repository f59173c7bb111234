import { accessSync, constants } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateUnavailable } from '../../ports/state-store.ts';

const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/**
 * Runs `work` while no other process, thread or caller holds the lock at `lockPath`.
 *
 * The lock is the write lock of an SQLite database that stays empty: the one lock of the operating system that Node can
 * take. The kernel lends it to a living process, so a `kill -9` frees it at once, and a process that is merely stopped
 * keeps it. A lock file judged by its age (proper-lockfile 4.1.2 was tried) has neither: a holder stopped for longer
 * than the stale time overwrote its successor's change when it went on, and two waiters both took over the same stale
 * lock, once in 500 tries. The empty file stays: removing it would let in a second holder as well.
 *
 * @param deadline the instant, by `performance.now()`, at which waiting ends; the lock is tried at least once.
 * @throws StateUnavailable when the lock is still held at the deadline, or when there can be no lock at this path.
 */
export async function withFileLock<T>(lockPath: string, deadline: number, work: () => Promise<T>): Promise<T> {
  const lock = open(lockPath);
  try {
    while (!tryToLock(lock, lockPath)) {
      if (performance.now() >= deadline) throw stillHeld(lockPath);
      // Without jitter, waiters that started together would meet at every try.
      await sleep(5 + Math.random() * 20);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function open(lockPath: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    // No busy time-out: SQLite would wait for the other process with this one's event loop blocked.
    lock = new DatabaseSync(lockPath, { timeout: 0 });
    // A file that this user may only read is opened for reading: every "write lock" then succeeds, and keeps nobody out.
    // Asked by path: closing a descriptor of our own would drop every lock that this process has on the file.
    accessSync(lockPath, constants.W_OK);
    return lock;
  } catch (error) {
    lock?.close();
    throw unusable(lockPath, error);
  }
}

function tryToLock(lock: DatabaseSync, lockPath: string): boolean {
  try {
    lock.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (primaryCode(error) === SQLITE_BUSY) return false;
    throw unusable(lockPath, error);
  }
}

/** SQLite's result code without its extension, which says why in the upper bits. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

function stillHeld(lockPath: string): StateUnavailable {
  return new StateUnavailable(
    `The state lock ${lockPath} is held by another process that is alive. Wait until the other Offpeak run has ended, or end it if it hangs; removing the lock file would not stop it from writing.`,
  );
}

function unusable(lockPath: string, cause: unknown): StateUnavailable {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const remedy =
    primaryCode(cause) === SQLITE_NOTADB
      ? 'Something else is stored there: move it away.'
      : 'It has to be a file that this user may create and write.';
  return new StateUnavailable(`The state lock ${lockPath} cannot be used: ${reason}. ${remedy}`, { cause });
}
