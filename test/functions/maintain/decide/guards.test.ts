import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Blocker,
  type CommandCount,
  commandCount,
  commandsPerSecond,
  serverBlockers,
  startBlockers,
} from '../../../../functions/maintain/decide/guards.ts';
import type { Activity, Observation } from '../../../../functions/maintain/decide/observation.ts';
import { MIB } from '../../../../functions/shared/config/units.ts';
import { anEngine, anInstance, anObservation, NOW } from '../../../support/builders.ts';

type Case = readonly [what: string, seen: Partial<Observation>, blockers: readonly Blocker[]];

const POLICY = anInstance({ maxOpsPerSecond: 1000 });
const primary = { role: 'primary', replicasSyncing: 0 } as const;
const replica = { role: 'replica', replicasSyncing: 0 } as const;

/** Two looks one second apart on one connection, which sent ten commands in between. */
function twoLooks(commands: number, over: Partial<Activity> = {}): [Observation, CommandCount] {
  const earlier = { at: NOW - 1000, total: 42_003, own: 3 };
  const activity = { totalCommandsProcessed: 42_003 + commands, ownCommands: 13, ...over };
  return [anObservation({ activity }), earlier];
}

describe('the server itself', () => {
  test('a calm one is no reason against anything', () => {
    expect(serverBlockers(anObservation(), POLICY)).toEqual([]);
    expect(startBlockers(anObservation())).toEqual([]);
  });

  test.each<Case>([
    [
      'an engine that is not known',
      { engine: anEngine({ name: 'unknown', version: '' }) },
      [{ kind: 'unknown-engine', engine: 'unknown', version: '' }],
    ],
    ['KeyDB is known', { engine: anEngine({ name: 'keydb', version: '6.3.4' }) }, []],
    ['loading', { persistence: { loading: true } }, [{ kind: 'loading' }]],
    ['loading beside serving', { persistence: { asyncLoading: true } }, [{ kind: 'loading' }]],
    ['BGSAVE', { persistence: { rdbBgsaveInProgress: true } }, [{ kind: 'forking', child: 'bgsave' }]],
    ['AOF rewrite', { persistence: { aofRewriteInProgress: true } }, [{ kind: 'forking', child: 'aof-rewrite' }]],
    [
      'AOF rewrite to come',
      { persistence: { aofRewriteScheduled: true } },
      [{ kind: 'forking', child: 'aof-rewrite' }],
    ],
    ['a module that forked', { persistence: { moduleForkInProgress: true } }, [{ kind: 'forking', child: 'module' }]],
    ['persistence not reported', { persistence: {} }, []],
    [
      'a replica that has lost its primary',
      { replication: { ...replica, primaryLinkUp: false } },
      [{ kind: 'replica-syncing', linkUp: false }],
    ],
    [
      'a replica in its full sync',
      { replication: { ...replica, primaryLinkUp: true, primarySyncInProgress: true } },
      [{ kind: 'replica-syncing', linkUp: true }],
    ],
    [
      'an active replica (KeyDB) in its full sync',
      { replication: { role: 'unknown', replicasSyncing: 0, primarySyncInProgress: true } },
      [{ kind: 'replica-syncing', linkUp: false }],
    ],
    ['a replica in step', { replication: { ...replica, primaryLinkUp: true, primarySyncInProgress: false } }, []],
    [
      'a primary that feeds full syncs',
      { replication: { ...primary, replicasSyncing: 2 } },
      [{ kind: 'feeding-full-sync', replicas: 2 }],
    ],
    ['failover', { replication: { ...primary, failoverInProgress: true } }, [{ kind: 'failover' }]],
    ['no failover', { replication: { ...primary, failoverInProgress: false } }, []],
    [
      'eviction that does not keep up',
      { activity: { currentEvictionExceededTime: 250, evictedKeys: 7, ownCommands: 3 } },
      [{ kind: 'eviction-pressure', exceededFor: 250, overLimit: 0 }],
    ],
  ])('%s', (_what, seen, blockers) => {
    expect(serverBlockers(anObservation(seen), POLICY)).toEqual(blockers);
  });

  test('every danger is named, the gravest first', () => {
    const seen = anObservation({
      engine: anEngine({ name: 'unknown', version: '' }),
      persistence: { loading: true, rdbBgsaveInProgress: true },
      replication: { role: 'primary', replicasSyncing: 1, failoverInProgress: true },
      activity: { currentEvictionExceededTime: 1, ownCommands: 3 },
    });
    expect(serverBlockers(seen, POLICY).map(({ kind }) => kind)).toEqual([
      'unknown-engine',
      'loading',
      'forking',
      'feeding-full-sync',
      'failover',
      'eviction-pressure',
    ]);
  });

  test.each([
    ['Redis 7.0 says that it keeps up, however full', { currentEvictionExceededTime: 0 }, 40 * MIB, []],
    ['before 7.0, above maxmemory', {}, 40 * MIB, [{ kind: 'eviction-pressure', exceededFor: 0, overLimit: 40 * MIB }]],
    ['before 7.0, at maxmemory: a full cache evicts all day', {}, 0, []],
  ])('%s', (_what, said, over, blockers) => {
    const memory = { maxmemory: 400 * MIB, usedMemory: 400 * MIB + over };
    const activity = { ownCommands: 3, evictedKeys: 100_000, ...said };
    expect(serverBlockers(anObservation({ activity, memory }), POLICY)).toEqual(blockers);
  });
});

describe('what passes by itself', () => {
  test.each<readonly [string, Observation, readonly Blocker[]]>([
    [
      'lazy-free pending',
      anObservation({ memory: { lazyfreePendingObjects: 12 } }),
      [{ kind: 'lazyfree-pending', objects: 12 }],
    ],
    ['32 MiB of rehashing', anObservation({ memory: { rehashingOverhead: 32 * MIB } }), []],
    [
      'more of it',
      anObservation({ memory: { rehashingOverhead: 33 * MIB } }),
      [{ kind: 'rehashing', bytes: 33 * MIB, limit: 32 * MIB }],
    ],
    ['up for 10 s', anObservation({ uptime: 10_000 }), []],
    ['up for less', anObservation({ uptime: 9_000 }), [{ kind: 'just-restarted', uptime: 9_000, required: 10_000 }]],
  ])('%s', (_what, observation, blockers) => {
    expect(startBlockers(observation)).toEqual(blockers);
    expect(serverBlockers(observation, POLICY)).toEqual([]);
  });

  test('what is not reported is no reason', () => {
    expect(startBlockers({ ...anObservation(), memory: {} })).toEqual([]);
    const { uptime: _, ...ageless } = anObservation();
    expect(startBlockers(ageless)).toEqual([]);
  });
});

describe('commands per second', () => {
  test('are those of others: our own are not counted', () => {
    expect(commandsPerSecond(...twoLooks(1010))).toBe(1000);
    expect(commandsPerSecond(...twoLooks(10))).toBe(0);
  });

  test('are measured over the time between the looks', () => {
    const [observation, earlier] = twoLooks(5010);
    expect(commandsPerSecond(observation, { ...earlier, at: NOW - 10_000 })).toBe(500);
  });

  test('are never negative, though a look is not one instant', () => {
    expect(commandsPerSecond(...twoLooks(9))).toBe(0);
    expect(commandsPerSecond(...twoLooks(0))).toBe(0);
  });

  test.each([
    ['the counter went back (CONFIG RESETSTAT, a restart)', twoLooks(-1)],
    ['it is not reported', [anObservation({ activity: { ownCommands: 3 } }), twoLooks(0)[1]] as const],
    ['the looks are closer than half a second', [twoLooks(0)[0], { ...twoLooks(0)[1], at: NOW - 499 }] as const],
    ['the clock went back between them', [twoLooks(0)[0], { ...twoLooks(0)[1], at: NOW + 60_000 }] as const],
  ])('cannot be told when %s', (_what, [observation, earlier]) => {
    expect(commandsPerSecond(observation, earlier)).toBeUndefined();
    expect(serverBlockers(observation, POLICY, earlier)).toEqual([]);
  });

  test('the looks may be half a second apart', () => {
    const [observation, earlier] = twoLooks(1010);
    expect(commandsPerSecond(observation, { ...earlier, at: NOW - 500 })).toBe(2000);
  });

  test.each([
    [1000, []],
    [1001, [{ kind: 'busy', opsPerSecond: 1001, limit: 1000 }]],
  ])('%d with a limit of 1000', (others, blockers) => {
    const [observation, commands] = twoLooks(others + 10);
    expect(serverBlockers(observation, POLICY, commands)).toEqual(blockers);
  });

  test("the server's own short average, which counts our looks, decides nothing", () => {
    const [observation, commands] = twoLooks(20, { instantaneousOpsPerSec: 50_000 });
    expect(serverBlockers(observation, POLICY, commands)).toEqual([]);
  });

  test('without an earlier look nobody is busy', () => {
    expect(serverBlockers(twoLooks(10 ** 9)[0], POLICY)).toEqual([]);
  });

  test('whatever was counted, the rate is finite and not negative', () => {
    const count = fc.maxSafeNat();
    fc.assert(
      fc.property(count, count, count, count, fc.nat(10 ** 7), (total, own, before, ownBefore, elapsed) => {
        const observation = anObservation({ activity: { totalCommandsProcessed: total, ownCommands: own } });
        const rate = commandsPerSecond(observation, { at: NOW - elapsed, total: before, own: ownBefore });
        expect(rate === undefined || (Number.isFinite(rate) && rate >= 0)).toBe(true);
      }),
    );
  });

  test('a look leaves what the next one measures against', () => {
    expect(commandCount(anObservation())).toEqual({ at: NOW, total: 42_003, own: 3 });
    expect(commandCount(anObservation({ activity: { ownCommands: 3 } }))).toBeUndefined();
  });
});
