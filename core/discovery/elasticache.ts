import { describeElastiCache } from '../adapters/aws/elasticache.ts';
import type { Discovery } from './contract.ts';
import { resourcesIn } from './elasticache-view.ts';
import { choose, readableTags } from './managed.ts';

/** The shards of ElastiCache's replication groups, and its clusters of one node. Roles are for INFO to say: a failover takes seconds. */
export const discoverElastiCache: Discovery = async ({ discover }, _, signal) => {
  const { region, ...wanted } = discover?.elasticache ?? {};
  const [tagged, view] = await Promise.all([
    readableTags('elasticache', wanted, { region, signal }),
    describeElastiCache(region, signal),
  ]);
  return choose(resourcesIn(view, typeof tagged === 'string' ? [] : tagged.keys()), tagged, wanted);
};
