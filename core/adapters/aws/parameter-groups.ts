import {
  ElastiCacheClient,
  ModifyCacheParameterGroupCommand,
  paginateDescribeCacheParameters,
  ResetCacheParameterGroupCommand,
} from '@aws-sdk/client-elasticache';
import {
  MemoryDBClient,
  paginateDescribeParameters,
  ResetParameterGroupCommand,
  UpdateParameterGroupCommand,
} from '@aws-sdk/client-memorydb';
import type { ManagedService } from '../../config/iam.ts';
import type { GroupName, GroupUser, Parameter, ParameterGroups } from '../../ports/parameter-groups.ts';
import { answered, everyPage, settingsFor } from './asking.ts';
import { describeElastiCache } from './elasticache.ts';
import { describeMemoryDb } from './memorydb.ts';

const elasticache: ParameterGroups = {
  async read({ region, group }) {
    const client = new ElastiCacheClient(settingsFor('ELASTICACHE', region));
    const pages = await everyPage(
      paginateDescribeCacheParameters({ client, pageSize: 100 }, { CacheParameterGroupName: group }),
      ofElastiCache('DescribeCacheParameters'),
      undefined,
    );
    return pages
      .flatMap(({ Parameters = [] }) => Parameters)
      .map((one): Parameter => {
        const { ParameterName: name = '', ParameterValue: value, Source: source, AllowedValues: allowed } = one;
        return {
          name,
          ...(value !== undefined && { value }),
          ...(source !== undefined && { source }),
          ...(allowed !== undefined && { allowed }),
          isModifiable: one.IsModifiable === true,
          isImmediate: one.ChangeType === 'immediate',
        };
      });
  },
  async users({ region, group }) {
    const { clusters, groups } = await describeElastiCache(region, undefined);
    const isGlobal = new Set(
      groups.flatMap((one) =>
        one.GlobalReplicationGroupInfo?.GlobalReplicationGroupId ? [one.ReplicationGroupId] : [],
      ),
    );
    return clusters
      .filter(({ CacheParameterGroup }) => isSame(CacheParameterGroup?.CacheParameterGroupName, group))
      .map(
        ({ CacheClusterId = '', ReplicationGroupId, CacheParameterGroup, CacheNodes = [] }): GroupUser => ({
          cluster: ReplicationGroupId ?? CacheClusterId,
          nodes: CacheNodes.flatMap(({ Endpoint }) => placeOf(Endpoint)),
          isInSync: CacheParameterGroup?.ParameterApplyStatus === 'in-sync',
          isGlobal: isGlobal.has(ReplicationGroupId),
        }),
      );
  },
  async set({ region, group }, values) {
    const client = new ElastiCacheClient(settingsFor('ELASTICACHE', region));
    const change = { CacheParameterGroupName: group, ParameterNameValues: pairs(values) };
    await answered(
      client.send(new ModifyCacheParameterGroupCommand(change)),
      ofElastiCache('ModifyCacheParameterGroup'),
    );
  },
  async reset({ region, group }, names) {
    const client = new ElastiCacheClient(settingsFor('ELASTICACHE', region));
    const change = {
      CacheParameterGroupName: group,
      ParameterNameValues: names.map((ParameterName) => ({ ParameterName })),
    };
    await answered(client.send(new ResetCacheParameterGroupCommand(change)), ofElastiCache('ResetCacheParameterGroup'));
  },
};

const memorydb: ParameterGroups = {
  async read({ region, group }) {
    const client = new MemoryDBClient(settingsFor('MEMORYDB', region));
    const pages = await everyPage(
      paginateDescribeParameters({ client, pageSize: 100 }, { ParameterGroupName: group }),
      ofMemoryDb('DescribeParameters'),
      undefined,
    );
    return pages
      .flatMap(({ Parameters = [] }) => Parameters)
      .map(
        // MemoryDB's API has neither a source nor a kind of change: what it lists can be changed, and at once.
        ({ Name: name = '', Value: value, AllowedValues: allowed }): Parameter => ({
          name,
          ...(value !== undefined && { value }),
          ...(allowed !== undefined && { allowed }),
          isModifiable: true,
          isImmediate: true,
        }),
      );
  },
  async users({ region, group }) {
    const { clusters } = await describeMemoryDb(region, undefined);
    return clusters
      .filter(({ ParameterGroupName }) => isSame(ParameterGroupName, group))
      .map(
        ({ Name: cluster = '', Shards = [], ParameterGroupStatus = '', MultiRegionClusterName }): GroupUser => ({
          cluster,
          nodes: Shards.flatMap(({ Nodes = [] }) => Nodes).flatMap(({ Endpoint }) => placeOf(Endpoint)),
          isInSync: ['active', 'in-sync'].includes(ParameterGroupStatus),
          isGlobal: MultiRegionClusterName !== undefined,
        }),
      );
  },
  async set({ region, group }, values) {
    const client = new MemoryDBClient(settingsFor('MEMORYDB', region));
    const change = { ParameterGroupName: group, ParameterNameValues: pairs(values) };
    await answered(client.send(new UpdateParameterGroupCommand(change)), ofMemoryDb('UpdateParameterGroup'));
  },
  async reset({ region, group }, names) {
    const client = new MemoryDBClient(settingsFor('MEMORYDB', region));
    const change = { ParameterGroupName: group, ParameterNames: [...names] };
    await answered(client.send(new ResetParameterGroupCommand(change)), ofMemoryDb('ResetParameterGroup'));
  },
};

const SERVICES: Readonly<Record<ManagedService, ParameterGroups>> = { elasticache, memorydb };

/** The groups of both services. */
export const awsParameterGroups: ParameterGroups = {
  read: (of) => SERVICES[of.service].read(of),
  users: (of) => SERVICES[of.service].users(of),
  set: (of, values) => SERVICES[of.service].set(of, values),
  reset: (of, names) => SERVICES[of.service].reset(of, names),
};

function ofElastiCache(call: string) {
  return { service: 'ElastiCache', right: `elasticache:${call}` };
}

function ofMemoryDb(call: string) {
  return { service: 'MemoryDB', right: `memorydb:${call}` };
}

/** AWS keeps names in lower case, and takes them in any. */
function isSame(name: string | undefined, group: GroupName['group']): boolean {
  return name?.toLowerCase() === group.toLowerCase();
}

function placeOf(endpoint: { Address?: string | undefined; Port?: number | undefined } | undefined): readonly string[] {
  const { Address, Port } = endpoint ?? {};
  return Address === undefined || Port === undefined ? [] : [`${Address}:${Port}`.toLowerCase()];
}

function pairs(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue }));
}
