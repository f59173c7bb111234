import { type Milliseconds, SECOND } from '../config/units.ts';
import { addressesIn, type Named, unlistedIn, unlistedReplicas } from '../discovery/unlisted.ts';
import { type ClusterLine, isSelf } from '../domain/cluster-line.ts';
import type { UnlistedNode } from '../domain/discovered.ts';
import { NodeFailure } from '../ports/node-session.ts';
import type { Ports } from '../ports/ports.ts';
import type { ReachedNode, UnreachedNode } from './observe-fleet.ts';

// What the nodes of an instance say of nodes beside them.

export type Look = ReachedNode | UnreachedNode;

const TIMEOUT: Milliseconds = 5 * SECOND;

export function isOfCluster(look: Look): look is ReachedNode {
  return 'observation' in look && look.observation.isCluster === true;
}

/** By what was observed. Undefined: it cannot be known now. */
export function replicasAround(own: readonly Look[], named: Named): readonly UnlistedNode[] | undefined {
  const observed = own.flatMap((look) => ('observation' in look ? [look.observation] : []));
  const unlisted = unlistedReplicas(observed, named);
  // A node that does not answer to us may be the one.
  return observed.length < own.length && unlisted?.length !== 0 ? undefined : unlisted;
}

export interface Around {
  readonly ports: Pick<Ports, 'open'>;
  /** Of all instances. */
  readonly all: readonly Look[];
  readonly named: Named;
  /** Other nodes of the config are checked by other workers. */
  readonly isPart: boolean;
  readonly idOf: IdOf;
}

/** What its Cluster calls a node. Undefined: it does not say so now, or there is no time to ask it. */
type IdOf = (look: ReachedNode) => Promise<string | undefined>;

/** Asks each node once in a tick: the instances that share a Cluster all have to know which nodes the others name. */
export function idsOnce(ports: Pick<Ports, 'open'>, isTimeLeft: () => boolean): IdOf {
  const asked = new Map<string, Promise<string | undefined>>();
  const ask = async (look: ReachedNode) => (await linesOf(look, ports))?.find(isSelf)?.id;
  return async (look) => {
    const { id } = look.node;
    if (!asked.has(id) && isTimeLeft()) asked.set(id, ask(look));
    return await asked.get(id);
  };
}

/**
 * Asks one node of the Cluster, and those that the config names by an address which the Cluster does not use. Undefined: it cannot be known
 * now.
 */
export async function clusterAround(
  own: readonly Look[],
  { ports, all, named, isPart, idOf }: Around,
): Promise<readonly UnlistedNode[] | undefined> {
  const first = own.find(isOfCluster);
  const lines = first && (await linesOf(first, ports));
  if (!lines) return undefined;
  const used = addressesIn(lines);
  const isHidden = ({ node }: Look) => !used.has(node.id.toLowerCase());
  const rest = new Map(unlistedIn(lines, named).map((one) => [one.id, one]));
  if (rest.size === 0) return [];
  // A node that does not answer to us may be one of them, and so may those of other workers.
  if (own.some((look) => isHidden(look) && (isPart || !isOfCluster(look)))) return undefined;
  const ids = new Set(lines.map(({ id }) => id));
  const members = new Set(all.filter((look) => isOfCluster(look) && !isHidden(look)).map(({ instance }) => instance));
  for (const hidden of all.filter(isOfCluster).filter((one) => one !== first && isHidden(one))) {
    if (rest.size === 0) return [];
    const id = await idOf(hidden);
    if (id === undefined) return undefined;
    if (ids.has(id)) members.add(hidden.instance);
    rest.delete(id);
  }
  return all.some((look) => !('observation' in look) && isHidden(look) && members.has(look.instance))
    ? undefined
    : [...rest.values()];
}

/** A node that refuses CLUSTER NODES, or is gone again, says nothing. */
async function linesOf(
  { instance, node }: ReachedNode,
  { open }: Pick<Ports, 'open'>,
): Promise<readonly ClusterLine[] | undefined> {
  try {
    const session = await open(instance, node, AbortSignal.timeout(TIMEOUT));
    try {
      return await session.clusterLines();
    } finally {
      session.close();
    }
  } catch (error) {
    if (error instanceof NodeFailure) return undefined;
    throw error;
  }
}
