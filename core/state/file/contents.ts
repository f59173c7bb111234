import { copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod/mini';
import { codeOf, refused, unusable } from './file-failure.ts';

const version = z.int().check(z.gte(1));

/** Strict, because unknown fields would be lost. */
const schema = z.strictObject({
  format: z.literal('offpeak/state@1'),
  /** The version that the next write gets. */
  next: version,
  documents: z.record(z.string(), z.strictObject({ version, value: z.json() })),
});

/** What a JSON file of version 0.1 holds. */
export interface Contents {
  readonly next: number;
  readonly documents: readonly (readonly [
    key: string,
    stored: { readonly version: number; readonly value: unknown },
  ])[];
}

/**
 * Replaces a JSON file of version 0.1 by a database, and keeps it as `<file>.0.1.json`. This holds the lock of that version, so that no
 * write of a running 0.1 is lost. From then on 0.1 refuses the file.
 *
 * @throws StateUnavailable for any other file, which stays as it is.
 */
export function importJsonFile(file: string, createDatabase: (file: string, contents: Contents) => void): void {
  if (!contentsOf(file)) return;
  const [lockFile, temporary] = [`${file}.lock`, `${file}.tmp`];
  const lock = new DatabaseSync(lockFile);
  try {
    lock.exec('BEGIN IMMEDIATE');
    const contents = contentsOf(file);
    if (!contents) return;
    // SQLite would apply the journal of a killed import to the new file.
    for (const left of [temporary, `${temporary}-journal`]) rmSync(left, { force: true });
    createDatabase(temporary, contents);
    rmSync(`${temporary}-journal`, { force: true });
    copyFileSync(file, `${file}.0.1.json`);
    renameSync(temporary, file);
    rmSync(lockFile);
  } finally {
    lock.close();
  }
}

/** Moves the JSON file to where the database is expected, if that is missing. The first read imports it. @throws StateUnavailable */
export function adoptJsonFile(json: string, file: string): void {
  if (existsSync(file)) return;
  try {
    renameSync(json, file);
  } catch (error) {
    // There is none, or another process was faster.
    if (codeOf(error) !== 'ENOENT') throw unusable(json, error);
  }
}

/** Undefined for a database: another process was faster. @throws StateUnavailable, which quotes no value of the file */
function contentsOf(file: string): Contents | undefined {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 16) === 'SQLite format 3\0') return undefined;
  const parsed = schema.safeParse(jsonIn(bytes, file));
  if (!parsed.success) throw refused(file, `is not as version 0.1 wrote it (${placeOf(parsed.error)})`);
  const { next, documents } = parsed.data;
  const entries = Object.entries(documents);
  // Otherwise two documents could later get the same version.
  const early = entries.find(([, stored]) => stored.version >= next)?.[0];
  if (early !== undefined)
    throw refused(file, `is not as version 0.1 wrote it (the version of ${JSON.stringify(early)} is not below "next")`);
  return { next, documents: entries };
}

function jsonIn(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refused(file, 'is neither an SQLite database nor a JSON file of version 0.1');
  }
}

function placeOf({ issues: [issue] }: z.core.$ZodError): string {
  const where = issue?.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : (issue?.path ?? []);
  return where.length === 0 ? 'it is not an object' : `at ${where.map((part) => JSON.stringify(part)).join(' → ')}`;
}
