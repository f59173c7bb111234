import type { Cluster, Node, Shard } from '@aws-sdk/client-memorydb';
import { describeMemoryDb } from '../adapters/aws/memorydb.ts';
import type { FoundGroup } from '../config/schema.ts';
import type { FoundNode } from '../domain/discovered.ts';
import { foundAddress } from './addresses.ts';
import type { Discovery } from './contract.ts';
import { choose, type Resource, readableTags, unready } from './managed.ts';

/** The shards of MemoryDB's clusters. Roles are for INFO to say. */
export const discoverMemoryDb: Discovery = async ({ discover }, _, signal) => {
  const { region, ...wanted } = discover?.memorydb ?? {};
  const [tagged, view] = await Promise.all([
    readableTags('memorydb', wanted, { region, signal }),
    describeMemoryDb(region, signal),
  ]);
  return choose(
    view.clusters.map((cluster) => clusterResource(cluster, view.region)),
    tagged,
    wanted,
  );
};

/** One cluster with its shards. */
export function clusterResource(cluster: Cluster, region: string): Resource {
  const { Name: id = '', ARN: arn = '', Shards = [], TLSEnabled: tls = true } = cluster;
  const shards = Shards.map((shard) => {
    const { Name: name = '', Nodes = [] } = shard;
    return {
      group: id,
      name,
      nodes: Nodes.flatMap((node) => nodeOf(node, tls)),
      managed: managedBy(cluster, shard, region),
    };
  });
  const without = Shards.flatMap(({ Nodes = [] }) => Nodes).filter(({ Endpoint }) => !Endpoint?.Address);
  return {
    id,
    arn,
    shards: shards.filter(({ nodes }) => nodes.length > 0),
    leftOut: [
      ...(Shards.length === 0 ? [`${id} is left out: it has no shards yet (${cluster.Status})`] : []),
      ...unready(
        id,
        without.map(({ Name = '' }) => Name),
      ),
    ],
  };
}

function nodeOf({ Name = '', Endpoint: { Address = '', Port = 0 } = {} }: Node, tls: boolean): readonly FoundNode[] {
  const address = foundAddress(Address, Port, { tls });
  return address ? [{ address, identity: Name }] : [];
}

/** A snapshot window without snapshots (retention of 0 days) has no effect. */
function managedBy(cluster: Cluster, shard: Shard, region: string): FoundGroup {
  const { ParameterGroupName, NodeType, MaintenanceWindow, SnapshotWindow, SnapshotRetentionLimit = 0 } = cluster;
  return {
    service: 'memorydb',
    group: cluster.Name ?? '',
    region,
    status: [cluster.Status, shard.Status].find((one) => one !== undefined && one !== 'available') ?? 'available',
    ...(ParameterGroupName !== undefined && { parameterGroup: ParameterGroupName }),
    ...(NodeType !== undefined && { nodeType: NodeType }),
    ...(MaintenanceWindow !== undefined && { maintenanceWindow: MaintenanceWindow }),
    ...(SnapshotRetentionLimit > 0 && SnapshotWindow !== undefined && { snapshotWindow: SnapshotWindow }),
  };
}
