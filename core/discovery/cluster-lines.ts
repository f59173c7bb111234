import { clusterLines } from '../adapters/redis/cluster-nodes.ts';
import { type ClusterLine, hasFailed, isGreeted, isReplica, isSelf } from '../domain/cluster-line.ts';
import { foundAddress } from './addresses.ts';
import {
  type ClusterView,
  type Member,
  type Part,
  type Terms,
  unaddressed,
  viewOf,
  withoutReplaced,
} from './cluster-view.ts';

/**
 * CLUSTER NODES, before Redis 7.0, which has no CLUSTER SHARDS. Other than CLUSTER SLOTS, it names what has failed, and what serves no slot.
 *
 * @param preferred the reply of CLUSTER SLOTS where nodes have hostnames: it alone says whether the server prefers them
 */
export function fromNodes(text: string, isUp: boolean, terms: Terms, preferred?: unknown): ClusterView {
  const lines = clusterLines(text).filter((line) => !isGreeted(line));
  const said = endpointsIn(preferred);
  const byHostname = lines.some((line) => line.hostname !== undefined && said.get(line.id) === line.hostname);
  const byId = new Map(lines.map((line) => [line.id, line]));
  const shards = Map.groupBy(lines, (line) => primaryOf(line, byId));
  const parts = [...shards.values()].map((its): Part => {
    const members = its
      .toSorted((a, b) => Number(isReplica(a)) - Number(isReplica(b)))
      .map((line): Member => {
        const host = hostOf(line, terms, { said, byHostname });
        return { named: named(line, host, terms), isFailed: hasFailed(line) };
      });
    return { members, hasSlots: its.some(({ ranges }) => ranges > 0) };
  });
  return viewOf(withoutReplaced(parts), isUp, terms);
}

/** Whether some node has a hostname, so that the addresses of CLUSTER NODES may not be those that the server prefers. */
export function hasHostnames(text: string): boolean {
  return clusterLines(text).some(({ hostname }) => hostname !== undefined);
}

/** The id of the primary whose data it holds. While roles change, a replica may follow one that is a replica itself by now. */
function primaryOf(line: ClusterLine, byId: ReadonlyMap<string, ClusterLine>): string {
  let at = line;
  for (let steps = 0; steps < byId.size && isReplica(at) && at.primary !== undefined; steps++) {
    const next = byId.get(at.primary);
    if (next === undefined) return at.primary;
    at = next;
  }
  return at.id;
}

interface Preference {
  readonly said: ReadonlyMap<string, string>;
  readonly byHostname: boolean;
}

/** What has failed is in no reply of CLUSTER SLOTS: it has the kind of address that the others have. */
function hostOf({ id, host, hostname, ...line }: ClusterLine, { seed }: Terms, { said, byHostname }: Preference) {
  const own = isSelf({ id, host, ...line }) && host === '' ? seed.host : host;
  return said.get(id) ?? (byHostname ? (hostname ?? own) : own);
}

function named(line: ClusterLine, host: string, { seed, natMap }: Terms): Member['named'] {
  // Before Redis 4.0 a node has no port of its own as long as it does not know its address.
  const port = line.port === 0 && isSelf(line) ? seed.port : line.port;
  const address = foundAddress(host, port, { tls: seed.tls, natMap });
  if (address === undefined) return unaddressed(line.id);
  return { address, identity: line.id, role: isReplica(line) ? 'replica' : 'primary' };
}

/** By id: the endpoint of each node that CLUSTER SLOTS names. */
function endpointsIn(reply: unknown): ReadonlyMap<string, string> {
  const nodes = (Array.isArray(reply) ? reply : []).flatMap((range): unknown[] =>
    Array.isArray(range) ? range.slice(2) : [],
  );
  return new Map(
    nodes.flatMap((node) => {
      const [host, , id] = Array.isArray(node) ? node : [];
      return typeof host === 'string' && host !== '' && typeof id === 'string' ? [[id, host] as const] : [];
    }),
  );
}
