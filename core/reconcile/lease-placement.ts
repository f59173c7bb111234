import { wasTaken } from '../actions/defrag/own-settings.ts';
import type { Config } from '../config/schema.ts';
import { withLeased } from '../discovery/resolve.ts';
import type { HeldLease, Leases } from '../leases/lease-store.ts';
import type { ReachedNode, UnreachedNode } from './observe-fleet.ts';

/**
 * Where each lease is to be ended, by node: at its address; or wherever else its server answers, when addresses have moved (a
 * failover behind names, a node that was renamed). A `run_id` is one process, under whatever name.
 */
export function placeLeases(
  state: Leases,
  looks: readonly (ReachedNode | UnreachedNode)[],
): ReadonlyMap<string, HeldLease> {
  const seen = looks.filter((look): look is ReachedNode => 'observation' in look);
  const serversOf = ({ lease: { runId } }: HeldLease) =>
    seen.filter(({ observation }) => runId !== '' && observation.runId === runId).map((look) => look.node.id);
  const placements = new Map<string, HeldLease>([...state.leases.values()].map((held) => [held.lease.node, held]));
  for (const [node, held] of [...placements]) {
    const servers = serversOf(held);
    const elsewhere = servers.find((server) => !placements.has(server));
    if (servers.includes(node) || elsewhere === undefined) continue;
    placements.delete(node);
    placements.set(elsewhere, held);
  }
  // A quarantined lease keeps the job from no node, and comes back with its server only.
  for (const held of state.quarantined) {
    const free = serversOf(held).find((server) => !placements.has(server));
    const isAwaited =
      isUnstarted(held) && !seen.some((look) => look.node.id === free && wasTaken(held.lease, look.observation));
    if (free !== undefined && !isAwaited) placements.set(free, held);
  }
  return placements;
}

/**
 * The config as discoveries have found it, with each node that has a lease. A quarantined lease comes back with its server, under whatever
 * address that has then.
 *
 * @param written as the config file has it
 */
export function withLeases(found: Config, { leases }: Leases, written: Config): Config {
  const held = [...leases.values()].map(({ lease }) => lease);
  return { ...found, instances: withLeased(found.instances, held, written.instances) };
}

/** A start that may still be under way. */
export function isUnstarted({ lease }: HeldLease): boolean {
  return lease.closing === 'never-started';
}

/** The process that answers at each address: its `run_id`, where it says one. */
export function runsOf(looks: readonly (ReachedNode | UnreachedNode)[]): ReadonlyMap<string, string> {
  return new Map(
    looks.flatMap((look) =>
      'observation' in look && look.observation.runId !== undefined ? [[look.node.id, look.observation.runId]] : [],
    ),
  );
}

/**
 * Nodes that are a server which the config names under another address, too, with that address: the one that a lease is on, else the one
 * that the config names first. A `run_id` is one process.
 */
export function duplicatesOf(
  looks: readonly (ReachedNode | UnreachedNode)[],
  placements: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const byRun = Map.groupBy(runsOf(looks), ([, runId]) => runId);
  return new Map(
    [...byRun.values()].flatMap((nodes) => {
      const names = nodes.map(([node]) => node);
      const main = names.find((node) => placements.has(node)) ?? names[0];
      return names.flatMap((node) => (node === main || main === undefined ? [] : [[node, main] as const]));
    }),
  );
}
