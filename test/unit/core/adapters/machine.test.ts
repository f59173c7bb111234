import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { machineOf } from '../../../../core/adapters/machine.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A root with the files that Linux would have. */
function aRoot(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'offpeak-machine-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const SERVER = { 'proc/42/cmdline': 'redis-server 127.0.0.1:6379\0\0' };
const V1 = '9:name=systemd:/\n4:memory:/pods/redis\n0::/\n';

describe('what Linux says of a server on this machine', () => {
  test('overcommit, huge pages, swap, and the smallest limit of its control groups', async () => {
    const root = aRoot({
      ...SERVER,
      'proc/sys/vm/overcommit_memory': '0\n',
      'sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n',
      'proc/42/status': 'Name:\tredis-server\nVmSwap:\t    2048 kB\n',
      'proc/42/cgroup': '0::/kube/pod/redis\n',
      'sys/fs/cgroup/kube/pod/redis/memory.max': 'max\n',
      'sys/fs/cgroup/kube/pod/memory.max': '6442450944\n',
      'sys/fs/cgroup/kube/memory.max': '8589934592\n',
    });
    expect(await machineOf(42, 6379, root)).toEqual({
      overcommit: 0,
      hugePages: 'always',
      swapped: 2048 * 1024,
      memoryLimit: 6_442_450_944,
    });
  });

  test.each([
    ['a limit', '1073741824\n', 1_073_741_824],
    ['none, which version 1 prints as a number near 2^63', '9223372036854771712\n', undefined],
    ['a text', 'lots\n', undefined],
  ])('control groups of version 1: %s', async (_, text, memoryLimit) => {
    const root = aRoot({
      ...SERVER,
      'proc/42/cgroup': V1,
      'sys/fs/cgroup/memory/pods/redis/memory.limit_in_bytes': text,
    });
    expect(await machineOf(42, 6379, root)).toEqual(memoryLimit === undefined ? {} : { memoryLimit });
  });

  test.each([
    ['there is no such process', {}],
    ['it is another program', { 'proc/42/cmdline': 'nginx: worker process 6379\0' }],
    ['it is a server of another port', { 'proc/42/cmdline': 'redis-server 127.0.0.1:16379\0' }],
  ])('nothing where %s: a loopback address may be a tunnel', async (_, files) => {
    expect(await machineOf(42, 6379, aRoot(files))).toBeUndefined();
  });
});
