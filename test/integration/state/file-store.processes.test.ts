import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateUnavailable } from '../../../core/ports/state-store.ts';
import { createFileStore } from '../../../core/state/file/file-store.ts';
import { CONTENDER, kill9, nextMessage, startContender } from '../../support/state-contenders.ts';
import { raceForOneLease } from '../../support/state-store-races.ts';

describe('a state file between real processes', () => {
  let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));
    path = join(folder.path, 'state.db');
  });
  afterEach(() => folder.remove());

  test('two that race for one lease 50 times: one gets it every time, under a version never seen before', async () => {
    await using one = startContender(path, 'lease');
    await using two = startContender(path, 'lease');
    await raceForOneLease([one.child, two.child], createFileStore(path), 50);
  });

  test('two that count together lose nothing, and a reader meanwhile never sees half a change', async () => {
    await using one = startContender(path, 'count', 60);
    await using two = startContender(path, 'count', 60);
    let running = true;
    const ended = Promise.all([one.child, two.child].map((child) => once(child.stdout ?? child, 'close'))).then(() => {
      running = false;
    });
    const store = createFileStore(path);
    const seen: number[] = [];
    while (running) {
      seen.push(Number((await store.read('count'))?.value ?? 0));
      await new Promise(setImmediate);
    }
    await ended;
    expect((await store.read('count'))?.value).toBe(120);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('kill -9 in the middle of writes leaves a whole file with every write that was answered, and no lock', async () => {
    const store = createFileStore(path, { lockWait: 500 });
    for (let round = 0; round < 20; round++) {
      await using contender = startContender(path, 'count', 1_000_000);
      const answered: number[] = [];
      const lines = createInterface({ input: contender.child.stdout ?? process.stdin });
      lines.on('line', (line) => answered.push(Number(line)));
      const closed = once(lines, 'close');
      await once(lines, 'line');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
      await kill9(contender.child);
      await closed;
      const stored = await store.read('count');
      // The kill may fall between a write and its answer.
      expect(Number(stored?.value) - Number(answered.at(-1)), `round ${round}`).toBeOneOf([0, 1]);
      expect(await store.write('count', stored?.value, stored?.version)).toMatchObject({ stored: true });
    }
  });

  test.each(['working', 'stopped'])('a lock that a %s process keeps stops writers, not readers', async (state) => {
    const store = createFileStore(path, { lockWait: 100 });
    await store.write('k', 1, undefined);
    await using holder = startContender(path, 'hold');
    expect(await nextMessage(holder.child)).toBe('held');
    if (state === 'stopped') holder.child.kill('SIGSTOP');
    const before = await readFile(path);
    for (const attempt of [() => store.write('k', 2, 1), () => store.remove('k', 1)]) {
      const error: unknown = await attempt().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StateUnavailable);
      expect(String(error)).toContain(`${path} is locked by another process that is alive. Wait until`);
    }
    expect((await store.read('k'))?.value).toBe(1);
    expect(await readFile(path)).toEqual(before);
    await kill9(holder.child);
    expect(await store.write('k', 2, 1)).toEqual({ stored: true, version: 2 });
  });

  test('a user who may only read it can do just that, also in a folder of somebody else', async () => {
    await createFileStore(path).write('count', 1, undefined);
    await chmod(path, 0o444);
    await chmod(folder.path, 0o755);
    const before = await readFile(path);
    const { stdout } = await promisify(execFile)(process.execPath, [CONTENDER, path, 'unprivileged']);
    expect(stdout).toMatch(
      /^read 1\nStateUnavailable: The state file .*state\.db cannot be used .*Give this user read and write access/,
    );
    expect(await readFile(path)).toEqual(before);
  });

  test.skipIf(process.platform === 'win32')(
    'a disk that takes half of a write leaves the stored state whole',
    async () => {
      const store = createFileStore(path);
      await store.write('count', 1, undefined);
      const before = await readFile(path);
      const limited = 'ulimit -f 64 && exec "$@"';
      const command = ['sh', process.execPath, CONTENDER, path, 'fill', '100000'];
      const { stdout } = await promisify(execFile)('sh', ['-c', limited, ...command]);
      expect(stdout).toMatch(/^StateUnavailable: .*state\.db cannot be used \(.*The stored state is as it was\.\n$/);
      expect(await readFile(path)).toEqual(before);
      expect(await store.write('count', 2, 1)).toEqual({ stored: true, version: 2 });
    },
  );
});
