import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../config/units.ts';
import type { Machine } from '../domain/audit.ts';
import { present } from '../domain/present.ts';

/**
 * What Linux says of a server that runs on this machine, by its `process_id`. Absent where that process is not here: another machine, a
 * container with a process table of its own, or another system. `port` proves that it is the server, and not another process of that number.
 *
 * @param root where /proc and /sys are; default: `/`
 */
export async function machineOf(pid: number, port: number, root = '/'): Promise<Machine | undefined> {
  const read = async (...path: readonly string[]) => await readFile(join(root, ...path), 'utf8').catch(() => '');
  const process = await read('proc', String(pid), 'cmdline');
  if (!isServer(process, port)) return undefined;
  const [overcommit, hugePages, status, groups] = await Promise.all([
    read('proc/sys/vm/overcommit_memory'),
    read('sys/kernel/mm/transparent_hugepage/enabled'),
    read('proc', String(pid), 'status'),
    read('proc', String(pid), 'cgroup'),
  ]);
  const swapped = figure(/^VmSwap:\s+(\d+) kB$/m.exec(status)?.[1]);
  return present({
    overcommit: figure(overcommit.trim()),
    hugePages: hugePagesIn(hugePages),
    swapped: swapped === undefined ? undefined : swapped * 1024,
    memoryLimit: await groupLimit(groups, read),
  });
}

/** Redis sets its title to `redis-server 127.0.0.1:6379`; without a title, the arguments stand there. */
function isServer(cmdline: string, port: number): boolean {
  return /redis|valkey|keydb/i.test(cmdline) && new RegExp(`(^|\\D)${port}(\\D|$)`).test(cmdline);
}

function figure(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function hugePagesIn(text: string): Machine['hugePages'] {
  const chosen = /\[(always|madvise|never)\]/.exec(text)?.[1];
  return chosen as Machine['hugePages'];
}

/** cgroup v1 prints a number near 2^63 where there is no limit. */
const NO_LIMIT = 2 ** 60;

/**
 * The least of the group's own limit and of those above it, as the kernel applies all of them. Version 2: `0::/path`; version 1:
 * `4:memory:/path`.
 */
async function groupLimit(
  groups: string,
  read: (...path: readonly string[]) => Promise<string>,
): Promise<Bytes | undefined> {
  const v2 = /^0::(\/.*)$/m.exec(groups)?.[1];
  const v1 = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1];
  const files = [
    ...parentsOf(v2).map((path) => ['sys/fs/cgroup', path, 'memory.max']),
    ...parentsOf(v1).map((path) => ['sys/fs/cgroup/memory', path, 'memory.limit_in_bytes']),
  ];
  const texts = await Promise.all(files.map((file) => read(...file)));
  const limits = texts.flatMap((text) => figure(text.trim()) ?? []).filter((limit) => limit > 0 && limit < NO_LIMIT);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Most groups to look at: a path that the kernel prints has a few. */
const MOST_PARENTS = 16;

function parentsOf(path: string | undefined): readonly string[] {
  if (path === undefined || path.includes('..')) return [];
  const parts = path.split('/').filter(Boolean).slice(0, MOST_PARENTS);
  return [...parts.map((_, index) => parts.slice(0, index + 1).join('/')), ''];
}
