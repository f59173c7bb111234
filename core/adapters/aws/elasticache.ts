import {
  type CacheCluster,
  ElastiCacheClient,
  paginateDescribeCacheClusters,
  paginateDescribeReplicationGroups,
  type ReplicationGroup,
} from '@aws-sdk/client-elasticache';
import { askedOnce, everyPage, settingsFor } from './asking.ts';

/** What ElastiCache says of all its nodes in one region. */
export interface ElastiCacheView {
  readonly region: string;
  /** One for each node of Redis or Valkey, with its endpoint, parameter group and windows; it names no role and no shard. */
  readonly clusters: readonly CacheCluster[];
  /** The shards, by the ids of their clusters. */
  readonly groups: readonly ReplicationGroup[];
}

/** The most that AWS returns at once. 10,000 nodes are 100 pages. */
const PAGE = 100;

/** Two calls, of as many pages as it takes, side by side. @throws {DiscoveryFailure} */
export const describeElastiCache = askedOnce(async (named, signal): Promise<ElastiCacheView> => {
  const client = new ElastiCacheClient(settingsFor('ELASTICACHE', named));
  const paging = { client, pageSize: PAGE };
  const options = { abortSignal: signal };
  const asked = (call: string) => ({ service: 'ElastiCache', right: `elasticache:${call}` });
  const [clusters, groups] = await Promise.all([
    everyPage(
      paginateDescribeCacheClusters(paging, { ShowCacheNodeInfo: true }, options),
      asked('DescribeCacheClusters'),
      signal,
    ),
    everyPage(paginateDescribeReplicationGroups(paging, {}, options), asked('DescribeReplicationGroups'), signal),
  ]);
  return {
    region: await client.config.region(),
    clusters: clusters.flatMap(({ CacheClusters = [] }) => CacheClusters),
    groups: groups.flatMap(({ ReplicationGroups = [] }) => ReplicationGroups),
  };
});
