import { type FleetChange, type FoundShard, type NamedShard, shardId } from '../domain/discovered.ts';

/**
 * The shards of a discovery with names that stay. A shard of a Redis Cluster has no name in any version's CLUSTER SHARDS, and its slots move:
 * it keeps the name of the earlier shard with which it shares the most nodes, by their identity or address; a new one gets the next number.
 */
export function nameShards(found: readonly FoundShard[], earlier: readonly NamedShard[]): readonly NamedShard[] {
  return [...Map.groupBy(found, ({ group }) => group)].flatMap(([group, shards]) =>
    nameGroup(
      shards,
      earlier.filter((one) => one.group === group),
    ),
  );
}

function nameGroup(shards: readonly FoundShard[], earlier: readonly NamedShard[]): readonly NamedShard[] {
  const free = [...earlier];
  const kept = new Map<FoundShard, string>();
  const pairs = shards
    .filter(({ name }) => name === undefined)
    .flatMap((shard) => free.map((before) => ({ shard, before, shared: sharedNodes(shard, before) })))
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.shared - a.shared);
  for (const { shard, before } of pairs)
    if (!kept.has(shard) && ![...kept.values()].includes(before.name)) kept.set(shard, before.name);
  let last = Math.max(0, ...earlier.map(({ name }) => Number(name)).filter(Number.isInteger));
  return shards.map((shard) => ({ ...shard, name: shard.name ?? kept.get(shard) ?? numbered(++last) }));
}

function numbered(index: number): string {
  return String(index).padStart(4, '0');
}

function sharedNodes(shard: FoundShard, before: FoundShard): number {
  const known = new Set(before.nodes.flatMap(({ address, identity }) => [address.id, identity ?? address.id]));
  return shard.nodes.filter(({ address, identity }) => known.has(address.id) || known.has(identity ?? address.id))
    .length;
}

/** What has come and gone since the inventory before. Nodes that only changed shards are neither. */
export function changesBetween(
  by: string,
  earlier: readonly NamedShard[],
  now: readonly NamedShard[],
): readonly FleetChange[] {
  const before = addressesIn(by, earlier);
  const after = addressesIn(by, now);
  return [
    ...[...after].flatMap(([node, instance]): FleetChange[] =>
      before.has(node) ? [] : [{ kind: 'node-found', instance, node }],
    ),
    ...[...before].flatMap(([node, instance]): FleetChange[] =>
      after.has(node) ? [] : [{ kind: 'node-gone', instance, node }],
    ),
  ];
}

function addressesIn(by: string, shards: readonly NamedShard[]): ReadonlyMap<string, string> {
  return new Map(shards.flatMap((shard) => shard.nodes.map(({ address }) => [address.id, shardId(by, shard)])));
}
