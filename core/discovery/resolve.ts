import type { InstanceConfig } from '../config/schema.ts';
import type { NamedShard } from '../domain/discovered.ts';
import { addressOf } from './addresses.ts';
import { idOf } from './named.ts';

/** The instances that the shards of a discovery become, each with the settings of the config's instance and what its tags say. */
export function instancesOf(template: InstanceConfig, shards: readonly NamedShard[]): readonly InstanceConfig[] {
  const { discover: _, ...shared } = template;
  return shards.map((shard) => {
    const { overrides = {}, managed } = shard;
    const { memoryLimit, maxStall, pausedUntil, acts } = overrides;
    return {
      ...shared,
      id: idOf(template.id, shard),
      nodes: shard.nodes.map(({ address }) => address),
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(maxStall !== undefined && { defrag: { ...shared.defrag, maxStall } }),
      ...(acts === false && { windows: [] }),
      found: {
        by: template.id,
        group: idOf(template.id, { ...shard, name: '' }),
        ...(managed && { managed }),
        ...(pausedUntil !== undefined && { pausedUntil }),
      },
    };
  });
}

/**
 * The instances with every node on which Offpeak has a lease. A discovery that no longer names a node (its cluster calls it failed, it was
 * taken out) does not end what is on there.
 */
export function withLeased(
  instances: readonly InstanceConfig[],
  leases: readonly { readonly instance: string; readonly node: string }[],
): readonly InstanceConfig[] {
  const known = new Set(instances.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  return instances.map((instance) => {
    if (!instance.found) return instance;
    const missing = leases.filter((lease) => lease.instance === instance.id && !known.has(lease.node));
    const [sibling] = instance.nodes;
    const nodes = missing.map(({ node }) => addressOf(node, sibling?.tls ?? false));
    return nodes.length === 0 ? instance : { ...instance, nodes: [...instance.nodes, ...nodes] };
  });
}

/** Each node once: what the config names itself wins, then what comes first. Returns what was left out as well. */
export function withoutDoubles(instances: readonly InstanceConfig[]): {
  readonly instances: readonly InstanceConfig[];
  readonly leftOut: readonly string[];
} {
  const owner = new Map<string, string>();
  for (const { id, nodes } of [...instances].sort((a, b) => Number(Boolean(a.found)) - Number(Boolean(b.found))))
    for (const node of nodes) if (!owner.has(node.id)) owner.set(node.id, id);
  const leftOut: string[] = [];
  const kept = instances.flatMap((instance) => {
    const nodes = instance.nodes.filter((node) => owner.get(node.id) === instance.id);
    for (const node of instance.nodes)
      if (!nodes.includes(node))
        leftOut.push(`${instance.id}: ${node.id} is left out, because ${owner.get(node.id)} has it already`);
    return nodes.length === 0 ? [] : [nodes.length === instance.nodes.length ? instance : { ...instance, nodes }];
  });
  return { instances: kept, leftOut };
}
