import {
  AddTagsToResourceCommand,
  CreateCacheClusterCommand,
  CreateReplicationGroupCommand,
  type CreateReplicationGroupCommandInput,
  CreateServerlessCacheCommand,
  ElastiCacheClient,
} from '@aws-sdk/client-elasticache';
import { CreateClusterCommand, MemoryDBClient, TagResourceCommand } from '@aws-sdk/client-memorydb';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../../cli/lab/start.ts';
import type { AwsProxy } from '../../support/aws-proxy.ts';
import { type AwsStandIn, awsStandIn, NAMES_HERE } from '../../support/aws-stand-in.ts';
import { clientOf, fragment, refragmented, settingsOf } from '../../support/fragmented.ts';
import { aJob, configOf, type Job, OPEN, SMALL_FLOORS } from '../../support/job.ts';
import { describeWithMoto, FLEETS, type Moto } from '../../support/moto.ts';
import { untilOldEnough } from '../../support/offpeak.ts';
import { defragServer, lacksServer, plainServer } from '../../support/servers.ts';

const ACCOUNT = '123456789012';

describeWithMoto('nodes of ElastiCache and MemoryDB', () => {
  let aws: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let caches: ElastiCacheClient;
  let memory: MemoryDBClient;
  let servers: readonly RunningServer[];
  const jobs: Job[] = [];

  beforeAll(async () => {
    aws = await awsStandIn(FLEETS);
    ({ moto, proxy } = aws);
    caches = new ElastiCacheClient({});
    memory = new MemoryDBClient({});
    servers = await Promise.all([plainServer(), plainServer()]);
  });
  afterAll(async () => {
    for (const client of [caches, memory]) client?.destroy();
    await Promise.all((servers ?? []).map((server) => server.stop()));
    await aws?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await moto.reset();
    proxy.clear();
  });
  afterEach(() => {
    for (const job of jobs.splice(0)) job[Symbol.dispose]();
  });

  const ports = () => servers.map(({ port }) => port).join(' ');
  const asTags = (tags: Readonly<Record<string, string>>) =>
    Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

  async function group(
    id: string,
    tags: Record<string, string>,
    more: Partial<CreateReplicationGroupCommandInput> = {},
  ) {
    await caches.send(
      new CreateReplicationGroupCommand({
        ReplicationGroupId: id,
        ReplicationGroupDescription: id,
        Engine: 'valkey',
        ReplicasPerNodeGroup: 1,
        CacheNodeType: 'cache.m7g.large',
        CacheParameterGroupName: 'carts-valkey8',
        PreferredMaintenanceWindow: 'sun:23:00-mon:01:30',
        Tags: asTags({ 'moto:ports': ports(), ...tags }),
        ...more,
      }),
    );
  }

  const tagGroup = (id: string, tags: Record<string, string>) =>
    caches.send(
      new AddTagsToResourceCommand({
        ResourceName: `arn:aws:elasticache:eu-west-1:${ACCOUNT}:replicationgroup:${id}`,
        Tags: asTags(tags),
      }),
    );

  function job(discover: string, more = OPEN): Job {
    const one = aJob(`instances:\n  - id: carts\n    discover: ${discover}${more}\n`, { names: NAMES_HERE });
    jobs.push(one);
    return one;
  }

  /** What a discovery finds, without the rest of a tick. */
  async function found(discover: string) {
    const { ports } = job(discover);
    const [instance] = configOf(`instances:\n  - id: carts\n    discover: ${discover}${OPEN}\n`).instances;
    if (instance === undefined) throw new Error('no instance');
    return await ports.discover(instance);
  }

  const ON = '{ elasticache: { tags: { offpeak: "on" } } }';

  test('a tag is the config of a fleet: real servers are watched in their shards, roles come from INFO', async () => {
    await group('sessions', { offpeak: 'on' });
    await group('foreign', { offpeak: 'no' });
    const { outcomes, remarks } = await job(ON).tick({ mode: 'plan' });
    expect(outcomes.map(({ instance, node, kind }) => [instance, node, kind])).toEqual(
      servers.map(({ port }, index) => [
        'carts/sessions/0001',
        `sessions-00${index + 1}.sessions.abc123.euw1.cache.amazonaws.com:${port}`,
        'observed',
      ]),
    );
    expect(remarks).toEqual([]);
    expect(
      proxy.requests
        .map(({ operation }) => operation)
        .filter((one) => /Describe|Get/.test(one))
        .sort(),
    ).toEqual(['DescribeCacheClusters', 'DescribeReplicationGroups', 'GetResources']);
  });

  test('several instances ask a region once', async () => {
    await group('sessions', { team: 'a' });
    await group('queues', { team: 'b', 'moto:ports': '1 1' });
    const [a, b] = ['a', 'b'].map((team) => found(`{ elasticache: { tags: { team: ${team} } } }`));
    expect([(await a)?.shards[0]?.group, (await b)?.shards[0]?.group]).toEqual(['sessions', 'queues']);
    expect(proxy.requests.filter(({ operation }) => operation === 'DescribeCacheClusters')).toHaveLength(1);
  });

  test('what AWS says of a group is kept with its shard', async () => {
    await group(
      'sessions',
      { offpeak: 'on' },
      { SnapshotRetentionLimit: 1, SnapshotWindow: '03:00-04:00', TransitEncryptionEnabled: true },
    );
    const { shards } = await found(ON);
    expect(shards).toMatchObject([
      {
        group: 'sessions',
        name: '0001',
        nodes: [{ identity: 'sessions-001', address: { tls: true } }, { identity: 'sessions-002' }],
        managed: {
          service: 'elasticache',
          group: 'sessions',
          region: 'eu-west-1',
          status: 'available',
          parameterGroup: 'carts-valkey8',
          nodeType: 'cache.m7g.large',
          maintenanceWindow: 'sun:23:00-mon:01:30',
          snapshotWindow: '03:00-04:00',
        },
      },
    ]);
  });

  test('tags leave out, pause, and set limits; nonsense makes it watched only', async () => {
    const until = new Date(Date.now() + 3_600_000);
    await group('a', { offpeak: 'on', 'offpeak:ignore': 'true' });
    await group('b', {
      offpeak: 'on',
      'offpeak:max-stall': '2ms',
      'offpeak:memory-limit': '6GiB',
      'offpeak:pause-until': until.toISOString(),
    });
    await group('c', { offpeak: 'on', 'offpeak:max-stall': '2', 'moto:ports': '1 1' });
    const { shards, leftOut } = await found(ON);
    expect(shards.map(({ group, overrides }) => [group, overrides])).toEqual([
      ['b', { memoryLimit: 6 * 1024 ** 3, maxStall: 2, pausedUntil: until.getTime() }],
      ['c', { acts: false }],
    ]);
    expect(leftOut).toEqual([
      'a is left out by its tag offpeak:ignore',
      'c is only watched: the tag offpeak:max-stall is "2"; accepted: a duration from 1ms to 100ms with its unit, like 5ms',
    ]);
    const { outcomes } = await job(ON).tick({ mode: 'plan' });
    expect(outcomes.filter(({ instance }) => instance === 'carts/b/0001').map(({ pause }) => pause)).toEqual(
      servers.map(() => ({ until: until.getTime(), by: 'its tag', reason: 'offpeak:pause-until', at: 0 })),
    );
  });

  test('a tag that is set later holds at the next tick, without a deployment', async () => {
    await group('sessions', { offpeak: 'on' });
    const one = job(ON);
    expect((await one.tick()).outcomes).toHaveLength(2);
    await tagGroup('sessions', { 'offpeak:ignore': 'yes' });
    const { outcomes, remarks } = await one.tick();
    expect([outcomes, remarks]).toEqual([[], ['carts: sessions is left out by its tag offpeak:ignore']]);
    await tagGroup('sessions', { offpeak: 'off', 'offpeak:ignore': 'no' });
    expect((await one.tick()).remarks).toEqual([
      'carts: nothing was found: no group or cluster in this account and region has these tags',
    ]);
  });

  describe.skipIf(lacksServer('defrag'))('while active defrag is on', () => {
    let server: RunningServer;
    let redis: Redis;

    beforeAll(async () => {
      server = await defragServer();
      redis = clientOf(server);
      await fragment(redis);
      await untilOldEnough(redis);
    });
    afterAll(async () => {
      redis?.disconnect();
      await server?.stop();
    });
    beforeEach(() => refragmented(redis));

    test.each([
      ['a pause', { 'offpeak:pause-until': '2099-01-01T00:00:00Z' }, 'paused'],
      ['AWS that changes the group', { 'moto:status': 'modifying' }, 'group-changing'],
      ['a tag to watch only', { 'offpeak:watch-only': 'true' }, 'watch-only'],
      ['nonsense', { 'offpeak:max-stall': '5' }, 'watch-only'],
      ['a tag to leave it alone', { 'offpeak:ignore': 'true' }, 'watch-only'],
      ['the loss of the tag by which it was found', { offpeak: 'off' }, 'watch-only'],
    ])('%s ends it at the next tick, and every setting is restored', async (_what, tags, because) => {
      await group('sessions', { offpeak: 'on', 'moto:ports': `${server.port}` }, { ReplicasPerNodeGroup: 0 });
      const before = await settingsOf(redis);
      // A hundredth of a processor: this defrag takes a minute.
      const one = job(ON, OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall'));
      expect((await one.tick()).outcomes).toMatchObject([{ kind: 'started' }]);
      await tagGroup('sessions', tags);
      const { outcomes, leased } = await one.tick();
      expect(outcomes).toMatchObject([{ kind: 'stopped', plan: { action: { because } } }]);
      expect([leased, await settingsOf(redis)]).toEqual([[], before]);
      expect((await one.tick()).outcomes.map(({ kind }) => kind)).not.toContain('started');
    });
  });

  test('a cluster without a group is one, Memcached and serverless caches are said, and so is an id that there is not', async () => {
    const create = (CacheClusterId: string, Engine: string) =>
      caches.send(
        new CreateCacheClusterCommand({ CacheClusterId, Engine, CacheNodeType: 'cache.t4g.small', NumCacheNodes: 1 }),
      );
    await create('solo-1', 'redis');
    await create('pages', 'memcached');
    await caches.send(
      new CreateServerlessCacheCommand({
        ServerlessCacheName: 'solo-free',
        Engine: 'valkey',
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    );
    const { shards, leftOut } = await found('{ elasticache: { groups: ["SOLO-*", pages, nothing] } }');
    expect(shards).toMatchObject([{ group: 'solo-1', name: '', nodes: [{ identity: 'solo-1' }] }]);
    expect(leftOut).toEqual([
      'pages is left out: it is Memcached',
      'solo-free is left out: it is serverless, and AWS takes care of its memory',
      'there is no group or cluster nothing in this account and region',
    ]);
  });

  test('90 shards are 180 nodes in pages', async () => {
    await group('large', { offpeak: 'on' }, { ClusterMode: 'enabled', NumNodeGroups: 90 });
    const { shards } = await found(ON);
    expect(shards).toHaveLength(90);
    expect(new Set(shards.flatMap(({ nodes }) => nodes.map(({ identity }) => identity))).size).toBe(180);
    expect(proxy.requests.filter(({ operation }) => operation === 'DescribeCacheClusters')).toHaveLength(2);
    expect(proxy.requests.filter(({ operation }) => operation === 'GetResources')).toHaveLength(2);
  });

  test('a member that is being created is said', async () => {
    await group('sessions', { offpeak: 'on', 'moto:status': 'creating' });
    await expect(job(ON).tick({ mode: 'plan' })).resolves.toMatchObject({
      outcomes: [],
      remarks: ['carts: sessions: left out until they have an endpoint: sessions-001, sessions-002'],
    });
  });

  test.each([
    ['deny', 'DescribeReplicationGroups', /allow the job's role elasticache:DescribeReplicationGroups/],
    ['deny', 'GetResources', /The tagging API refuses GetResources: allow the job's role tag:GetResources/],
    ['throttle', 'DescribeCacheClusters', /ElastiCache has throttled DescribeCacheClusters/],
    ['reset', 'DescribeCacheClusters', /ElastiCache has not answered DescribeCacheClusters: .*tried 3 times/],
    ['garble', 'DescribeReplicationGroups', /ElastiCache has not answered DescribeReplicationGroups/],
  ] as const)('%s of %s: the last inventory counts, and the words say what to do', async (kind, operation, words) => {
    await group('sessions', { offpeak: 'on' });
    const one = job(ON);
    await one.tick();
    proxy.fault({ operation, kind });
    const { outcomes, remarks, troubles, instances } = await one.tick();
    expect(outcomes).toHaveLength(2);
    expect(remarks).toEqual([expect.stringMatching(words)]);
    // A right that is missing stays missing until a person grants it.
    expect(troubles).toEqual(kind === 'deny' ? remarks : []);
    expect(instances.map(({ found }) => found?.unsettled)).toEqual(['undiscovered']);
    expect(remarks[0]).toMatch(/The inventory of .* is used/);
  });

  test('without the right to read tags, what ids choose is only watched', async () => {
    await group('sessions', {});
    proxy.fault({ operation: 'GetResources', kind: 'deny' });
    const { shards, leftOut } = await found('{ elasticache: { groups: [sessions] } }');
    expect(shards.map(({ overrides }) => overrides)).toEqual([{ acts: false }]);
    expect(leftOut).toEqual([
      expect.stringMatching(/^everything is only watched, because a tag may forbid to act: .*tag:GetResources/),
    ]);
  });

  test('a region that the config names is asked', async () => {
    const { discover } = job(ON).ports;
    const yaml = `instances:\n  - id: carts\n    discover: { elasticache: { groups: ["*"], region: us-east-1 } }${OPEN}\n`;
    const [instance] = configOf(yaml).instances;
    await group('sessions', {});
    if (instance) expect((await discover(instance)).shards).toEqual([]);
  });

  describe('MemoryDB', () => {
    const ledger = (name: string, tags: Record<string, string>) =>
      memory.send(
        new CreateClusterCommand({
          ClusterName: name,
          NodeType: 'db.r7g.large',
          ACLName: 'open-access',
          TLSEnabled: false,
          NumReplicasPerShard: 1,
          ParameterGroupName: 'ledger',
          Tags: asTags({ 'moto:ports': ports(), ...tags }),
        }),
      );

    test('shards of clusters with a tag are watched', async () => {
      await ledger('ledger', { team: 'b', offpeak: 'on' });
      await ledger('other', { team: 'b' });
      const { outcomes, remarks } = await job('{ memorydb: { tags: { team: [a, b], offpeak: "on" } } }').tick({
        mode: 'plan',
      });
      expect(outcomes.map(({ instance, kind }) => [instance, kind])).toEqual([
        ['carts/ledger/0001', 'observed'],
        ['carts/ledger/0001', 'observed'],
      ]);
      expect(remarks).toEqual([]);
    });

    test('120 clusters are two pages, and one that is being changed says so', async () => {
      for (let n = 0; n < 120; n++) await ledger(`c-${n}`, n === 7 ? { 'moto:status': 'updating' } : {});
      const { shards } = await found('{ memorydb: { groups: ["c-*"] } }');
      expect(shards).toHaveLength(120);
      expect(shards.flatMap(({ managed }) => (managed?.status === 'available' ? [] : managed?.group))).toEqual(['c-7']);
    });

    test('nonsense in a tag is said, and the cluster is only watched', async () => {
      await ledger('ledger', {});
      const ResourceArn = `arn:aws:memorydb:eu-west-1:${ACCOUNT}:cluster/ledger`;
      await memory.send(new TagResourceCommand({ ResourceArn, Tags: asTags({ 'offpeak:pause-until': 'tomorrow' }) }));
      const { shards, leftOut } = await found('{ memorydb: { groups: [ledger] } }');
      expect(shards).toMatchObject([{ managed: { parameterGroup: 'ledger' }, overrides: { acts: false } }]);
      expect(leftOut).toEqual([
        'ledger is only watched: the tag offpeak:pause-until is "tomorrow"; accepted: a time with its zone, like 2026-12-01T06:00:00+01:00',
      ]);
    });
  });
});
