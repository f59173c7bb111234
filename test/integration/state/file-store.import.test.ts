import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStore } from '../../../core/state/file/file-store.ts';

/** As version 0.1 wrote it; a byte order mark is what an editor may have added. */
const LEASE = { node: '10.0.0.1:6379', prior: { hz: '10' } };
const TEXT = `\uFEFF${JSON.stringify({
  format: 'offpeak/state@1',
  next: 42,
  documents: { 'lease#sessions': { version: 41, value: LEASE }, 'node#a': { version: 7, value: 'größer' } },
})}`;

describe('a JSON file of version 0.1', () => {
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));
    path = join(folder.path, 'state.json');
    await writeFile(path, TEXT);
  });
  afterEach(() => folder.remove());

  const files = async () => await readdir(folder.path);

  test('is imported by the first look, each document under its version, and kept as a copy', async () => {
    const store = createFileStore(path);
    expect([...(await store.list(''))]).toEqual([
      ['lease#sessions', { value: LEASE, version: 41 }],
      ['node#a', { value: 'größer', version: 7 }],
    ]);
    expect(await files()).toEqual(['state.json', 'state.json.0.1.json']);
    expect(await readFile(`${path}.0.1.json`, 'utf8')).toBe(TEXT);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('gives no version twice, also of a document that it no longer holds', async () => {
    const store = createFileStore(path);
    expect(await store.write('node#b', 1, undefined)).toEqual({ stored: true, version: 42 });
    expect(await store.write('lease#sessions', 2, 41)).toEqual({ stored: true, version: 43 });
  });

  test('is imported once by eight at the same time, and no write is lost', async () => {
    const stores = Array.from({ length: 8 }, () => createFileStore(path));
    await Promise.all(stores.map((store, i) => store.write(`node#${i}`, i, undefined)));
    expect((await createFileStore(path).list('')).size).toBe(10);
  });

  test('waits for a process of version 0.1 that is writing', async () => {
    using writer = new DatabaseSync(`${path}.lock`);
    writer.exec('BEGIN IMMEDIATE');
    await expect(createFileStore(path, { lockWait: 50 }).read('node#a')).rejects.toThrow(
      /is locked by another process/,
    );
    expect(await readFile(path, 'utf8')).toBe(TEXT);
    writer.exec('ROLLBACK');
    expect((await createFileStore(path).read('node#a'))?.value).toBe('größer');
  });

  test('is imported all the same where an import was killed halfway', async () => {
    await writeFile(`${path}.tmp`, 'SQLite format 3\0, half of it');
    await writeFile(`${path}.tmp-journal`, 'half of a journal');
    expect((await createFileStore(path).read('node#a'))?.value).toBe('größer');
    expect(await files()).toEqual(['state.json', 'state.json.0.1.json']);
  });
});
