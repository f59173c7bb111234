import { atLeast, type EngineName, type Version } from './version.ts';

export interface Denial {
  readonly issue: string;
  readonly why: string;
  /** What lifts the denial where the node stands: there nothing else on the list holds either. */
  readonly fixedIn: string;
}

/** Where the node stands, for entries that hold only in cluster mode or only on replicas. */
export interface Standing {
  readonly cluster: boolean;
  readonly replica: boolean;
}

const NAMES = { redis: 'Redis', valkey: 'Valkey', keydb: 'KeyDB' } as const;

export interface DenialRule extends Omit<Denial, 'fixedIn'> {
  readonly engine: keyof typeof NAMES;
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
 * 7.2.0 to 7.2.5), since all of those are in it; redis#14706 (replicas of 8.2.2 and 8.4.0 that crash in a full resync), as long as nobody
 * there has traced it to defrag. What nobody has written down yet is the canary's business (`decide/turns.ts`).
 *
 * What comes before a release counts on from the last one: by the tags of the source, 7.2-rc1 reports 7.1.240, 7.4-rc1 7.3.240, 8.0-M01
 * 7.9.224. Where the release has a fault, they are taken to have it.
 */
export const DENIED: readonly DenialRule[] = [
  /**
   * In its source: a cursor that outlives the switch. Reproduced: 7.2.5 died on the third off/on cycle, 7.2.6 survived 25. It came with
   * #11465, which 7.2-rc1 has. Not all of 7.1 is in it: ElastiCache has a release of that name.
   */
  {
    engine: 'redis',
    from: [7, 1, 240],
    before: [7, 2, 6],
    issue: 'redis/redis#13307',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
  },
  /** The same; its pull request is the fix. */
  {
    engine: 'valkey',
    from: [7, 2, 5],
    before: [7, 2, 7],
    issue: 'valkey-io/valkey#883',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
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
  },
  /** Replicas only. The release notes of 8.2.1 have the fix (#14274); a backport to 8.0 is not known, so that all of 8.0 is in it. */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 2, 1],
    only: 'replica',
    issue: 'redis/redis#14267',
    why: 'active defrag crashes a replica when a full resync flushes it',
  },
  /** No crash, but a defrag that does not do what it is predicted to. By the release notes of 8.0.3. */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 3],
    issue: 'redis/redis#14081',
    why: 'cron timers run twice and expires are not defragmented (#14092)',
  },
  /** The issue has the assertion; the fix is #2353. That 8.1.4 is the first with it is presumed from its date. */
  {
    engine: 'valkey',
    from: [8, 1, 0],
    before: [8, 1, 4],
    issue: 'valkey-io/valkey#2348',
    why: 'an allocation of 4 GiB or more makes active defrag assert',
  },
  /** Reports of crashes on two versions; no fix was traced, so that no version is out of it. */
  {
    engine: 'keydb',
    from: [0, 0, 0],
    issue: 'Snapchat/KeyDB#131',
    why: 'active defrag crashes the server (5.1.1 when switched on, 6.0.16 in a run: #257)',
  },
  /**
   * By the release notes of 7.4.6. What #14319 and #14330 mend came with #13108 and #13058, which 7.4-rc1 has. The crash on memory of
   * modules (#13627) is of 7.4 alone and in the same range: by the release notes of 7.4.2 it ends there.
   */
  {
    engine: 'redis',
    from: [7, 3, 0],
    before: [7, 4, 6],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
  },
  /** By the release notes of 8.0.4. Those of 8.2.2 name #14323 (streams) as well, and none of 8.0 do: it is not known to be in 8.0. */
  {
    engine: 'redis',
    from: [7, 9, 0],
    before: [8, 0, 4],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
  },
  /** By the release notes of 8.2.2. */
  {
    engine: 'redis',
    from: [8, 1, 0],
    before: [8, 2, 2],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, on pub/sub (#14330), and on streams and hash fields that expire (#14323)',
  },
];

/** What speaks against toggling active defrag on a server of this version, where it stands. */
export function denial(engine: EngineName, version: Version, standing: Standing): Denial | undefined {
  const rule = ruleOn(engine, version, standing);
  return rule && { issue: rule.issue, why: rule.why, fixedIn: liftedBy(rule, standing) };
}

function ruleOn(engine: EngineName, version: Version, standing: Standing): DenialRule | undefined {
  return DENIED.find(
    (entry) =>
      entry.engine === engine &&
      atLeast(version, entry.from) &&
      (entry.before === undefined || !atLeast(version, entry.before)) &&
      (entry.only === undefined || standing[entry.only]),
  );
}

/** A fix may lead to a version with another fault: 8.0.3 has that of the timers, and not yet that of scripts. */
function liftedBy({ engine, before }: DenialRule, standing: Standing): string {
  if (before === undefined) return `no ${NAMES[engine]} release that is known of`;
  const next = ruleOn(engine, before, standing);
  return next ? liftedBy(next, standing) : `${NAMES[engine]} ${before.join('.')}`;
}
