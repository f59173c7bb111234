import { address } from '../adapters/redis/failure.ts';
import { type ClusterLine, isLive, isSelf } from '../domain/cluster-line.ts';
import type { UnlistedNode } from '../domain/discovered.ts';
import type { Observation } from '../domain/observation.ts';

// Nodes that no instance names, by what those say that one names.

/** What is known by name: addresses as the config has them, and ids of nodes that a discovery has found. */
export interface Named {
  readonly addresses: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
}

/**
 * Of a Cluster: those that are live and not known by name. A node may be named by an address that its Cluster does not use (NAT, a name): see
 * `addressesIn`. The node that was asked is named in any case.
 */
export function unlistedIn(lines: readonly ClusterLine[], { addresses, ids }: Named): readonly UnlistedNode[] {
  return lines
    .filter((line) => isLive(line) && !isSelf(line) && !ids.has(line.id))
    .filter((line) => !addressesOf(line).some((one) => addresses.has(one)))
    .map(({ id, host, port }) => ({ id, address: address({ host, port }) }));
}

/** The addresses that the Cluster itself uses. Of a node that the config names by another one, only the node says which one of them it is. */
export function addressesIn(lines: readonly ClusterLine[]): ReadonlySet<string> {
  return new Set(lines.flatMap(addressesOf));
}

function addressesOf({ host, hostname, port }: ClusterLine): readonly string[] {
  return [host, ...(hostname === undefined ? [] : [hostname])].map((one) => address({ host: one.toLowerCase(), port }));
}

/**
 * Without a Cluster: replicas that the nodes of an instance have, all of which were observed. A replica has no id, and its primary may know it by
 * another address than the config: then the numbers decide whether one is missing, and which one it is cannot be known (undefined).
 */
export function unlistedReplicas(
  observed: readonly Observation[],
  { addresses }: Named,
): readonly UnlistedNode[] | undefined {
  const listed = new Set(observed.flatMap(({ replication }) => replication.replicas ?? []));
  const replicas = observed.filter(({ replication }) => replication.role === 'replica');
  const missing = listed.size - new Set(replicas.map(({ runId, node }) => runId ?? node)).size;
  const unknown = [...listed].filter((one) => !addresses.has(one));
  if (missing <= 0 || unknown.length === 0) return [];
  return unknown.length === missing ? unknown.map((one) => ({ id: one, address: one })) : undefined;
}
