import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ask } from '../../../cli/lab/client.ts';
import { ServerStartError, startServer } from '../../../cli/lab/start.ts';
import { isRunning } from '../../support/processes.ts';
import { defragServer, plainServer, serverBinary } from '../../support/servers.ts';

afterEach(() => vi.unstubAllEnvs());

async function settingsOf(url: string): Promise<Record<string, string>> {
  const client = new Redis(url);
  try {
    const pairs = (await client.config('GET', '*')) as string[];
    return Object.fromEntries(pairs.flatMap((key, index) => (index % 2 === 0 ? [[key, pairs[index + 1] ?? '']] : [])));
  } finally {
    client.disconnect();
  }
}

test('one server accepts active defragmentation, the other refuses it', async () => {
  await using capable = await defragServer();
  await using plain = await plainServer();
  expect(await ask(capable, 'CONFIG', 'SET', 'activedefrag', 'yes')).toBe('OK');
  await expect(ask(plain, 'CONFIG', 'SET', 'activedefrag', 'yes')).rejects.toThrow(
    /active defragmentation cannot be enabled/i,
  );
  expect(await ask(plain, 'MEMORY', 'PURGE')).toBe('OK');
});

test('runs on loopback without persistence, takes arguments and tells its own pid', async () => {
  await using server = await defragServer({ args: ['--hz', '100', '--save', '900 1'] });
  expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
  expect(await ask(server, 'INFO', 'server')).toContain(`process_id:${server.pid}\r\n`);
  expect(await settingsOf(server.url)).toMatchObject({
    bind: '127.0.0.1',
    appendonly: 'no',
    save: '900 1',
    hz: '100',
  });
  await using quiet = await defragServer();
  expect(await settingsOf(quiet.url)).toMatchObject({ save: '' });
});

test('a server with a password counts as started', async () => {
  await using server = await defragServer({ args: ['--requirepass', 'only-for-this-test'] });
  await expect(ask(server, 'PING')).rejects.toThrow(/^NOAUTH/);
});

describe('stop', () => {
  test('leaves neither the process nor its folder, and may be called again', async () => {
    const server = await defragServer();
    const { dir = '' } = await settingsOf(server.url);
    expect(isRunning(server.pid) && existsSync(dir)).toBe(true);
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    expect(existsSync(dir)).toBe(false);
    await server.stop();
  });

  test('ends a server that is held by SIGSTOP', async () => {
    const server = await plainServer();
    process.kill(server.pid, 'SIGSTOP');
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
  });

  test('is quiet about a server that has died meanwhile, whose folder goes with it', async () => {
    const server = await defragServer();
    const { dir = '' } = await settingsOf(server.url);
    process.kill(server.pid, 'SIGKILL');
    await vi.waitFor(() => expect(existsSync(dir)).toBe(false), { timeout: 60_000 });
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
  });
});

describe.runIf(process.platform === 'linux')('the server ends with the process that started it', () => {
  const ways: readonly (NodeJS.Signals | 'by itself')[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'by itself'];

  test.each(ways)('%s', async (way) => {
    const binary = JSON.stringify(serverBinary('defrag'));
    const script = join(import.meta.dirname, 'owner.ts');
    const owner = spawn(process.execPath, [script, binary, way === 'by itself' ? 'leave' : 'stay'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(owner, 'exit');
    const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    if (way !== 'by itself') {
      expect(isRunning(pid)).toBe(true);
      owner.kill(way);
    }
    await ended;
    await vi.waitFor(() => expect(isRunning(pid) || existsSync(folder)).toBe(false), { timeout: 60_000 });
  });
});

describe('a start that fails', () => {
  test('shows the last lines of a server that refuses its arguments', async () => {
    const started = defragServer({ args: ['--no-such-setting', 'yes'] });
    await expect(started).rejects.toThrow(ServerStartError);
    await expect(started).rejects.toThrow(/ended with status 1; its last lines:\n.*no-such-setting/s);
  });

  test('on a given port that is taken, says so', async () => {
    await using first = await defragServer();
    await expect(defragServer({ port: first.port })).rejects.toThrow(
      new RegExp(`on port ${first.port} ended with status 1; its last lines:\n.*already in use`, 'is'),
    );
    // The first one answered every PING meanwhile and must not be taken for the second.
    expect(isRunning(first.pid)).toBe(true);
  });

  test('names an executable that is not there', async () => {
    await expect(startServer({ path: '/nonexistent/redis-server', env: {} })).rejects.toThrow(
      /^\/nonexistent\/redis-server on port \d+ ended with status 127/,
    );
  });

  test('an aborted start rejects with the reason and leaves nothing', async () => {
    await using temp = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
    vi.stubEnv('TMPDIR', temp.path);
    const controller = new AbortController();
    const reason = new Error('not wanted any more');
    const started = defragServer({ signal: controller.signal });
    controller.abort(reason);
    await expect(started).rejects.toBe(reason);
    expect(await readdir(temp.path)).toEqual([]);
  });

  test('leaves no folder', async () => {
    await using temp = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
    vi.stubEnv('TMPDIR', temp.path);
    await expect(defragServer({ args: ['--no-such-setting', 'yes'] })).rejects.toThrow(ServerStartError);
    expect(await readdir(temp.path)).toEqual([]);
  });
});
