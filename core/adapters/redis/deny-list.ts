import type { Denial, EngineName } from '../../domain/engine.ts';
import type { Version } from './version.ts';

/** The role of the node and what it holds, for entries that do not concern every server of a version. */
export interface Standing {
  readonly cluster: boolean;
  readonly replica: boolean;
  /** Scripts of EVAL are in its cache. Absent: it does not say. */
  readonly scripts?: boolean;
}

export interface DenialRule extends Omit<Denial, 'fixedIn' | 'unfixed'> {
  readonly engine: Extract<EngineName, 'redis' | 'valkey' | 'keydb'>;
  /** The first version with the fault, and the first without it, where there is one. */
  readonly from: Version;
  readonly before?: Version;
  /** All of these have to hold. */
  readonly only?: readonly (keyof Standing)[];
}

export const BETWEEN_RELEASES: Version = [255, 0, 0];
const UNDATED = 'version 255.255.255';
const WHICH_FAULTS = 'it was built between two releases, and does not say which known faults it has';

/**
 * Versions on which toggling active defrag is known to crash the server. They are still observed and purged, and the plan says what lifts the denial.
 *
 * Not in it: runs without an end on Redis 4 and 5 (redis#5603), since `maxDuration` ends them; an AOF with an RDB preamble that does not
 * load while defrag is on (redis#15539, before 8.10), since it is off outside of a window; redis#13205 and #12677 (cluster nodes of
 * 7.2.0 to 7.2.5), since all of those are in it; redis#14706 (replicas of 8.2.2 and 8.4.0 that crash in a full resync): its trace is
 * FreeBSD's libc, and a build with libc does not defragment. Not yet in it: streams with XNACK of Redis 8.8 and later (a doubt in the
 * review of redis#14797, no report). The canary (`guards/canary.ts`) covers unknown faults.
 *
 * A pre-release counts on from the last release: by the tags of the source, 7.2-rc1 reports 7.1.240, 7.4-rc1 7.3.240, 8.0-M01
 * 7.9.224, and Valkey 8.0.0-rc1 7.9.240. Where the release has a fault, its pre-releases are assumed to have it.
 */
export const DENIED: readonly DenialRule[] = [
  /** By the release notes of 6.2-rc3, which reports 6.1.242. */
  {
    engine: 'redis',
    from: [6, 1, 240],
    before: [6, 2, 0],
    issue: 'redis/redis#8284',
    why: 'active defrag asserts while the server loads its data',
  },
  /** By the release notes of 7.0-rc2, which reports 6.9.241. */
  {
    engine: 'redis',
    from: [6, 9, 240],
    before: [7, 0, 0],
    issue: 'redis/redis#10271',
    why: 'active defrag crashes the server where it has scripts of EVAL',
  },
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
  /** The same; its pull request is the fix. Valkey began with 7.2.4-rc1, which is Redis 7.2.4. */
  {
    engine: 'valkey',
    from: [7, 2, 4],
    before: [7, 2, 7],
    issue: 'valkey-io/valkey#883',
    why: 'activedefrag switched off in mid-run and on again crashes the server in defragLaterStep',
  },
  /** Cluster nodes only: the issue has a recipe, and none of it without cluster mode. */
  {
    engine: 'valkey',
    from: [7, 2, 0],
    before: [7, 2, 9],
    only: ['cluster'],
    issue: 'valkey-io/valkey#1872',
    why: 'active defrag after FLUSHDB ASYNC crashes a cluster node',
  },
  /**
   * A comment of December 2025 there: three replicas of 7.2.11 crashed right after the switch. Its cause is not known, so every
   * 7.2 counts as affected.
   */
  {
    engine: 'valkey',
    from: [7, 2, 0],
    before: [8, 0, 0],
    only: ['cluster', 'replica'],
    issue: 'valkey-io/valkey#1872',
    why: 'replicas of a 7.2.11 cluster crashed when active defrag was switched on, and the cause is not known',
  },
  /**
   * By the release notes of 8.0.2. Reproduced: 8.0.1 asserts after some 18,000 different scripts of EVAL. 8.0.0-rc1 has the list, too.
   */
  {
    engine: 'valkey',
    from: [7, 9, 0],
    before: [8, 0, 2],
    issue: 'valkey-io/valkey#1310',
    why: 'active defrag crashes the server when scripts leave the script cache',
  },
  /**
   * 8.0 defragments scripts while a long one runs (`whileBlockedCron` calls the defragger), and the running one is read after it was
   * freed. 8.1 skips them then; a backport to 8.0 was not found. It takes a script of EVAL that runs beyond `busy-reply-threshold`,
   * so a node whose cache holds none keeps its defrag, and one that has any is purged only. Every Valkey reports how many it has.
   */
  {
    engine: 'valkey',
    from: [8, 0, 0],
    before: [8, 1, 0],
    only: ['scripts'],
    issue: 'valkey-io/valkey#1414',
    why: 'active defrag during a long EVAL frees the script that runs',
  },
  /**
   * Replicas only. The release notes of 8.2.1 have a fix (#14274). #14319, which 8.0.4 has, takes it back and forbids defrag in a
   * blocked server altogether, but for one that loads its AOF.
   */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 4],
    only: ['replica'],
    issue: 'redis/redis#14267',
    why: 'active defrag crashes a replica when a full resync flushes it',
  },
  {
    engine: 'redis',
    from: [8, 1, 0],
    before: [8, 2, 1],
    only: ['replica'],
    issue: 'redis/redis#14267',
    why: 'active defrag crashes a replica when a full resync flushes it',
  },
  /** Not a crash, but a defrag that does less than predicted. By the release notes of 8.0.2 (#14081) and 8.0.3 (#14092). */
  {
    engine: 'redis',
    from: [8, 0, 0],
    before: [8, 0, 3],
    issue: 'redis/redis#14092',
    why: 'expires are not defragmented, and before 8.0.2 cron timers run twice (#14081)',
  },
  /** The issue has the assertion, and the release notes of 8.1.4 both fixes (#2353, #2656). 8.0 has no code of that kind. */
  {
    engine: 'valkey',
    from: [8, 0, 240],
    before: [8, 1, 4],
    issue: 'valkey-io/valkey#2348',
    why: 'an allocation of 4 GiB or more makes active defrag assert, and sparse slabs keep it running (#2656)',
  },
  /** Reports of crashes on two versions; no fix was found, so every version counts as affected. */
  {
    engine: 'keydb',
    from: [0, 0, 0],
    issue: 'Snapchat/KeyDB#131',
    why: 'active defrag crashes the server (5.1.1 when switched on, 6.0.16 in a run: #257)',
  },
  /**
   * By the release notes of 7.4.6. What #14319 and #14330 fix came with #13108 and #13058, which 7.4-rc1 has. The crash on memory of
   * modules (#13627) is of 7.4 alone and in the same range: by the release notes of 7.4.2 it ends there.
   */
  {
    engine: 'redis',
    from: [7, 3, 0],
    before: [7, 4, 6],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
  },
  /** By the release notes of 8.0.4. Those of 8.2.2 name #14323 (streams) as well: its causes, #14130 and #13842, came with 8.2. */
  {
    engine: 'redis',
    from: [7, 9, 0],
    before: [8, 0, 4],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, and on pub/sub (#14330)',
  },
  // What is built between two releases reports 255.255.255, and may have any fault of this list. KeyDB is denied as a whole.
  { engine: 'redis', from: BETWEEN_RELEASES, issue: UNDATED, why: WHICH_FAULTS },
  { engine: 'valkey', from: BETWEEN_RELEASES, issue: UNDATED, why: WHICH_FAULTS },
  /** By the release notes of 8.2.2. */
  {
    engine: 'redis',
    from: [8, 1, 0],
    before: [8, 2, 2],
    issue: 'redis/redis#14319',
    why: 'active defrag crashes on scripts, on pub/sub (#14330), and on streams and hash fields that expire (#14323)',
  },
];
