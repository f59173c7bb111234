import { atLeast, type EngineName, type Version } from './version.ts';

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

interface DenialRule extends Denial {
  readonly engine: EngineName;
  /** The first version with the fault, and the first without it, where there is one. */
  readonly from: Version;
  readonly before?: Version;
  readonly only?: 'cluster' | 'replica';
}

/**
 * Versions on which toggling active defrag is known to crash the server. They are still watched and purged, and told what lifts it.
 *
 * Not in it: runs without an end on Redis 4 and 5 (redis#5603), since `maxDuration` ends them; an AOF with an RDB preamble that does not
 * load while defrag is on (redis#15539, before 8.10), since it is off outside of a window; redis#13205 and #12677 (cluster nodes of
 * 7.2.0 to 7.2.5), since all of those are in it. What nobody has written down yet is the canary's business (`decide/turns.ts`).
 */
const DENIED: readonly DenialRule[] = [
  /** In its source: a cursor that outlives the switch. Reproduced: 7.2.5 died on the third off/on cycle, 7.2.6 survived 25. */
  {
    engine: 'redis',
    from: [7, 2, 0],
    before: [7, 2, 6],
    issue: 'redis/redis#13307',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
    fixedIn: 'Redis 7.2.6',
  },
  /** The same; its pull request is the fix. */
  {
    engine: 'valkey',
    from: [7, 2, 5],
    before: [7, 2, 7],
    issue: 'valkey-io/valkey#883',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
    fixedIn: 'Valkey 7.2.7',
  },
  /**
   * Cluster nodes only: the issue has a recipe, and none of it without cluster mode. A comment of December 2025 there tells of three
   * replicas of 7.2.11 that crashed, without a cause.
   */
  {
    engine: 'valkey',
    from: [7, 2, 0],
    before: [7, 2, 9],
    only: 'cluster',
    issue: 'valkey-io/valkey#1872',
    why: 'active defrag after FLUSHDB ASYNC crashes a cluster node',
    fixedIn: 'Valkey 7.2.9',
  },
  /** Replicas only. The release notes of 8.2.1 have the fix (#14274); a backport to 8.0 is not known, so that all of 8.0 is in it. */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 2, 1],
    only: 'replica',
    issue: 'redis/redis#14267',
    why: 'active defrag crashes a replica when a full resync flushes it',
    fixedIn: 'Redis 8.2.1',
  },
  /** No crash, but a defrag that does not do what it is predicted to. By the release notes of 8.0.3. */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 3],
    issue: 'redis/redis#14081',
    why: 'cron timers run twice and expires are not defragmented (#14092)',
    fixedIn: 'Redis 8.0.3',
  },
  /** The issue has the assertion; the fix is #2353. That 8.1.4 is the first with it is presumed from its date. */
  {
    engine: 'valkey',
    from: [8, 1, 0],
    before: [8, 1, 4],
    issue: 'valkey-io/valkey#2348',
    why: 'an allocation of 4 GiB or more makes active defrag assert',
    fixedIn: 'Valkey 8.1.4',
  },
  /** Reports of crashes on two versions; no fix was traced, so that no version is out of it. */
  {
    engine: 'keydb',
    from: [0, 0, 0],
    issue: 'Snapchat/KeyDB#131',
    why: 'active defrag crashes the server (5.1.1 when switched on, 6.0.16 in a run: #257)',
    fixedIn: 'no KeyDB release that is known of',
  },
  /** By the release notes of 7.4.6. */
  {
    engine: 'redis',
    from: [7, 4, 0],
    before: [7, 4, 6],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
    fixedIn: 'Redis 7.4.6',
  },
  /** By the release notes of 8.0.4. Those of 8.2.2 name #14323 (streams) as well, and none of 8.0 do: it is not known to be in 8.0. */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 4],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
    fixedIn: 'Redis 8.0.4',
  },
  /** By the release notes of 8.2.2. */
  {
    engine: 'redis',
    from: [8, 2, 0],
    before: [8, 2, 2],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, on pub/sub (#14330), and on streams and hash fields that expire (#14323)',
    fixedIn: 'Redis 8.2.2',
  },
];

/** What speaks against toggling active defrag on a server of this version, where it stands. */
export function denial(engine: EngineName, version: Version, standing: Standing): Denial | undefined {
  const rule = DENIED.find(
    (entry) =>
      entry.engine === engine &&
      atLeast(version, entry.from) &&
      (entry.before === undefined || !atLeast(version, entry.before)) &&
      (entry.only === undefined || standing[entry.only]),
  );
  return rule && { issue: rule.issue, why: rule.why, fixedIn: rule.fixedIn };
}
