import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contents, importJsonFile } from './contents.ts';
import { codeOf, inTheWay, isLocked, isNotADatabase, refused, stillLocked, unusable } from './file-failure.ts';

/** Marks a database as Offpeak's: "OFPK". */
const APPLICATION_ID = 0x4f46504b;
/** Of the table. A database of a newer format is refused. */
const FORMAT = 1;
/** AUTOINCREMENT gives no version twice, so that an earlier holder's conditional write never hits a later document. */
const TABLE = `
  CREATE TABLE documents (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL CHECK (json_valid(value))
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT}`;

/** SQLite waits for a lock with the event loop blocked: only for as long as a commit usually takes, in milliseconds. */
const BLOCKED_FOR = 10;

/** Tries `work` until no other process keeps it from its lock. `deadline`: by `performance.now()`. @throws StateUnavailable */
export async function whenUnlocked<T>(file: string, deadline: number, work: () => T): Promise<T> {
  for (;;) {
    try {
      return importing(file, work);
    } catch (error) {
      if (!isLocked(error)) throw unusable(file, error);
      if (performance.now() >= deadline) throw stillLocked(file);
    }
    // Without jitter, processes that started together would meet at every try.
    await sleep(5 + Math.random() * 20);
  }
}

function importing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isNotADatabase(error)) throw error;
    importJsonFile(file, createDatabase);
    return work();
  }
}

/** What `select` finds; undefined where nothing was ever stored. */
export function inReading<T>(file: string, select: (database: DatabaseSync) => T): T | undefined {
  if (isMissing(file)) return undefined;
  return inTransaction(file, 'DEFERRED', (database) => (isNew(database, file) ? undefined : select(database)));
}

export function inChange<T>(file: string, apply: (database: DatabaseSync) => T): T {
  createFile(file);
  return inTransaction(file, 'IMMEDIATE', (database) => {
    if (isNew(database, file)) database.exec(TABLE);
    return apply(database);
  });
}

/**
 * The connection is closed after each transaction, so that a moved or replaced file is noticed, and nothing is left to close at the end.
 *
 * The journal is a rollback journal, cut to 0 bytes by each commit. With a write-ahead log, the state at rest would be three files, and
 * could not be read in a folder that this user may not write to. A commit is on the disk when it returns, since a lease has to outlive a
 * crash of the machine. A `kill -9` and a full disk leave the state of before.
 */
function inTransaction<T>(file: string, kind: 'DEFERRED' | 'IMMEDIATE', work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    // A statement, since before Node 22.16 the constructor does not know a time-out, and says nothing.
    database.exec(
      `PRAGMA busy_timeout = ${BLOCKED_FOR}; PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; BEGIN ${kind}`,
    );
    const result = work(database);
    database.exec('COMMIT');
    return result;
  } finally {
    database.close();
  }
}

/** @throws StateUnavailable for a database of another program, or of a newer Offpeak. */
function isNew(database: DatabaseSync, file: string): boolean {
  const application = pragma(database, 'application_id');
  const format = pragma(database, 'user_version');
  if (application === APPLICATION_ID && format === FORMAT) return false;
  if (application === APPLICATION_ID) throw refused(file, `has the format ${format} (this Offpeak reads ${FORMAT})`);
  if (database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined) return true;
  throw refused(file, 'is the database of another program');
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** A new database with what a JSON file held: each document keeps its version, and none of them comes twice. */
function createDatabase(file: string, { next, documents }: Contents): void {
  inChange(file, (database) => {
    const insert = database.prepare('INSERT INTO documents (key, version, value) VALUES (?, ?, ?)');
    for (const [key, { version, value }] of documents) insert.run(key, version, JSON.stringify(value));
    database.exec("DELETE FROM sqlite_sequence WHERE name = 'documents'");
    database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('documents', ?)").run(next - 1);
  });
}

function isMissing(file: string): boolean {
  try {
    if (statSync(file).isDirectory()) throw inTheWay(file);
    return false;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return true;
  }
}

/** For this user only from the start: SQLite would create it for all. SQLite would apply the journal of a removed file to it. */
function createFile(file: string): void {
  if (!isMissing(file)) return;
  rmSync(`${file}-journal`, { force: true });
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
