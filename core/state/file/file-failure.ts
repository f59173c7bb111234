import { StateUnavailable } from '../../ports/state-store.ts';

/** SQLite's result codes. */
const [PERM, BUSY, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB] = [3, 5, 8, 10, 11, 13, 14, 26];

const ACCESS = 'Give this user read and write access to it and to its folder.';
const FOLDER = 'A part of its path is a file, not a folder: name another place.';
const UNCHANGED = 'The stored state is as it was.';

/** By SQLite's result code, or by that of the operating system. */
const REMEDIES: Readonly<Record<string, string>> = {
  [String(PERM)]: ACCESS,
  [String(READONLY)]: ACCESS,
  [String(CANTOPEN)]: ACCESS,
  [String(IOERR)]: `See whether the disk has room and is healthy. ${UNCHANGED}`,
  [String(FULL)]: `The disk is full: make room. ${UNCHANGED}`,
  ENOTDIR: FOLDER,
  EEXIST: FOLDER,
  EACCES: ACCESS,
  EPERM: ACCESS,
  EROFS: 'The file system is read-only: name another place.',
  ENOSPC: `The disk is full: make room. ${UNCHANGED}`,
  EDQUOT: `The disk quota is used up: make room. ${UNCHANGED}`,
};

export function isLocked(error: unknown): boolean {
  return codeOf(error) === String(BUSY);
}

export function isNotADatabase(error: unknown): boolean {
  return codeOf(error) === String(NOTADB);
}

/** The code of SQLite, without its extension (the upper bits), or of the operating system. Undefined: the error comes from neither. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return String(error.errcode & 0xff);
  return 'syscall' in error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function stillLocked(file: string): StateUnavailable {
  return new StateUnavailable(
    `The state file ${file} is locked by another process that is alive. Wait until the other Offpeak run has ended, or end it if it hangs.`,
  );
}

/** For a file that holds something else than the state. `problem` completes "The state file x …", and quotes nothing of the file. */
export function refused(file: string, problem: string): StateUnavailable {
  return new StateUnavailable(
    `The state file ${file} ${problem}. Nothing was changed. Repair it or restore a copy; to start empty, first see that no server has active defragmentation left on (the file may hold what undoes it), then remove it.`,
  );
}

export function inTheWay(file: string): StateUnavailable {
  return new StateUnavailable(`The state file ${file} is a folder. Move it away, or name another file.`);
}

/** For a failure of SQLite or of the file system; anything else is a bug, and stays what it is. */
export function unusable(file: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (!(cause instanceof Error) || code === undefined) return cause;
  if (code === String(NOTADB) || code === String(CORRUPT)) return refused(file, `is damaged (${cause.message})`);
  const remedy = REMEDIES[code] ?? 'Make it a file that this user may read and write, or name another place.';
  return new StateUnavailable(`The state file ${file} cannot be used (${cause.message}). ${remedy}`, { cause });
}
