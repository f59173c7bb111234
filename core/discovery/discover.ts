import { DISCOVERIES } from '../config/discover.ts';
import type { Discovered } from '../domain/discovered.ts';
import { type Discover, DiscoveryFailure } from '../ports/discovery.ts';
import type { Discovery, Means } from './contract.ts';

/** Loaded when the config has one: a fleet that names its nodes needs none of them. */
const WAYS: Readonly<Record<(typeof DISCOVERIES)[number], () => Promise<Discovery>>> = {
  cluster: async () => (await import('./cluster.ts')).discoverCluster,
  sentinel: async () => (await import('./sentinel.ts')).discoverSentinel,
  elasticache: async () => (await import('./elasticache.ts')).discoverElastiCache,
  memorydb: async () => (await import('./memorydb.ts')).discoverMemoryDb,
};

/** The discovery that an instance's config asks for. */
export function discoverBy(means: Means): Discover {
  return async (instance, signal) => {
    const way = DISCOVERIES.find((one) => instance.discover?.[one] !== undefined);
    if (way === undefined) throw new DiscoveryFailure(`${instance.id} has nothing to discover`);
    const discover = await WAYS[way]();
    return bounded(await discover(instance, means, signal), way);
  };
}

/** Twice what the Cluster's specification is made for (up to 1,000 nodes). */
const MOST_NODES = 2_000;

/** One seed that answers nonsense must not add thousands of addresses to a tick, each of which costs a time-out. AWS names what it runs itself. */
export function bounded(discovered: Discovered, way: (typeof DISCOVERIES)[number]): Discovered {
  const nodes = discovered.shards.reduce((sum, shard) => sum + shard.nodes.length, 0);
  if (nodes <= MOST_NODES || way === 'elasticache' || way === 'memorydb') return discovered;
  throw new DiscoveryFailure(
    `${nodes} nodes were named, and at most ${MOST_NODES} are accepted of one ${way}: is it the one that you mean?`,
    { isMistake: true },
  );
}
