import { describe, expect, test } from 'vitest';
import { planLeased } from '../../../../core/actions/defrag/stop-rule.ts';
import { plan } from '../../../../core/actions/plan.ts';
import { guardedMemory } from '../../../../core/adapters/redis/guard-fields.ts';
import { infoLines } from '../../../../core/adapters/redis/info.ts';
import { MIB } from '../../../../core/config/units.ts';
import { loadCounters } from '../../../../core/diagnosis/load.ts';
import type { Blocker } from '../../../../core/domain/blocker.ts';
import type { Engine } from '../../../../core/domain/engine.ts';
import type { Examined, ServerModule } from '../../../../core/domain/examined.ts';
import type { MemorySample, Observation } from '../../../../core/domain/observation.ts';
import { immovable } from '../../../../core/guards/modules.ts';
import { serverBlockers, startBlockers } from '../../../../core/guards/server-blockers.ts';
import { aLease, anEngine, anInstance, anObservation, NOW } from '../../../support/builders.ts';
import { aRetainingObservation, aSituation } from '../../../support/situations.ts';

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
    [
      'a slot migration that forked (Valkey 9)',
      { persistence: { slotMigrationForkInProgress: true } },
      [{ kind: 'forking', child: 'slot-migration' }],
    ],
    ['persistence not reported', { persistence: {} }, []],
    [
      'persistence-failing: the last BGSAVE failed',
      { persistence: { saves: false, aofWrites: true, aofRewrites: true, unsaved: 28 } },
      [{ kind: 'persistence-failing', failing: ['save'], unsaved: 28 }],
    ],
    [
      'persistence-failing: the AOF is neither written nor rewritten',
      { persistence: { saves: true, aofWrites: false, aofRewrites: false } },
      [{ kind: 'persistence-failing', failing: ['aof-write', 'aof-rewrite'] }],
    ],
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
      activity: { currentEvictionExceededTime: 1000, ownCommands: 3 },
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
    ['a full cache is above it for a moment, between two slices', { currentEvictionExceededTime: 17 }, 0.1 * MIB, []],
    ['before 7.0, above it by what the latest commands took', {}, 0.9 * MIB, []],
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

describe('swapped-out: RSS below used', () => {
  const swapped = (memory: Partial<MemorySample>) =>
    serverBlockers(anObservation({ memory }), POLICY).filter(({ kind }) => kind === 'swapped-out');

  test.each<[string, Partial<MemorySample>, boolean]>([
    ['half of it', { usedMemory: 4096 * MIB, usedMemoryRss: 2048 * MIB }, true],
    ['a little', { usedMemory: 4096 * MIB, usedMemoryRss: 3900 * MIB }, false],
    ['a small server', { usedMemory: 90 * MIB, usedMemoryRss: 20 * MIB }, false],
    ['an RSS of 0, which is none', { usedMemory: 4096 * MIB, usedMemoryRss: 0 }, false],
    [
      'a backlog that was allocated at once and never touched',
      { usedMemory: 2048 * MIB, usedMemoryRss: 1100 * MIB, replicationBacklog: 1024 * MIB },
      false,
    ],
    [
      'more than the backlog',
      { usedMemory: 4096 * MIB, usedMemoryRss: 1100 * MIB, replicationBacklog: 1024 * MIB },
      true,
    ],
  ])('%s', (_, memory, is) => {
    const { usedMemory: used, usedMemoryRss: rss } = memory;
    expect(swapped(memory)).toEqual(is ? [{ kind: 'swapped-out', rss, used }] : []);
  });

  test('nothing is said where nothing is reported', () => {
    expect(serverBlockers({ ...anObservation(), memory: {} }, POLICY)).toEqual([]);
  });
});

describe('slots-migrating, and what else is asked before a start only', () => {
  const examined = (over: Partial<Examined>) =>
    startBlockers(anObservation({ isCluster: true, examined: { modules: [], ...over } }));
  const up = { isUp: true, migrating: 0 };

  test.each<[string, Partial<Examined>, readonly Blocker[]]>([
    ['no cluster', {}, []],
    ['a cluster at rest', { cluster: up }, []],
    ['slots on the move', { cluster: { ...up, migrating: 3 } }, [{ kind: 'slots-migrating', slots: 3 }]],
    ['a cluster that is down', { cluster: { ...up, isUp: false } }, [{ kind: 'cluster-down' }]],
    ['a server that does not tell', { cluster: 'refused' }, [{ kind: 'cluster-refused' }]],
    [
      'clients-paused: CLIENT PAUSE, a failover',
      { paused: { reason: 'client_pause', left: 8000 } },
      [{ kind: 'clients-paused', reason: 'client_pause', left: 8000 }],
    ],
  ])('%s', (_, over, blockers) => expect(examined(over)).toEqual(blockers));

  test('buffers of a migration (Redis 8.4, Valkey 9) end a run as well, and are said once', () => {
    const observation = anObservation({
      isCluster: true,
      memory: { slotBuffers: 5 * MIB },
      examined: { modules: [], cluster: { isUp: true, migrating: 1 } },
    });
    expect(serverBlockers(observation, POLICY)).toEqual([{ kind: 'slots-migrating', bytes: 5 * MIB }]);
    expect(startBlockers(observation)).toEqual([]);
    expect(planLeased(aSituation({ observation }), aLease())).toMatchObject({ reason: 'slots-migrating' });
  });

  test.each([
    'mem_cluster_slot_migration_input_buffer:4096',
    'mem_cluster_slot_migration_output_buffer:4096',
    'mem_cluster_slot_import:4096',
    'mem_cluster_slot_export:4096',
  ])('%s is read', (line) => expect(guardedMemory(infoLines(line))).toEqual({ slotBuffers: 4096 }));

  test.each(['mem_cluster_slot_migration_input_buffer_peak:4096', 'mem_cluster_links:4096'])('%s is not', (line) =>
    expect(guardedMemory(infoLines(line))).toEqual({}),
  );
});

describe('module-types: modules whose data defrag cannot move', () => {
  const redis = { name: 'redis' } as const;
  const valkey = { name: 'valkey' } as const;

  test.each<[string, readonly ServerModule[], Pick<Engine, 'name'>, readonly string[], readonly string[]]>([
    ['none', [], redis, [], []],
    ['what is in every Redis 8', [{ name: 'vectorset', version: 1 }], redis, [], []],
    ['what is in every Valkey 9.1', [{ name: 'lua', version: 1 }], valkey, [], []],
    ['RedisJSON before its callback', [{ name: 'ReJSON', version: 20_609 }], redis, [], ['ReJSON']],
    ['RedisJSON of Redis 8', [{ name: 'ReJSON', version: 80_001 }], redis, [], []],
    [
      'Bloom and time series of Redis Stack 7',
      [
        { name: 'bf', version: 20_608 },
        { name: 'timeseries', version: 11_011 },
      ],
      redis,
      [],
      ['bf', 'timeseries'],
    ],
    ['Bloom of Valkey', [{ name: 'bf', version: 10_000 }], valkey, [], []],
    ['search without an index', [{ name: 'search', version: 80_001, indexes: 0 }], redis, [], []],
    ['search with indexes', [{ name: 'search', version: 80_001, indexes: 2 }], redis, [], ['search']],
    ['search that does not say', [{ name: 'search', version: 20_400 }], redis, [], ['search']],
    ['a module that is not known', [{ name: 'graph', version: 21_200 }], redis, [], ['graph']],
    ['one that the config vouches for', [{ name: 'graph', version: 21_200 }], redis, ['graph'], []],
    ['a name like a property of every object', [{ name: 'constructor', version: 1 }], redis, [], ['constructor']],
  ])('%s', (_, modules, engine, allowed, expected) => expect(immovable(modules, engine, allowed)).toEqual(expected));

  test('keep a defrag from starting, not a purge', () => {
    const examined = { modules: [{ name: 'graph', version: 1 }] };
    expect(plan(aSituation({ observation: anObservation({ examined }) }))).toMatchObject({
      reason: 'module-types',
      blockers: [{ kind: 'module-types', modules: ['graph'] }],
    });
    const observation = aRetainingObservation(200 * MIB, { examined });
    expect(plan(aSituation({ observation }))).toMatchObject({ kind: 'act', action: { kind: 'purge' } });
  });
});
