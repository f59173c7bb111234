import { mkdir, mkdtempDisposable, readdir, readFile, rmdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateUnavailable } from '../../../core/ports/state-store.ts';
import { createFileStore } from '../../../core/state/file/file-store.ts';

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let path: string;

beforeEach(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));
  path = join(folder.path, 'state.db');
});
afterEach(() => folder.remove());

const withSql = (sql: string) => (path: string) => {
  using database = new DatabaseSync(path);
  database.exec(sql);
};
const json = (text: string | Uint8Array) => (path: string) => writeFile(path, text);
const document = (entry: string) => json(`{"format":"offpeak/state@1","next":9,"documents":{"k":${entry}}}`);

describe('a file that does not hold the state', () => {
  const files: readonly (readonly [what: string, make: (path: string) => unknown, problem: RegExp])[] = [
    ['blanks', json(' \n'), /neither an SQLite database nor a JSON file of version 0\.1/],
    ['a truncated JSON file', json('{"format": "offpeak/state@1",\n "next": 1,'), /neither an SQLite database/],
    ['bytes that are no text', json(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), /neither an SQLite database/],
    ['a list', json('[]'), /not as version 0\.1 wrote it \(it is not an object\)/],
    ['some other JSON', json('{"name": "offpeak"}'), /at "format"/],
    ['a later JSON format', json('{"format": "offpeak/state@2"}'), /at "format"/],
    ['an unknown key', json('{"format":"offpeak/state@1","next":1,"documents":{},"extra":1}'), /at "extra"/],
    ['next 0', json('{"format":"offpeak/state@1","next":0,"documents":{}}'), /at "next"/],
    ['documents as a list', json('{"format":"offpeak/state@1","next":1,"documents":[]}'), /at "documents"/],
    ['a document without an envelope', document('"bare"'), /at "documents" → "k"/],
    ['a document without a value', document('{"version":1}'), /at "documents" → "k" → "value"/],
    ['a broken version', document('{"version":1.5,"value":1}'), /at "documents" → "k" → "version"/],
    ['a version that is still to be given', document('{"version":9,"value":1}'), /version of "k" is not below "next"/],
    ['an unknown key in a document', document('{"version":1,"value":1,"ttl":3}'), /at "documents" → "k" → "ttl"/],
    ['the database of another program', withSql('CREATE TABLE songs (title TEXT)'), /database of another program/],
    [
      'a database of a newer version',
      async (path) => {
        await createFileStore(path).write('k', 1, undefined);
        withSql('PRAGMA user_version = 2')(path);
      },
      /has the format 2 \(this Offpeak reads 1\)/,
    ],
    [
      'a database that was cut off',
      async (path) => {
        await createFileStore(path).write('k', 'x'.repeat(9_000), undefined);
        await truncate(path, 5_000);
      },
      /is damaged \(database disk image is malformed\)/,
    ],
    ['a database of noise', json(Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(9_000, 7)])), /damaged/],
  ];

  test.each(files)(
    '%s is refused by every method, with the place and what to do, and left as it is',
    async (_, make, problem) => {
      await make(path);
      const before = await readFile(path);
      const store = createFileStore(path);
      const attempts = [store.read('k'), store.list(''), store.write('k', 1, undefined), store.remove('k', 1)];
      for (const result of await Promise.allSettled(attempts)) {
        const error: unknown = result.status === 'rejected' ? result.reason : undefined;
        expect(error).toBeInstanceOf(StateUnavailable);
        expect(String(error)).toMatch(problem);
        expect(String(error)).toContain(path);
        expect(String(error)).toMatch(/Repair it or restore a copy/);
      }
      expect(await readFile(path)).toEqual(before);
      expect((await readdir(folder.path)).filter((name) => !name.endsWith('-journal'))).toEqual(['state.db']);
    },
  );

  test('a refusal quotes nothing of what the file holds', async () => {
    await writeFile(path, '{"password": "hunter2", broken');
    const error: unknown = await createFileStore(path)
      .read('k')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StateUnavailable);
    expect(String(error)).not.toMatch(/hunter2|password/);
  });
});

describe('a place that holds no state file', () => {
  // The tests may run as root, whom no permission stops: what stands in the way stops everybody.
  const inTheWay: Record<string, (path: string) => Promise<unknown>> = {
    'a folder in its place': (path) => mkdir(path),
    'a folder in place of the journal': (path) => mkdir(`${path}-journal`),
    'a link that leads in a circle': (path) => symlink(path, path),
  };
  test.each(Object.keys(inTheWay))('%s makes a write fail with the place and what to do', async (obstacle) => {
    await inTheWay[obstacle]?.(path);
    const writing = createFileStore(path).write('k', 1, undefined);
    await expect(writing).rejects.toThrow(StateUnavailable);
    await expect(writing).rejects.toThrow(path);
    await expect(writing).rejects.toThrow(/Move it away|name another|this user/);
  });

  test('a file where the path needs a folder fails reads and writes', async () => {
    await createFileStore(path).write('k', 1, undefined);
    const store = createFileStore(join(path, 'state.db'));
    await expect(store.read('k')).rejects.toThrow(/A part of its path is a file/);
    await expect(store.write('k', 1, undefined)).rejects.toThrow(/A part of its path is a file/);
  });

  test('the same handle writes again once the way is free', async () => {
    const store = createFileStore(path);
    await mkdir(`${path}-journal`);
    await expect(store.write('k', 1, undefined)).rejects.toThrow(StateUnavailable);
    await rmdir(`${path}-journal`);
    expect(await store.write('k', 1, undefined)).toEqual({ stored: true, version: 1 });
  });
});
