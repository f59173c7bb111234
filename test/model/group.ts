import { addressOf } from '../../core/discovery/addresses.ts';
import type { Discovered } from '../../core/domain/discovered.ts';
import { DiscoveryFailure } from '../../core/ports/discovery.ts';
import { inventoryKey } from '../../core/state/keys.ts';
import { CART, nodeName } from './fleet.ts';
import type { SimulatedServer } from './server.ts';

/** Names of servers, or addresses, by shard; the first of each is its primary. */
export type Shards = readonly (readonly string[])[];

/** The Cluster whose nodes are found: what it is, and what a job that asks for it hears. */
export interface GroupOfModel {
  shards: Shards;
  /** No seed answers. */
  isFailing: boolean;
  isUnsettled: boolean;
  /** The addresses that the job knows while its discovery fails; undefined where that cannot be said, as after a write that may have failed. */
  known: Shards | undefined;
}

export const CART_SERVERS: readonly string[] = CART.nodes.map((_, index) => nodeName(CART.id, index));
const [a = '', b = '', c = '', d = '', e = '', f = ''] = CART_SERVERS;
export const CART_SHARDS: Shards = [[a, b], [c, d], [e]];
/** With the last server: one that is in no shard, at an address that no lease names, could not be reached. */
export const SHARDS_AT_REST: Shards = [
  [a, b],
  [c, d],
  [e, f],
];

export function aGroup(): GroupOfModel {
  return { shards: CART_SHARDS, isFailing: false, isUnsettled: false, known: undefined };
}

/** The second address of a server, to which it may move. */
function movedName(server: string): string {
  return server.replace('.redis.', '.moved.');
}

/** What the model calls the server of an address of its fleet. */
export function homeOf(address: string): string {
  return address.replace('.moved.', '.redis.');
}

interface Answering {
  readonly answering: ReadonlyMap<string, string>;
}

/** Where a server of the Cluster answers now. */
export function placeOf({ answering }: Answering, server: string): string {
  return answering.get(movedName(server)) === server ? movedName(server) : server;
}

export function move({ answering }: { readonly answering: Map<string, string> }, server: string, is: boolean): void {
  if (is) answering.set(server, 'no server').set(movedName(server), server);
  else answering.set(server, server).delete(movedName(server));
}

/** The answer of a discovery. */
export function discovered(group: GroupOfModel, world: Answering): Discovered {
  if (group.isFailing) throw new DiscoveryFailure('no seed answers');
  const shards = group.shards.map((servers) => ({
    group: '',
    nodes: servers.map((server) => ({ address: addressOf(placeOf(world, server), false), identity: server })),
  }));
  return { shards, leftOut: [], ...(group.isUnsettled && { unsettled: 'failover' }) };
}

interface WithGroup extends Answering {
  readonly group: GroupOfModel;
  readonly trouble: { readonly down: boolean };
}

/** The addresses, by shard, by which a job has to act, as far as the model can say. */
export function viewOf(world: WithGroup): Shards | undefined {
  if (!world.group.isFailing) return placed(world);
  return world.trouble.down ? undefined : world.group.known;
}

function placed(world: WithGroup): Shards {
  return world.group.shards.map((servers) => servers.map((server) => placeOf(world, server)));
}

/** After an invocation: what it has kept for the time when the discovery fails. */
export function remember(
  world: WithGroup & { readonly documents: ReadonlyMap<string, { readonly value: unknown }> },
  isWell: boolean,
): void {
  const { group, documents } = world;
  if (group.isFailing) return;
  const isGarbled = documents.get(inventoryKey(CART.id))?.value === GARBLED;
  if (isWell && !isGarbled) group.known = placed(world);
  else if (isGarbled || JSON.stringify(group.known) !== JSON.stringify(placed(world))) group.known = undefined;
}

/** What an inventory is after somebody has had a hand in it: no version of this program writes it. */
export const GARBLED = 'garbled';

/** Moves a server into a shard, or out of the Cluster. What is left of its shard has a primary; a shard without servers is gone. */
export function resharded(shards: Shards, server: string, to: number): Shards {
  const without = shards.map((servers) => servers.filter((one) => one !== server));
  const all = to < without.length ? without.map((its, index) => (index === to ? [...its, server] : its)) : without;
  const added = to === without.length ? [...all, [server]] : all;
  return added.filter((servers) => servers.length > 0);
}

/** Each server has the role that its place gives it. */
export function giveRoles(shards: Shards, servers: ReadonlyMap<string, SimulatedServer>): void {
  for (const its of shards)
    for (const [index, name] of its.entries()) {
      const server = servers.get(name);
      if (server) server.role = index === 0 ? 'primary' : 'replica';
    }
}
