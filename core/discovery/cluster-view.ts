import type { NodeAddress } from '../config/address.ts';
import type { Discovered, FoundNode, FoundShard } from '../domain/discovered.ts';
import { fieldsIn, foundAddress } from './addresses.ts';

/** What one node says of its cluster. */
export interface ClusterView {
  readonly seed: string;
  /** `cluster_state:ok` */
  readonly isUp: boolean;
  /** Some node serves a slot. None does in a cluster that was reset, or that is not set up yet. */
  readonly hasSlots: boolean;
  readonly shards: readonly FoundShard[];
  readonly leftOut: readonly string[];
}

export interface Terms {
  readonly seed: NodeAddress;
  readonly natMap: Readonly<Record<string, string>> | undefined;
}

/** One node as a reply names it, or why it is left out. */
type Named = FoundNode | string;

/** The same, with what its cluster says of it. */
export interface Member {
  readonly named: Named;
  readonly isFailed: boolean;
}

/** One shard as a reply describes it. */
export interface Part {
  readonly members: readonly Member[];
  readonly hasSlots: boolean;
}

/**
 * CLUSTER SHARDS, in which `endpoint` is the address that the server prefers (`cluster-preferred-endpoint-type`); null: the one that was
 * asked; `?`: it has none to give (cluster_legacy.c, `addShardReplyForClusterShards`).
 */
export function fromShards(reply: unknown, isUp: boolean, terms: Terms): ClusterView {
  const lists = (Array.isArray(reply) ? reply : []).map(fieldsIn);
  const parts = lists.map((fields): Part => {
    const nodes = fields.get('nodes');
    const members = (Array.isArray(nodes) ? nodes : []).map((node): Member => {
      const of = fieldsIn(node);
      return { named: nodeOfShard(of, terms), isFailed: of.get('health') === 'fail' };
    });
    return { members, hasSlots: isFilled(fields.get('slots')) };
  });
  return viewOf(withoutReplaced(parts), isUp, terms);
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

/** A new node may have the address of a failed one that the cluster has not forgotten. */
export function withoutReplaced(parts: readonly Part[]): readonly Part[] {
  const all = parts.flatMap(({ members }) => members);
  const live = new Set(all.flatMap(({ named, isFailed }) => (isFailed ? [] : [placeIn(named)])));
  const isReplaced = ({ named, isFailed }: Member) => isFailed && live.has(placeIn(named));
  return parts.map((part) => ({ ...part, members: part.members.filter((one) => !isReplaced(one)) }));
}

function placeIn(named: Named): string | undefined {
  return typeof named === 'string' ? undefined : named.address.id;
}

/** What the cluster calls failed stays: its shard lacks a copy, and that it does not answer has to be seen. */
function nodeOfShard(fields: ReadonlyMap<string, unknown>, { seed, natMap }: Terms): Named {
  const id = String(fields.get('id') ?? '');
  const said = fields.get('endpoint');
  const host = said === null || said === '' ? seed.host : String(said ?? fields.get('ip') ?? '');
  const port = Number((seed.tls ? fields.get('tls-port') : undefined) ?? fields.get('port'));
  const address = foundAddress(host, port, { tls: seed.tls, natMap });
  if (address === undefined) return unaddressed(id);
  const role = fields.get('role') === 'replica' ? 'replica' : 'primary';
  return { address, identity: id, role };
}

export function unaddressed(id: string): string {
  const [short] = /^[\da-f]{8}/.exec(id) ?? [];
  return `${short === undefined ? 'a node' : `node ${short}`} is left out: the cluster says no address for it`;
}

/**
 * CLUSTER SLOTS, where a user may ask nothing else: a line for each range of slots, the primary first. It names no node without slots, and no
 * replica that has failed.
 */
export function fromSlots(reply: unknown, isUp: boolean, terms: Terms): ClusterView {
  const { seed, natMap } = terms;
  const byPrimary = new Map<string, Part>();
  for (const range of Array.isArray(reply) ? reply : []) {
    const nodes: unknown[] = Array.isArray(range) ? range.slice(2) : [];
    const named = nodes.map((node, index): Named => {
      const [said, port, id] = Array.isArray(node) ? node : [];
      const host = said === null || said === '' ? seed.host : String(said);
      const address = foundAddress(host, Number(port), { tls: seed.tls, natMap });
      if (address === undefined) return unaddressed(String(id));
      const role = index === 0 ? 'primary' : 'replica';
      return { address, ...(id !== undefined && { identity: String(id) }), role };
    });
    const [primary] = named;
    const members = named.map((one): Member => ({ named: one, isFailed: false }));
    if (primary !== undefined) byPrimary.set(placeIn(primary) ?? String(primary), { members, hasSlots: true });
  }
  return viewOf([...byPrimary.values()], isUp, terms);
}

export function viewOf(parts: readonly Part[], isUp: boolean, { seed }: Terms): ClusterView {
  return {
    seed: seed.id,
    isUp,
    hasSlots: parts.some(({ hasSlots }) => hasSlots),
    shards: parts.map(shardIn).filter(({ nodes }) => nodes.length > 0),
    leftOut: parts.flatMap(({ members }) => members.map(({ named }) => named)).filter((one) => typeof one === 'string'),
  };
}

function shardIn({ members, hasSlots }: Part): FoundShard {
  const nodes = members.map(({ named }) => named).filter((node) => typeof node !== 'string');
  const isGone = !hasSlots && members.every(({ isFailed }) => isFailed);
  return { group: '', nodes, ...(isGone && { isFailed: true }) };
}

/**
 * The view to believe: of a cluster that is up, the one with the most nodes. Undefined: there is none; a node that was reset is alone in a
 * cluster without slots, which must not take the place of what was found before. A sentence: the seeds are of several clusters that are up, and
 * which of them is meant cannot be known.
 */
export function chooseView(views: readonly ClusterView[]): ClusterView | string | undefined {
  const known = views.filter(({ shards, hasSlots }) => shards.length > 0 && hasSlots);
  const [best, ...others] = known.toSorted((a, b) => Number(b.isUp) - Number(a.isUp) || sizeOf(b) - sizeOf(a));
  if (!best) return undefined;
  const own = identitiesIn(best);
  const foreign = others.find((view) => view.isUp && ![...identitiesIn(view)].some((id) => own.has(id)));
  if (!foreign) return best;
  return `the seeds ${best.seed} and ${foreign.seed} are of different clusters, which share no node: name the seeds of one`;
}

function sizeOf({ shards }: ClusterView): number {
  return shards.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

function identitiesIn({ shards }: ClusterView): ReadonlySet<string> {
  return new Set(shards.flatMap(({ nodes }) => nodes.map(({ identity, address }) => identity ?? address.id)));
}

export function shardsIn({ shards, leftOut, isUp, seed }: ClusterView): Discovered {
  const state = isUp ? [] : [`${seed} says that its cluster is down (cluster_state): nothing is started there`];
  return { shards, leftOut: [...leftOut, ...state], ...(!isUp && { unsettled: 'cluster-down' }) };
}
