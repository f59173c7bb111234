import { chmod, copyFile, mkdir, mkdtempDisposable, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type FindOptions, RedisServerSettingError } from '../../../cli/lab/binary.ts';
import { cachedServer, openWorkFolder, publish } from '../../../cli/lab/cache.ts';
import { findDefragServer, findPlainServer } from '../../../cli/lab/find.ts';
import { executable } from '../../../cli/lab/run-command.ts';
import { isRunning } from '../../support/processes.ts';
import { serverBinary } from '../../support/servers.ts';

const quiet: FindOptions = { log: () => {} };

afterEach(() => vi.unstubAllEnvs());

/** A cache of this test's own, empty, and nothing configured. */
async function emptyCache() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
  vi.stubEnv('XDG_CACHE_HOME', folder.path);
  vi.stubEnv('REDIS_SERVER', '');
  return folder;
}

/** A PATH with these commands and no others (beside what the leash itself needs). */
async function pathOf(folder: string, commands: readonly string[]) {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of [...commands, 'sh', 'sleep', 'rm', 'env', 'setsid']) {
    const path = await executable(name);
    if (path !== undefined) await symlink(path, join(bin, name));
  }
  vi.stubEnv('PATH', bin);
}

describe('REDIS_SERVER', () => {
  test('is taken when it can defragment', async () => {
    const { path, version } = serverBinary('defrag');
    vi.stubEnv('REDIS_SERVER', path);
    expect(await findDefragServer(quiet)).toEqual({ kind: 'found', path, env: {}, version, source: 'env' });
  });

  test.each([
    { what: 'nothing', path: '/nonexistent/redis-server', words: 'is not an executable file' },
    { what: 'a folder', path: tmpdir(), words: 'is not an executable file' },
    { what: 'a file that may not be executed', path: import.meta.filename, words: 'is not an executable file' },
    { what: 'another program', path: process.execPath, words: 'does not start as a server' },
  ])('naming $what is an error that says so', async ({ path, words }) => {
    vi.stubEnv('REDIS_SERVER', path);
    const found = findDefragServer(quiet);
    await expect(found).rejects.toThrow(RedisServerSettingError);
    await expect(found).rejects.toThrow(`REDIS_SERVER=${path} ${words}`);
    await expect(found).rejects.toThrow(/accepted: the path of a redis-server/);
  });

  test('naming a server that refuses to defragment is an error with the words of the server', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
    const plain = serverBinary('plain');
    const path = join(folder.path, 'redis-server');
    const exports = Object.entries(plain.env).map(([name, value]) => `export ${name}='${value}'\n`);
    await writeFile(path, `#!/bin/sh\n${exports.join('')}exec '${plain.path}' "$@"\n`);
    await chmod(path, 0o755);
    vi.stubEnv('REDIS_SERVER', path);
    await expect(findDefragServer(quiet)).rejects.toThrow(
      /REDIS_SERVER=\S+ cannot defragment \(.*Active defragmentation cannot be enabled/,
    );
  });
});

describe('the PATH', () => {
  test('decides by what the server answers, not by its name', async () => {
    await using folder = await emptyCache();
    await pathOf(folder.path, []);
    await copyFile(serverBinary('defrag').path, join(folder.path, 'bin/valkey-server'));
    await writeFile(join(folder.path, 'bin/redis-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const found = await findDefragServer(quiet);
    expect(found).toMatchObject({ kind: 'found', source: 'path', path: join(folder.path, 'bin/valkey-server') });
    expect(await findPlainServer(quiet)).toMatchObject({
      kind: 'missing',
      reason: expect.stringMatching(/bin\/redis-server does not start: .*valkey-server \(\d[\d.]+\) can defragment/s),
    });
  });

  test('without any means, says what was tried and what to install', async () => {
    await using folder = await emptyCache();
    await pathOf(folder.path, []);
    expect(await findDefragServer(quiet)).toEqual({
      kind: 'missing',
      reason: expect.stringMatching(
        /redis-server is not on the PATH; .*npm: .*build: not on the PATH: apt-get, tar, make, cc/s,
      ),
      install: expect.stringContaining('apt-get install gcc make'),
    });
    expect(await findPlainServer(quiet)).toEqual({
      kind: 'missing',
      reason: expect.stringContaining('debian: not on the PATH: apt-get, dpkg-deb'),
      install: expect.stringContaining('redis-server'),
    });
  });
});

describe('the cache', () => {
  const manifest = {
    role: 'defrag',
    executable: 'redis-server',
    libraryFolders: [],
    version: '0',
    origin: 'built',
  } as const;

  test('keeps what enters it, and the second of two builders takes the first one', async () => {
    await using _folder = await emptyCache();
    await using first = await openWorkFolder();
    await using second = await openWorkFolder();
    for (const work of [first, second]) {
      await mkdir(join(work.path, 'built'));
      await copyFile(serverBinary('defrag').path, join(work.path, 'built/redis-server'));
    }
    const published = await publish(join(first.path, 'built'), first, { ...manifest, version: '1' });
    expect(published).toMatchObject({ source: 'built', version: '1' });
    const rival = await publish(join(second.path, 'built'), second, { ...manifest, version: '2' });
    expect(rival).toEqual({ ...published, source: 'cache' });
    expect(await findDefragServer(quiet)).toEqual(rival);
  });

  test.each([
    {
      what: 'an executable that does not run',
      files: { 'redis-server': '', 'manifest.json': JSON.stringify(manifest) },
    },
    { what: 'no executable', files: { 'manifest.json': JSON.stringify(manifest) } },
    { what: 'a manifest of another version', files: { 'manifest.json': '{"role":"defrag","path":"x"}' } },
    { what: 'half a manifest', files: { 'manifest.json': '{"role":' } },
    { what: 'no manifest', files: { 'redis-server': '' } },
  ])('does not believe a folder with $what, and replaces it', async ({ files }) => {
    await using folder = await emptyCache();
    const broken = join(folder.path, `offpeak/defrag-${process.platform}-${process.arch}`);
    await mkdir(broken, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(broken, name), text, { mode: 0o755 });
    expect(await cachedServer('defrag')).toBeUndefined();
    await using work = await openWorkFolder();
    const built = join(work.path, 'built');
    await mkdir(built);
    await copyFile(serverBinary('defrag').path, join(built, 'redis-server'));
    expect(await publish(built, work, manifest)).toMatchObject({ kind: 'found', source: 'built' });
    expect(await cachedServer('defrag')).toMatchObject({ kind: 'found', source: 'cache' });
  });
});

test('an abort in the middle of the build ends its children and leaves nothing in the cache', async (context) => {
  await using folder = await emptyCache();
  await pathOf(folder.path, ['apt-get', 'tar', 'make', 'cc']);
  if ((await executable('apt-get')) === undefined) context.skip('there is no apt on this system to be interrupted');
  const controller = new AbortController();
  const reason = new Error('enough');
  const search = findDefragServer({ ...quiet, signal: controller.signal });
  const outcome = search.then(
    (found) => found,
    (error: unknown) => error,
  );
  const children = await vi.waitFor(
    async () => {
      const running = await processesIn(join(folder.path, 'offpeak/work'));
      expect(running.length).toBeGreaterThan(0);
      return running;
    },
    { timeout: 60_000, interval: 5 },
  );
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  // A process that was killed is gone a moment later.
  await expect.poll(() => children.filter(isRunning)).toEqual([]);
  const left = await readdir(join(folder.path, 'offpeak'), { recursive: true });
  // Where npm's binary would run, its attempt without npm has left a log.
  expect(left.filter((name) => !name.startsWith('logs'))).toEqual(['work']);
});

/** Pids of the processes whose working folder is in the given one. */
async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.filter((_, index) => folders[index]?.startsWith(folder)).map(Number);
}
