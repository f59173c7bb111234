import { MANAGED_SERVICES } from '../config/iam.ts';
import type { InstanceConfig, Unsettled } from '../config/schema.ts';
import { type NamedShard, shardId } from '../domain/discovered.ts';
import type { Lease } from '../domain/lease.ts';
import { covers } from '../domain/pause.ts';
import { present } from '../domain/present.ts';
import { addressOf } from './addresses.ts';

/** The instances that the shards of a discovery become, each with the settings of the config's instance and what its tags say. */
export function instancesOf(
  template: InstanceConfig,
  shards: readonly NamedShard[],
  unsettled?: Unsettled,
): readonly InstanceConfig[] {
  const { discover: _, ...shared } = template;
  const siblings = new Map([...Map.groupBy(shards, ({ group }) => group)].map(([group, its]) => [group, its.length]));
  return shards.map((shard) => {
    const { overrides = {}, managed } = shard;
    const { memoryLimit, maxStall, pausedUntil, acts } = overrides;
    return {
      ...shared,
      id: shardId(template.id, shard),
      nodes: shard.nodes.map(({ address }) => address),
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(maxStall !== undefined && { defrag: { ...shared.defrag, maxStall } }),
      found: {
        by: template.id,
        group: shardId(template.id, { ...shard, name: '' }),
        ...(siblings.get(shard.group) !== 1 && { shards: siblings.get(shard.group) ?? 1 }),
        ...present({ managed, unsettled }),
        ...(pausedUntil !== undefined && { pausedUntil }),
        ...(acts === false && { acts }),
      },
    };
  });
}

/**
 * The instances with every node on which Offpeak has a lease. A discovery that no longer names a node (it was replaced, it was
 * taken out, a tag says to leave it alone) does not leave on what is on there: the node comes back as one that is only watched, which ends its
 * run. So does a shard that is gone as a whole.
 *
 * @param written the instances as the config has them
 */
export function withLeased(
  instances: readonly InstanceConfig[],
  leases: readonly Pick<Lease, 'instance' | 'node' | 'tls'>[],
  written: readonly InstanceConfig[],
): readonly InstanceConfig[] {
  const known = new Set(instances.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  const missing = Map.groupBy(
    leases.filter(({ node }) => !known.has(node)),
    ({ instance }) => instance,
  );
  const kept = instances.map((instance) => {
    if (!instance.found) return instance;
    const [sibling] = instance.nodes;
    const nodes = (missing.get(instance.id) ?? []).map(({ node, tls = sibling?.tls ?? false }) => addressOf(node, tls));
    if (nodes.length === 0) return instance;
    const found = { ...instance.found, dropped: nodes.map(({ id }) => id) };
    return { ...instance, nodes: [...instance.nodes, ...nodes], found };
  });
  const gone = [...missing].filter(([id]) => !instances.some((instance) => instance.id === id));
  return [...kept, ...gone.flatMap(([id, its]) => goneShard(id, its, written))];
}

function goneShard(
  id: string,
  leases: readonly Pick<Lease, 'node' | 'tls'>[],
  written: readonly InstanceConfig[],
): readonly InstanceConfig[] {
  const template = written.find(({ id: by, discover }) => discover && covers(by, id));
  if (!template) return [];
  const { discover, ...shared } = template;
  const service = MANAGED_SERVICES.find((one) => discover?.[one]);
  const [, group = ''] = service ? id.split('/') : [];
  const region = service && discover?.[service]?.region;
  // Only what a sign-in needs is known: what AWS does to it now is not.
  const managed = service && { service, group, status: 'available', ...(region !== undefined && { region }) };
  const nodes = leases.map(({ node, tls = shared.tls !== undefined }) => addressOf(node, tls));
  const found = { by: template.id, group: shardId(template.id, { group, name: '' }), acts: false } as const;
  return [{ ...shared, id, nodes, found: { ...found, ...(managed && { managed }) } }];
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
