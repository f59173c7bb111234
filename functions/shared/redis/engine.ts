import { type InfoFields, textField } from './info.ts';

/**
 * Which server this is, and what its version is known for. Redis' relatives answer INFO with a `redis_version` of their own
 * choosing, so the more particular field is asked first.
 */
export type EngineName = 'redis' | 'valkey' | 'keydb' | 'dragonfly' | 'garnet' | 'unknown';

export interface Engine {
  readonly name: EngineName;
  /** As printed, e.g. `7.0.15`; empty where the server does not say. */
  readonly version: string;
  /**
   * Defragments in ~500 µs slices on a timer of its own, so that `hz` no longer makes the stall:
   * Redis ≥ 8.0 (redis#13814), Valkey ≥ 8.1 (valkey#1242).
   */
  readonly slicedDefrag: boolean;
  /** `CONFIG SET` takes several parameters at once, all or nothing: Redis ≥ 7.0, every Valkey. */
  readonly atomicConfigSet: boolean;
  /** Why switching active defrag on and off is known to kill or corrupt this version; absent where nothing is known. */
  readonly denied?: Denial;
}

export interface Denial {
  readonly issue: string;
  readonly why: string;
  readonly fixedIn: string;
}

/** Where the node stands, for entries that hold only in cluster mode or only on replicas. */
export interface Standing {
  readonly cluster: boolean;
  readonly replica: boolean;
}

export function identifyEngine(fields: InfoFields): Engine {
  const [claimed, version] = nameAndVersion(fields);
  const at = parseVersion(version);
  // A version that cannot be read cannot be looked up among the denied ones.
  const name = at === undefined && isVersioned(claimed) ? 'unknown' : claimed;
  const standing = {
    // `server_mode` since Valkey 8.0; INFO cluster, which older servers have as well, is not part of a look.
    cluster: ['redis_mode', 'server_mode'].some((field) => textField(fields, field) === 'cluster'),
    replica: textField(fields, 'role') === 'slave',
  };
  const denied = at && denial(name, at, standing);
  return {
    name,
    version,
    slicedDefrag:
      at !== undefined &&
      ((name === 'redis' && atLeast(at, [8, 0, 0])) || (name === 'valkey' && atLeast(at, [8, 1, 0]))),
    atomicConfigSet: name === 'valkey' || (name === 'redis' && at !== undefined && atLeast(at, [7, 0, 0])),
    ...(denied && { denied }),
  };
}

function nameAndVersion(fields: InfoFields): readonly [EngineName, string] {
  const dragonfly = textField(fields, 'dragonfly_version');
  if (dragonfly) return ['dragonfly', dragonfly];
  const garnet = textField(fields, 'garnet_version');
  if (garnet) return ['garnet', garnet];
  const valkey = textField(fields, 'valkey_version');
  if (valkey) return ['valkey', valkey];
  const redis = textField(fields, 'redis_version');
  if (!redis) return ['unknown', ''];
  // KeyDB keeps `redis_version` for its own version; its name shows only in what it runs as and in a field of INFO cpu.
  if (/keydb/i.test(textField(fields, 'executable') ?? '') || fields.has('long_lock_waits')) return ['keydb', redis];
  return [textField(fields, 'server_name') === 'valkey' ? 'valkey' : 'redis', redis];
}

/** Engines that the rules below tell apart by version. */
function isVersioned(name: EngineName): boolean {
  return name === 'redis' || name === 'valkey' || name === 'keydb';
}

type Version = readonly [number, number, number];

function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function atLeast(version: Version, floor: Version): boolean {
  return compare(version, floor) >= 0;
}

interface DenialRule extends Denial {
  readonly engine: EngineName;
  /** The first version with the fault, and the first without it, where there is one. */
  readonly from: Version;
  readonly before?: Version;
  readonly only?: 'cluster' | 'replica';
}

/**
 * Versions on which toggling active defrag is known to crash the server. They are still watched and purged.
 * Reproduced here: 7.2.5 died on the third off/on cycle, 7.2.6 survived 25.
 *
 * Not in it: runs without an end on Redis 4 and 5 (redis#5603), since `maxDuration` ends them; an AOF with an RDB preamble that does not
 * load while defrag is on (redis#15539, before 8.10), since it is off outside of a window; redis#13205 and #12677 (cluster nodes of
 * 7.2.0 to 7.2.5), since all of those are in it. Reports on Valkey 7.2.11 replicas (valkey#1872) name no cause: the canary is for those.
 */
const DENIED: readonly DenialRule[] = [
  {
    engine: 'redis',
    from: [7, 2, 0],
    before: [7, 2, 6],
    issue: 'redis/redis#13307',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
    fixedIn: 'Redis 7.2.6',
  },
  {
    engine: 'valkey',
    from: [7, 2, 5],
    before: [7, 2, 7],
    issue: 'valkey-io/valkey#883',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
    fixedIn: 'Valkey 7.2.7',
  },
  {
    engine: 'valkey',
    from: [7, 2, 0],
    before: [7, 2, 9],
    only: 'cluster',
    issue: 'valkey-io/valkey#1872',
    why: 'active defrag after FLUSHDB ASYNC crashes a cluster node',
    fixedIn: 'Valkey 7.2.9',
  },
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 2, 1],
    only: 'replica',
    issue: 'redis/redis#14267',
    why: 'active defrag crashes a replica when a full resync flushes it',
    fixedIn: 'Redis 8.2.1',
  },
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 3],
    issue: 'redis/redis#14081',
    why: 'cron timers run twice and expires are not defragmented (#14092)',
    fixedIn: 'Redis 8.0.3',
  },
  {
    engine: 'valkey',
    from: [8, 1, 0],
    before: [8, 1, 4],
    issue: 'valkey-io/valkey#2348',
    why: 'an allocation of 4 GiB or more makes active defrag assert',
    fixedIn: 'Valkey 8.1.4',
  },
  {
    engine: 'keydb',
    from: [0, 0, 0],
    issue: 'Snapchat/KeyDB#131',
    why: 'active defrag crashes the server (5.1.1 when switched on, 6.0.16 in a run: #257)',
    fixedIn: 'no KeyDB release that is known of',
  },
  // 7.4.6 and 8.2.2 say so in their release notes; that 8.0.4 has the same fixes is presumed from its date.
  {
    engine: 'redis',
    from: [7, 4, 0],
    before: [7, 4, 6],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts and on streams (#14330)',
    fixedIn: 'Redis 7.4.6',
  },
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 4],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts and on streams (#14330), and on pub/sub (#14323)',
    fixedIn: 'Redis 8.0.4',
  },
  {
    engine: 'redis',
    from: [8, 2, 0],
    before: [8, 2, 2],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts and on streams (#14330), and on pub/sub (#14323)',
    fixedIn: 'Redis 8.2.2',
  },
];

function denial(engine: EngineName, version: Version, standing: Standing): Denial | undefined {
  const rule = DENIED.find(
    (entry) =>
      entry.engine === engine &&
      atLeast(version, entry.from) &&
      (entry.before === undefined || !atLeast(version, entry.before)) &&
      (entry.only === undefined || standing[entry.only]),
  );
  return rule && { issue: rule.issue, why: rule.why, fixedIn: rule.fixedIn };
}
