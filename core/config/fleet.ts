import type { Config, InstanceConfig } from './schema.ts';

/** Whether the config names a node, by its address alone: an instance that was renamed still has the same servers. */
export function isNamed(node: string, { instances }: Pick<Config, 'instances'>): boolean {
  return instances.some(({ nodes }) => nodes.some(({ id }) => id === node));
}

/**
 * Up to this many nodes, each has alarms of its own: $0.60 a month for each node. With more nodes, the job itself reports the troubles of a node
 * (`reconcile/troubles.ts`); it also counts the nodes that cross their thresholds, and one alarm watches each count: $1.30 a month, however many
 * nodes there are.
 */
export const MOST_NODES_WITH_ALARMS = 25;

/**
 * Whether the job reports the troubles of nodes, and alarms watch counts. The job that publishes and the stack that watches must agree: what is discovered has no
 * alarms of its own, however few nodes there are, since the stack does not know them.
 */
export function isFleet(instances: readonly Pick<InstanceConfig, 'nodes' | 'discover' | 'found'>[]): boolean {
  if (instances.some(({ discover, found }) => discover ?? found)) return true;
  return instances.reduce((sum, { nodes }) => sum + nodes.length, 0) > MOST_NODES_WITH_ALARMS;
}

/** The addresses of all its nodes. */
export function nodesOf({ instances }: Pick<Config, 'instances'>): readonly string[] {
  return instances.flatMap(({ nodes }) => nodes.map(({ id }) => id));
}
