/** Where and how a process can get a CPU quota: settings are files of the new group. */
export interface QuotaSite {
  /** The folder in which a group is made. */
  readonly parent: string;
  /** The group in which the process is now, to which it returns. */
  readonly home: string;
  readonly settings: readonly (readonly [file: string, value: string])[];
}

const PERIOD_US = 100_000;
const QUOTA_US = 40_000;

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
    const settings = [['cpu.cfs_period_us', `${PERIOD_US}`] as const, ['cpu.cfs_quota_us', `${QUOTA_US}`] as const];
    return { parent: home, home, settings };
  }
  const two = mounted.find(([, , type]) => type === 'cgroup2');
  if (!two) return undefined;
  return {
    parent: folder(two[1], '/'),
    home: folder(two[1], pathIn('')),
    settings: [['cpu.max', `${QUOTA_US} ${PERIOD_US}`]],
  };
}

function folder(mount = '', path = '/'): string {
  return path === '/' ? mount : `${mount}${path}`;
}
