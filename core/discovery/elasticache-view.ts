import type { CacheCluster, NodeGroup, ReplicationGroup } from '@aws-sdk/client-elasticache';
import type { ElastiCacheView } from '../adapters/aws/elasticache.ts';
import type { FoundGroup } from '../config/schema.ts';
import type { FoundNode, FoundShard } from '../domain/discovered.ts';
import { foundAddress } from './addresses.ts';
import { type Resource, unready } from './managed.ts';

/** Every replication group, each cluster that is in none, and each serverless cache that has a tag. */
export function resourcesIn(view: ElastiCacheView, arns: Iterable<string>): readonly Resource[] {
  const byId = new Map(view.clusters.map((one) => [one.CacheClusterId ?? '', one]));
  const alone = view.clusters.filter(({ ReplicationGroupId }) => !ReplicationGroupId);
  return [
    ...view.groups.map((group) => groupResource(group, byId, view.region)),
    ...alone.map((cluster) => clusterResource(cluster, view.region)),
    ...[...arns].filter((arn) => arn.includes(':serverlesscache:')).map(serverlessResource),
  ];
}

function groupResource(group: ReplicationGroup, clusters: ReadonlyMap<string, CacheCluster>, region: string): Resource {
  const { ReplicationGroupId: id = '', ARN: arn = '', NodeGroups = [] } = group;
  const shards = NodeGroups.map((shard) => groupShard(group, shard, clusters, region));
  const none = shards.length === 0 ? [`${id} is left out: it has no shards yet (${group.Status})`] : [];
  return {
    id,
    arn,
    shards: shards.flatMap(({ shard }) => (shard.nodes.length > 0 ? [shard] : [])),
    leftOut: [...none, ...shards.flatMap(({ leftOut }) => leftOut)],
  };
}

function groupShard(
  group: ReplicationGroup,
  { NodeGroupId: name = '', NodeGroupMembers = [], Status }: NodeGroup,
  clusters: ReadonlyMap<string, CacheCluster>,
  region: string,
): { readonly shard: FoundShard; readonly leftOut: readonly string[] } {
  const ids = NodeGroupMembers.map(({ CacheClusterId = '' }) => CacheClusterId);
  const members = ids.flatMap((one) => clusters.get(one) ?? []);
  const id = group.ReplicationGroupId ?? '';
  const nodes = members.flatMap((one) => nodesOf(one, group.TransitEncryptionEnabled));
  const known = new Set(nodes.map(({ identity }) => identity));
  const statuses = [group.Status, Status, ...members.map(({ CacheClusterStatus }) => CacheClusterStatus)];
  return {
    shard: { group: id, name, nodes, managed: managedBy(id, members[0], statuses, region) },
    leftOut: unready(
      id,
      ids.filter((one) => !known.has(one)),
    ),
  };
}

function clusterResource(cluster: CacheCluster, region: string): Resource {
  const { CacheClusterId: id = '', ARN: arn = '', Engine = '' } = cluster;
  if (Engine === 'memcached') return { id, arn, shards: [], leftOut: [`${id} is left out: it is Memcached`] };
  const nodes = nodesOf(cluster, cluster.TransitEncryptionEnabled);
  if (nodes.length === 0) return { id, arn, shards: [], leftOut: unready(id, [id]) };
  const managed = managedBy(id, cluster, [cluster.CacheClusterStatus], region);
  return { id, arn, shards: [{ group: id, name: '', nodes, managed }], leftOut: [] };
}

function serverlessResource(arn: string): Resource {
  const id = arn.slice(arn.lastIndexOf(':') + 1);
  const leftOut = [`${id} is left out: it is serverless, and AWS takes care of its memory`];
  return { id, arn, shards: [], leftOut };
}

function nodesOf({ CacheClusterId = '', CacheNodes = [] }: CacheCluster, tls = false): readonly FoundNode[] {
  return CacheNodes.flatMap(({ Endpoint: { Address = '', Port = 0 } = {} }) => {
    const address = foundAddress(Address, Port, { tls });
    return address ? [{ address, identity: CacheClusterId }] : [];
  });
}

/** Windows are the group's, and each of its clusters says them. A snapshot window without snapshots (retention of 0 days) has no effect. */
function managedBy(
  group: string,
  cluster: CacheCluster | undefined,
  statuses: readonly (string | undefined)[],
  region: string,
): FoundGroup {
  const { CacheParameterGroup, CacheNodeType, PreferredMaintenanceWindow, SnapshotWindow } = cluster ?? {};
  const parameterGroup = CacheParameterGroup?.CacheParameterGroupName;
  const hasSnapshots = (cluster?.SnapshotRetentionLimit ?? 0) > 0;
  return {
    service: 'elasticache',
    group,
    region,
    status: statuses.find((one) => one !== undefined && one !== 'available') ?? 'available',
    ...(parameterGroup !== undefined && { parameterGroup }),
    ...(CacheNodeType !== undefined && { nodeType: CacheNodeType }),
    ...(PreferredMaintenanceWindow !== undefined && { maintenanceWindow: PreferredMaintenanceWindow }),
    ...(hasSnapshots && SnapshotWindow !== undefined && { snapshotWindow: SnapshotWindow }),
  };
}
