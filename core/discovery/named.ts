import { type FleetChange, type FoundNode, type FoundShard, type NamedShard, shardId } from '../domain/discovered.ts';

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

function nameGroup(found: readonly FoundShard[], earlier: readonly NamedShard[]): readonly NamedShard[] {
  const places = placesIn(earlier);
  const shards = joined(found, places);
  const kept = new Map<FoundShard, string>();
  const taken = new Set<string>();
  const pairs = shards
    .filter(({ name }) => name === undefined)
    .flatMap((shard) => sharedWith(shard, places).map(({ index, shared }) => ({ shard, index, shared })))
    .toSorted((a, b) => b.shared - a.shared);
  for (const { shard, index } of pairs) {
    const name = earlier[index]?.name;
    if (name === undefined || kept.has(shard) || taken.has(name)) continue;
    kept.set(shard, name);
    taken.add(name);
  }
  let last = earlier.reduce((most, { name }) => Math.max(most, Number.isInteger(Number(name)) ? Number(name) : 0), 0);
  return shards.map((shard) => ({ ...shard, name: shard.name ?? kept.get(shard) ?? numbered(++last) }));
}

/**
 * A primary that has failed stays in the shard that it had, though its Cluster says no more whose it was. Alone it would take the name from the
 * node that has the data now, and with it its pauses and histories; and that node would not be left alone while it lacks its replica.
 */
function joined(found: readonly FoundShard[], places: Places): readonly FoundShard[] {
  const failed = found.filter(({ isFailed }) => isFailed);
  if (failed.length === 0) return found;
  const standing = found.filter(({ isFailed }) => !isFailed);
  const pairs = standing.flatMap((shard) => sharedWith(shard, places).map((place) => ({ shard, ...place })));
  const now = new Map(pairs.toSorted((a, b) => a.shared - b.shared).map(({ index, shard }) => [index, shard]));
  const comers = Map.groupBy(failed, (shard) => {
    const [first] = sharedWith(shard, places);
    return first && now.get(first.index);
  });
  return [
    ...standing.map((shard) => {
      const more = (comers.get(shard) ?? []).flatMap(({ nodes }) => nodes);
      return { ...shard, nodes: [...shard.nodes, ...more.map((node) => ({ ...node, role: 'replica' as const }))] };
    }),
    ...(comers.get(undefined) ?? []).map(({ isFailed: _, ...shard }) => shard),
  ];
}

type Places = ReadonlyMap<string, readonly number[]>;

/** Where each address and each identity was: the places of the shards in `earlier`. A Cluster of 1,000 shards has a million pairs. */
function placesIn(earlier: readonly NamedShard[]): Places {
  const all = earlier.flatMap(({ nodes }, index) => nodes.flatMap(namesOf).map((name) => ({ name, index })));
  const byName = Map.groupBy(all, ({ name }) => name);
  return new Map([...byName].map(([name, its]) => [name, its.map(({ index }) => index)]));
}

function namesOf({ address, identity }: FoundNode): readonly string[] {
  return [address.id, identity ?? address.id];
}

/** The earlier shards with which it has nodes in common, and how many, in the order of `earlier`. */
function sharedWith({ nodes }: FoundShard, places: Places) {
  const found = nodes.flatMap((node) => [...new Set(namesOf(node).flatMap((name) => places.get(name) ?? []))]);
  return [...Map.groupBy(found, (index) => index)]
    .map(([index, its]) => ({ index, shared: its.length }))
    .toSorted((a, b) => a.index - b.index);
}

function numbered(index: number): string {
  return String(index).padStart(4, '0');
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
