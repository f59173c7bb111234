import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { leash } from '../../../cli/lab/leash.ts';
import { BenchError } from '../../support/main.ts';
import type { Noise } from './hold.ts';

/**
 * Makes the group, puts the process into it, and undoes both at SIGTERM: one shell for all steps, so that a kill of the bench cannot fall
 * between two of them. If a write is refused, or the bench no longer reads, the group is removed at once.
 */
const SCRIPT = `
group=$1 home=$2 pid=$3; shift 3
lift() {
  for one in $(cat "$group/cgroup.procs" 2>/dev/null); do echo "$one" >"$home/cgroup.procs"; done
  tries=15
  while [ -d "$group" ] && [ "$tries" -gt 0 ] && ! rmdir "$group"; do sleep 0.1; tries=$((tries - 1)); done
}
trap 'lift; exit 0' TERM PIPE
mkdir "$group" || exit 1
while [ $# -gt 0 ]; do
  echo "$2" >"$group/$1" || { lift; exit 1; }
  shift 2
done
echo "$pid" >"$group/cgroup.procs" || { lift; exit 1; }
echo on || { lift; exit 1; }
sleep infinity &
wait
`;

/** 40 ms of processor time in each 100 ms, as a small container has. @throws BenchError where the machine does not allow it */
export async function startQuota(pid: number): Promise<Noise> {
  const site = await siteOf(pid);
  const group = join(site.parent, `offpeak-bench-${randomUUID()}`);
  const held = leash(['sh', '-c', SCRIPT, 'offpeak-quota', group, site.home, `${pid}`, ...site.settings.flat()]);
  const said = text(held.shell.stderr as Readable);
  const isOn = new Promise<true>((resolve) => held.shell.stdout?.once('data', () => resolve(true)));
  const ended = held.ended.then(() => false);
  if (!(await Promise.race([isOn, ended]))) {
    const [why] = (await said).trim().split('\n');
    throw new BenchError(`no quota can be set here: ${why || 'no reason was given'}`);
  }
  return { [Symbol.asyncDispose]: () => held.release() };
}

async function siteOf(pid: number) {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  const site = quotaSite(await read('/proc/self/mounts'), await read(`/proc/${pid}/cgroup`));
  if (!site) throw new BenchError('no quota can be set here: no cgroups are mounted');
  return site;
}

/** Where and how a process can get a CPU quota: settings are files of the new group. */
interface QuotaSite {
  /** The folder in which a group is made. */
  readonly parent: string;
  /** The group in which the process is now, to which it returns. */
  readonly home: string;
  readonly settings: readonly (readonly [file: string, value: string])[];
}

const PERIOD_US = 100_000;
const QUOTA_US = 40_000;
/** The greatest weights that a group can have, in version 1 and 2: the server gets its quota ahead of the machine's other work, as the prober does. */
const SHARES = '262144';
const WEIGHT = '10000';

/**
 * By the texts of /proc/self/mounts and /proc/<pid>/cgroup. Version 1's `cpu` controller comes first: where it is mounted, version 2
 * has none. In version 2 a group with processes cannot pass a controller on, the root excepted, so the new one stands beside it there.
 */
export function quotaSite(mounts: string, cgroups: string): QuotaSite | undefined {
  const mounted = mounts.split('\n').map((line) => line.split(' '));
  const joined = cgroups.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const pathIn = (name: string) => joined.find((match) => match?.[1]?.split(',').includes(name))?.[2];
  const [one] = mounted.filter(([, , type, options]) => type === 'cgroup' && options?.split(',').includes('cpu'));
  if (one) {
    const home = folder(one[1], pathIn('cpu'));
    const quota = { 'cpu.cfs_period_us': `${PERIOD_US}`, 'cpu.cfs_quota_us': `${QUOTA_US}` };
    return { parent: home, home, settings: Object.entries({ ...quota, 'cpu.shares': SHARES }) };
  }
  const two = mounted.find(([, , type]) => type === 'cgroup2');
  if (!two) return undefined;
  return {
    parent: folder(two[1], '/'),
    home: folder(two[1], pathIn('')),
    settings: Object.entries({ 'cpu.max': `${QUOTA_US} ${PERIOD_US}`, 'cpu.weight': WEIGHT }),
  };
}

function folder(mount = '', path = '/'): string {
  return path === '/' ? mount : `${mount}${path}`;
}
