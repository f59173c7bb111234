import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import pLimit from 'p-limit';
import type { StateStore, Stored } from '../../ports/state-store.ts';
import { jsonText } from '../json-value.ts';
import { adoptJsonFile } from './contents.ts';
import { inChange, inReading, whenUnlocked } from './database.ts';

/**
 * A store in one SQLite database, for runs from a terminal: any number of processes of one machine can share it. The file (mode 0600) and
 * its folder are created by the first write; a missing or empty file is an empty store. A JSON file of version 0.1 is imported.
 *
 * @param options.lockWait for how many milliseconds, from its call on, a method may wait for other processes; default 5000
 * @param options.adopted the JSON file of version 0.1 that becomes this file, where it is not there yet
 */
export function createFileStore(
  path: string,
  options: { readonly lockWait?: number; readonly adopted?: string } = {},
): StateStore {
  const { lockWait = 5_000, adopted } = options;
  // Absolute: the store stays in one place, and messages name it, whatever the working folder is later.
  const file = resolve(path);
  if (adopted !== undefined) adoptJsonFile(adopted, file);
  // One change at a time: a hundred of them wait here instead of polling the lock of the file.
  const inTurn = pLimit(1);

  async function select(where: string, value: string): Promise<ReadonlyMap<string, Stored>> {
    const sql = `SELECT key, version, value FROM documents WHERE ${where} ORDER BY key`;
    const ask = (database: DatabaseSync) => database.prepare(sql).all(value) as readonly Row[];
    const rows = (await whenUnlocked(file, performance.now() + lockWait, () => inReading(file, ask))) ?? [];
    return new Map(
      rows.map((row) => [String(row.key), { value: JSON.parse(String(row.value)), version: Number(row.version) }]),
    );
  }

  function change<T>(apply: (database: DatabaseSync) => T): Promise<T> {
    const deadline = performance.now() + lockWait;
    return inTurn(() => whenUnlocked(file, deadline, () => inChange(file, apply)));
  }

  return {
    list: (prefix) => select('substr(key, 1, length(?1)) = ?1', prefix),
    read: async (key) => (await select('key = ?', key)).get(key),
    readAll: (keys) => select('key IN (SELECT value FROM json_each(?))', JSON.stringify(keys)),
    async write(key, value, expected) {
      const text = jsonText(key, value);
      return await change((database) => {
        if (expected !== undefined && !removed(database, key, expected)) return { stored: false };
        const { changes, lastInsertRowid } = database
          .prepare('INSERT INTO documents (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING')
          .run(key, text);
        return changes === 0 ? { stored: false } : { stored: true, version: Number(lastInsertRowid) };
      });
    },
    remove: (key, expected) => change((database) => removed(database, key, expected)),
  };
}

/** Values by the names of the columns. */
type Row = Readonly<Record<string, unknown>>;

function removed(database: DatabaseSync, key: string, expected: number): boolean {
  return database.prepare('DELETE FROM documents WHERE key = ? AND version = ?').run(key, expected).changes === 1;
}
