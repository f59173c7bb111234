import { chmod, mkdtempDisposable, readdir, rename, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStore } from '../../../core/state/file/file-store.ts';
import { stateStoreContract } from '../../support/state-store-contract.ts';

const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));

stateStoreContract('the file store', async () => {
  const folder = await makeFolder();
  const path = join(folder.path, 'state.db');
  return {
    store: createFileStore(path),
    another: async () => createFileStore(path),
    dispose: () => folder.remove(),
  };
});

describe('the state file', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let path: string;

  beforeEach(async () => {
    folder = await makeFolder();
    path = join(folder.path, 'state.db');
  });
  afterEach(() => folder.remove());

  test('looking into a store that is not there creates nothing', async () => {
    const store = createFileStore(join(folder.path, 'not', 'there', 'state.db'));
    expect(await store.read('k')).toBeUndefined();
    expect((await store.list('')).size).toBe(0);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('the first write makes the folder and the file, for this user only', async () => {
    const nested = join(folder.path, 'a', 'b', 'state.db');
    await createFileStore(nested).write('k', 1, undefined);
    for (const name of await readdir(join(folder.path, 'a', 'b'))) {
      expect(name).toMatch(/^state\.db(-journal)?$/);
      expect((await stat(join(folder.path, 'a', 'b', name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(join(folder.path, 'a'))).mode & 0o777).toBe(0o700);
  });

  test('a person can read it, with the SQL of the runbook', async () => {
    const store = createFileStore(path);
    await store.write('lease#sessions', { runId: 'abc', prior: { hz: '10' } }, undefined);
    await store.write('node#10.0.0.1:6379', 'größer', undefined);
    using database = new DatabaseSync(path, { readOnly: true });
    expect(
      database
        .prepare('SELECT key, value FROM documents')
        .all()
        .map((row) => ({ ...row })),
    ).toEqual([
      { key: 'lease#sessions', value: '{"runId":"abc","prior":{"hz":"10"}}' },
      { key: 'node#10.0.0.1:6379', value: '"größer"' },
    ]);
  });

  test('a link to the file stays a link, and both names are one store', async () => {
    const link = join(folder.path, 'link.db');
    await createFileStore(path).write('k', 1, undefined);
    await symlink(path, link);
    expect(await createFileStore(link).write('k', 2, 1)).toEqual({ stored: true, version: 2 });
    expect((await createFileStore(path).read('k'))?.value).toBe(2);
  });

  test('a path relative to where the run started is the same file later on', async () => {
    const started = process.cwd();
    process.chdir(folder.path);
    const store = createFileStore('state.db');
    process.chdir(started);
    await store.write('k', 1, undefined);
    expect((await createFileStore(path).read('k'))?.value).toBe(1);
  });

  test('at rest it is one file: what is moved elsewhere is the whole state', async () => {
    const store = createFileStore(path);
    await store.write('k', 1, undefined);
    await rename(path, `${path}.moved`);
    expect(await store.read('k')).toBeUndefined();
    expect(await createFileStore(`${path}.moved`).read('k')).toEqual({ value: 1, version: 1 });
  });

  test('a file whose first writer was killed before its first commit is an empty store', async () => {
    using _ = new DatabaseSync(path);
    const store = createFileStore(path);
    expect(await store.read('k')).toBeUndefined();
    await chmod(path, 0o444);
    expect((await store.list('')).size).toBe(0);
    await chmod(path, 0o600);
    expect(await store.write('k', 1, undefined)).toEqual({ stored: true, version: 1 });
  });
});
