import { DISCOVERIES } from '../config/discover.ts';
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
    return await discover(instance, means, signal);
  };
}
