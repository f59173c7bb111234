import { describe, expect, test } from 'vitest';
import { type Blocker, serverBlockers, startBlockers } from '../../../../functions/maintain/decide/guards.ts';
import { loadCounters } from '../../../../functions/maintain/decide/load.ts';
import type { Observation } from '../../../../functions/maintain/decide/observation.ts';
import { MIB } from '../../../../functions/shared/config/units.ts';
import { anEngine, anInstance, anObservation, NOW } from '../../../support/builders.ts';

type Case = readonly [what: string, seen: Partial<Observation>, blockers: readonly Blocker[]];

const POLICY = anInstance();
const primary = { role: 'primary', replicasSyncing: 0 } as const;
const replica = { role: 'replica', replicasSyncing: 0 } as const;

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

describe('the load', () => {
  test('is one of the dangers, measured from an earlier look', () => {
    const earlier = loadCounters(anObservation({ at: NOW - 1000 }));
    const activity = { ...anObservation().activity, cpuSeconds: 121 };
    expect(serverBlockers(anObservation({ activity }), POLICY, earlier)).toMatchObject([{ kind: 'busy' }]);
    expect(serverBlockers(anObservation(), POLICY, earlier)).toEqual([]);
  });

  test('of a first look is not known, and no reason', () => {
    expect(serverBlockers(anObservation(), anInstance({ maxOpsPerSecond: 0 }))).toEqual([]);
  });
});
