import { boundIn } from './bound.ts';
import type { Config, InstanceConfig } from './schema.ts';

type Nodes = Pick<InstanceConfig, 'nodes' | 'discover' | 'found'>;

/** Whether the config names a node, by its address alone: an instance that was renamed still has the same servers. */
export function isNamed(node: string, { instances }: Pick<Config, 'instances'>): boolean {
  return instances.some(({ nodes }) => nodes.some(({ id }) => id === node));
}

/**
 * Up to this many nodes, each has alarms of its own: $0.60 a month for each node. With more nodes, the job itself reports the troubles of a node
 * (`reconcile/troubles.ts`); it also counts the nodes that cross their thresholds, and one alarm watches each count: $1.30 a month, however many
 * nodes there are.
 */
const MOST_NODES_WITH_ALARMS = 25;

/**
 * Whether the job reports the troubles of nodes, and alarms watch counts. The job that publishes and the stack that watches must agree: what is discovered has no
 * alarms of its own, however few nodes there are, since the stack does not know them.
 */
export function isFleet({ instances, fleet }: FleetOf): boolean {
  if (instances.some(({ discover, found }) => discover ?? found)) return true;
  return usesQueue({ instances, fleet }) || nodesIn(instances) > MOST_NODES_WITH_ALARMS;
}

interface FleetOf extends Pick<Config, 'fleet'> {
  readonly instances: readonly Nodes[];
}

/** One function checks so many nodes within seconds, and has sockets for them. */
export const MOST_NODES_IN_ONE_FUNCTION = 1_000;

/**
 * Whether several functions share the nodes, by way of a queue. It is known when the stack is packaged, and the functions of the stack agree
 * with it. So nodes that are discovered do not count: a stage with more of them asks for the queue.
 */
export function usesQueue({ instances, fleet: { queue } }: FleetOf): boolean {
  return queue === 'always' || (queue === 'auto' && nodesIn(instances) > MOST_NODES_IN_ONE_FUNCTION);
}

/** Nodes that are named, and those that a discovery has resolved. */
export function nodesIn(instances: readonly Pick<InstanceConfig, 'nodes'>[]): number {
  return instances.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

/** How many workers may run at once. Each defrag keeps one until it ends, and the others must not wait for that. */
export function workersOf({
  fleet,
  maxDefragsAtOnce,
  instances,
}: Pick<Config, 'fleet' | 'maxDefragsAtOnce' | 'instances'>): number {
  // As SQS takes it; a share of nodes that are still to be found counts as of those that are named.
  return Math.min(1000, Math.max(fleet.workers, boundIn(maxDefragsAtOnce, nodesIn(instances)) + 2));
}

/** The addresses of all its nodes. */
export function nodesOf({ instances }: Pick<Config, 'instances'>): readonly string[] {
  return instances.flatMap(({ nodes }) => nodes.map(({ id }) => id));
}
