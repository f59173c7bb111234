import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { resourcesIn } from '../../../../core/discovery/elasticache-view.ts';
import { choose, type Resource } from '../../../../core/discovery/managed.ts';
import { clusterResource } from '../../../../core/discovery/memorydb.ts';
import { instancesOf } from '../../../../core/discovery/resolve.ts';
import { readTags } from '../../../../core/discovery/tags.ts';
import { pauseByTag } from '../../../../core/domain/pause.ts';
import { anInstance } from '../../../support/builders.ts';

describe('tags of a resource', () => {
  test.each([
    [{}, {}],
    [{ 'offpeak:watch-only': 'true' }, { acts: false }],
    [{ 'offpeak:watch-only': '' }, { acts: false }],
    [{ 'offpeak:watch-only': 'No' }, {}],
    [{ 'offpeak:memory-limit': ' 6GiB ' }, { memoryLimit: 6 * 1024 ** 3 }],
    [{ 'offpeak:max-stall': '2ms' }, { maxStall: 2 }],
    [{ 'offpeak:pause-until': '2026-12-01T06:00:00+01:00' }, { pausedUntil: Date.parse('2026-12-01T05:00:00Z') }],
    [{ 'offpeak:pause-until': '2026-12-01 05:00Z' }, { pausedUntil: Date.parse('2026-12-01T05:00:00Z') }],
    [{ offpeak: 'on', team: 'x' }, {}],
  ])('%j', (tags, overrides) => {
    expect(readTags(tags)).toEqual({ isIgnored: false, overrides, odd: [] });
  });

  test.each([
    ['offpeak:ignore', 'maybe', 'true or false'],
    ['offpeak:watch-only', '1', 'true or false'],
    ['offpeak:memory-limit', '6', 'a size with a unit, more than 0, like 6GiB'],
    ['offpeak:memory-limit', '0', 'a size with a unit, more than 0, like 6GiB'],
    ['offpeak:max-stall', '1h', 'a duration from 1ms to 100ms with its unit, like 5ms'],
    ['offpeak:pause-until', '2026-12-01T06:00:00', 'a time with its zone, like 2026-12-01T06:00:00+01:00'],
    ['offpeak:pause-until', '2026-13-01T06:00:00Z', 'a time with its zone, like 2026-12-01T06:00:00+01:00'],
  ])('nonsense makes it watched only: %s is %s', (key, value, accepted) => {
    expect(readTags({ [key]: value })).toEqual({
      isIgnored: false,
      overrides: { acts: false },
      odd: [`the tag ${key} is ${JSON.stringify(value)}; accepted: ${accepted}`],
    });
  });

  test.each(['offpeak:ignored', 'Offpeak:Ignore', 'offpeak:'])('so does one that there is not: %s', (key) => {
    expect(readTags({ [key]: 'true' })).toMatchObject({
      overrides: { acts: false },
      odd: [expect.stringContaining(`there is no tag ${key}; accepted: offpeak:ignore, offpeak:watch-only`)],
    });
    expect(readTags({ [key]: 'true' }, [key]).odd).toEqual([]);
  });

  test('of several, each counts, and what can be read still does', () => {
    expect(
      readTags({ 'offpeak:ignore': 'yes', 'offpeak:max-stall': 'x', 'offpeak:memory-limit': '1GiB' }),
    ).toMatchObject({
      isIgnored: true,
      overrides: { memoryLimit: 1024 ** 3, acts: false },
    });
  });
});

const resource = (id: string): Resource => ({
  id,
  arn: `arn:${id}`,
  shards: [{ group: id, name: '0001', nodes: [{ address: addressOf(`${id}:6379`, true) }] }],
  leftOut: [],
});
const ALL = ['sessions-eu', 'sessions-us', 'carts'].map(resource);
const TAGGED = new Map([
  ['arn:sessions-eu', { team: 'a' }],
  ['arn:sessions-us', { team: 'b' }],
  ['arn:carts', { team: 'a', tier: '1' }],
]);
const groupsIn = ({ shards }: ReturnType<typeof choose>) => shards.map(({ group }) => group);

describe('which groups are meant', () => {
  test.each([
    [{ tags: { team: ['a'] } }, ['sessions-eu', 'carts']],
    [{ tags: { team: ['a', 'b'] } }, ['sessions-eu', 'sessions-us', 'carts']],
    [{ tags: { team: ['a'], tier: ['1'] } }, ['carts']],
    [{ groups: ['sessions-*'] }, ['sessions-eu', 'sessions-us']],
    [{ groups: ['SESSIONS-?u'] }, ['sessions-eu']],
    [{ groups: ['sessions'] }, []],
    [{ tags: { team: ['a'] }, groups: ['sessions-*'] }, ['sessions-eu']],
  ])('%j', (wanted, groups) => {
    expect(groupsIn(choose(ALL, TAGGED, wanted))).toEqual(groups);
  });

  test('what was asked for and is not there is said', () => {
    const where = 'in this account and region';
    expect(choose(ALL, TAGGED, { tags: { team: ['z'] } }).leftOut).toEqual([
      `nothing was found: no group or cluster ${where} has these tags`,
    ]);
    expect(choose(ALL, TAGGED, { groups: ['x-*'] }).leftOut).toEqual([
      `nothing was found: no group or cluster ${where} has such an id`,
    ]);
    expect(choose(ALL, TAGGED, { groups: ['carts', 'x'] }).leftOut).toEqual([
      `there is no group or cluster x ${where}`,
    ]);
  });
});

test('what a tag says wins over the config, and a pause of a tag is a pause', () => {
  const overrides = { memoryLimit: 5, maxStall: 2, pausedUntil: 7, acts: false };
  const [instance] = instancesOf(anInstance({ memoryLimit: 9 }), [
    { ...(ALL[0]?.shards[0] ?? { group: '', nodes: [] }), name: '0001', overrides },
  ]);
  expect(instance).toMatchObject({
    memoryLimit: 5,
    defrag: { maxStall: 2, enabled: true },
    found: { pausedUntil: 7, acts: false },
  });
  expect(instance && pauseByTag(instance)).toMatchObject({ until: 7, by: 'its tag' });
  expect(pauseByTag(anInstance())).toBeUndefined();
});

describe('what AWS answers', () => {
  const cluster = (CacheClusterId: string, more = {}) => ({
    CacheClusterId,
    ReplicationGroupId: 'sessions',
    CacheClusterStatus: 'available',
    CacheNodes: [{ CacheNodeId: '0001', Endpoint: { Address: `${CacheClusterId}.EXAMPLE`, Port: 6379 } }],
    ...more,
  });
  const group = (more = {}) => ({
    ReplicationGroupId: 'sessions',
    ARN: 'arn:sessions',
    Status: 'available',
    NodeGroups: [
      {
        NodeGroupId: '0001',
        Status: 'available',
        NodeGroupMembers: [{ CacheClusterId: 's-1' }, { CacheClusterId: 's-2' }],
      },
    ],
    ...more,
  });
  const seen = (groups: ReturnType<typeof group>[], clusters: ReturnType<typeof cluster>[]) =>
    resourcesIn({ region: 'eu-west-1', clusters, groups }, [])[0];

  test.each([
    ['its own', group({ Status: 'deleting' }), cluster('s-1'), 'deleting'],
    [
      "one of its clusters'",
      group(),
      cluster('s-1', { CacheClusterStatus: 'rebooting cluster nodes' }),
      'rebooting cluster nodes',
    ],
    ['none other', group(), cluster('s-1'), 'available'],
  ])('a group is available only if all of it is: %s', (_what, one, member, status) => {
    expect(seen([one], [member, cluster('s-2')])?.shards[0]?.managed?.status).toBe(status);
  });

  test('a member that is not described, or has no endpoint, is said; the others are watched', () => {
    const one = seen([group()], [cluster('s-1')]);
    expect(one?.shards[0]?.nodes.map(({ address }) => address.id)).toEqual(['s-1.example:6379']);
    expect(one?.leftOut).toEqual(['sessions: left out until they have an endpoint: s-2']);
    expect(seen([group()], [cluster('s-1'), cluster('s-2', { CacheNodes: [{}] })])?.leftOut).toHaveLength(1);
  });

  test('a group without shards is said', () => {
    expect(seen([group({ NodeGroups: undefined, Status: 'creating' })], [])).toMatchObject({
      shards: [],
      leftOut: ['sessions is left out: it has no shards yet (creating)'],
    });
  });

  test('a snapshot window counts where snapshots are taken', () => {
    const windows = { PreferredMaintenanceWindow: 'sun:23:00-mon:01:30', SnapshotWindow: '05:00-06:00' };
    const of = (SnapshotRetentionLimit: number) =>
      seen([group()], [cluster('s-1', { ...windows, SnapshotRetentionLimit })])?.shards[0]?.managed;
    expect(of(0)).not.toHaveProperty('snapshotWindow');
    expect(of(3)).toMatchObject({ maintenanceWindow: 'sun:23:00-mon:01:30', snapshotWindow: '05:00-06:00' });
  });

  test('MemoryDB: TLS unless it says otherwise, and a shard of its own', () => {
    const Nodes = [{ Name: 'l-0001-001', Endpoint: { Address: 'l1.example', Port: 6379 } }, { Name: 'l-0001-002' }];
    const told = {
      Name: 'ledger',
      ARN: 'arn:ledger',
      Status: 'available',
      Shards: [{ Name: '0001', Status: 'modifying', Nodes }],
    };
    expect(clusterResource(told, 'eu-west-1')).toMatchObject({
      id: 'ledger',
      shards: [
        {
          group: 'ledger',
          name: '0001',
          nodes: [{ identity: 'l-0001-001', address: { tls: true } }],
          managed: { service: 'memorydb', status: 'modifying' },
        },
      ],
      leftOut: ['ledger: left out until they have an endpoint: l-0001-002'],
    });
    expect(clusterResource({ ...told, TLSEnabled: false }, 'x').shards[0]?.nodes[0]?.address.tls).toBe(false);
    expect(clusterResource({ Name: 'new', Status: 'creating' }, 'x').leftOut).toEqual([
      'new is left out: it has no shards yet (creating)',
    ]);
  });
});
