import { mkdtempDisposable, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileStore } from '../../../core/state/file/file-store.ts';
import { stateStoreContract } from '../../support/state-store-contract.ts';

const makeFolder = () => mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));

stateStoreContract('the file store', async () => {
  const folder = await makeFolder();
  const path = join(folder.path, 'state.json');
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
    path = join(folder.path, 'state.json');
  });
  afterEach(() => folder.remove());

  test('looking into a store that is not there creates nothing', async () => {
    const store = createFileStore(join(folder.path, 'not', 'there', 'state.json'));
    expect(await store.read('k')).toBeUndefined();
    expect((await store.list('')).size).toBe(0);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('the first write makes the folder and the file, for this user only', async () => {
    const nested = join(folder.path, 'a', 'b', 'state.json');
    await createFileStore(nested).write('k', 1, undefined);
    expect((await stat(nested)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder.path, 'a'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder.path, 'a', 'b'))).toEqual(['state.json', 'state.json.lock']);
  });

  test('a person can read it', async () => {
    const store = createFileStore(path);
    await store.write('lease#sessions', { runId: 'abc', prior: { hz: '10' } }, undefined);
    await store.write('node#sessions#10.0.0.1:6379', 'größer', undefined);
    expect((await readFile(path, 'utf8')).split('\n')).toEqual([
      '{',
      '  "format": "offpeak/state@1",',
      '  "next": 3,',
      '  "documents": {',
      '    "lease#sessions": {',
      '      "version": 1,',
      '      "value": {',
      '        "runId": "abc",',
      '        "prior": {',
      '          "hz": "10"',
      '        }',
      '      }',
      '    },',
      '    "node#sessions#10.0.0.1:6379": {',
      '      "version": 2,',
      '      "value": "größer"',
      '    }',
      '  }',
      '}',
      '',
    ]);
  });

  test('what a person edited counts, as long as it is whole', async () => {
    const text = '\uFEFF{"documents": {"k": {"value": 5, "version": 41}}, "next": 42, "format": "offpeak/state@1"}';
    await writeFile(path, text);
    const store = createFileStore(path);
    expect(await store.write('k', 6, 41)).toEqual({ stored: true, version: 42 });
  });

  test('a link to the file stays a link, and both names are one store', async () => {
    const link = join(folder.path, 'link.json');
    await createFileStore(path).write('k', 1, undefined);
    await symlink(path, link);
    expect(await createFileStore(link).write('k', 2, 1)).toEqual({ stored: true, version: 2 });
    expect((await createFileStore(path).read('k'))?.value).toBe(2);
    expect(await readdir(folder.path)).toEqual(['link.json', 'state.json', 'state.json.lock']);
  });

  test('a path relative to where the run started is the same file later on', async () => {
    const started = process.cwd();
    process.chdir(folder.path);
    const store = createFileStore('state.json');
    process.chdir(started);
    await store.write('k', 1, undefined);
    expect((await createFileStore(path).read('k'))?.value).toBe(1);
  });

  test('what a killed writer left half-written is not read, and goes with the next write', async () => {
    const store = createFileStore(path);
    await store.write('k', 1, undefined);
    await writeFile(`${path}.tmp`, '{"format": "offpeak/sta', { mode: 0o644 });
    expect((await store.read('k'))?.value).toBe(1);
    await store.write('k', 2, 1);
    expect(await readdir(folder.path)).toEqual(['state.json', 'state.json.lock']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });
});
