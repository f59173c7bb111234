import type { NodeAddress } from '../core/config/address.ts';
import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { type Milliseconds, SECOND } from '../core/config/units.ts';
import { DiscoveryFailure } from '../core/ports/discovery.ts';
import type { Ports } from '../core/ports/ports.ts';
import { auditFleet } from '../core/reconcile/audit-fleet.ts';
import type { NodeAudit } from '../core/reconcile/audit-node.ts';
import { WHOLE_FLEET } from '../core/reconcile/scope.ts';

// Which instances a config should have for the servers that were named: what can be discovered is not written node by node.

/** One instance of a config that is to be written. */
export interface Entry {
  /** What was seen of its nodes, as far as they were asked. */
  readonly nodes: readonly NodeAudit[];
  /** As they were typed: how to sign in there, and over which TLS. */
  readonly typed: readonly InstanceConfig[];
  readonly place: Place;
}

export type Place =
  /** Its nodes are written. */
  | { readonly kind: 'nodes' }
  /** A Cluster of which some nodes were typed. */
  | { readonly kind: 'cluster'; readonly shards: number; readonly size: number }
  /** What was typed are sentinels; `name` is what they call the primary. */
  | { readonly kind: 'sentinel'; readonly name: string };

const CLUSTER_TIMEOUT: Milliseconds = 20 * SECOND;

/** In the order in which they were typed. Servers that do not answer are entries as well. */
export async function entriesOf(audits: readonly NodeAudit[], config: Config, ports: Ports): Promise<readonly Entry[]> {
  const sets = await sentinelSets(audits, config, ports);
  const watched = new Set(sets.flatMap(({ nodes }) => nodes.map(({ node }) => node)));
  const others = audits.filter(({ node, problem }) => !problem?.watches?.length && !watched.has(node));
  const clusters = await clustersOf(others, config, ports);
  const groups = Map.groupBy(others, (audit) => clusters.get(audit)?.key ?? replicationOf(audit));
  const named = [...groups.values()].map((nodes): Entry => {
    const { shards, size } = clusters.get(nodes[0] as NodeAudit) ?? {};
    const isCluster = shards !== undefined && size !== undefined;
    return {
      nodes,
      typed: typedOf(nodes, config),
      place: isCluster ? { kind: 'cluster', shards, size } : { kind: 'nodes' },
    };
  });
  return [...sets, ...named];
}

/** A primary and its replicas share the id of their replication. */
function replicationOf({ node, facts }: NodeAudit): string {
  return facts?.inquiry.replicationId ?? node;
}

function typedOf(nodes: readonly NodeAudit[], { instances }: Pick<Config, 'instances'>): readonly InstanceConfig[] {
  return nodes.flatMap(({ instance }) => instances.find(({ id }) => id === instance) ?? []);
}

/** One for each primary, with all sentinels that were typed and watch it; its nodes are asked as a tick would. */
async function sentinelSets(audits: readonly NodeAudit[], config: Config, ports: Ports): Promise<readonly Entry[]> {
  const pairs = audits.flatMap((audit) => (audit.problem?.watches ?? []).map((primary) => ({ audit, ...primary })));
  const sets = [...Map.groupBy(pairs, ({ name, address }) => `${name} ${address}`).values()];
  return await Promise.all(
    sets.map(async (set): Promise<Entry> => {
      const [{ name } = { name: '' }] = set;
      const typed = typedOf(
        set.map(({ audit }) => audit),
        config,
      );
      const instance = watching(name, typed);
      if (!instance) throw new TypeError(`no sentinel of ${name} was typed`);
      const { nodes } = await auditFleet({ ...config, instances: [instance] }, ports, {
        scope: WHOLE_FLEET,
        isConfigured: false,
      });
      return { nodes, typed, place: { kind: 'sentinel', name } };
    }),
  );
}

/** The password that was typed is tried on the sentinels and on their nodes. */
function watching(name: string, typed: readonly InstanceConfig[]): InstanceConfig | undefined {
  const [first] = typed;
  if (!first) return undefined;
  const { credentials } = first;
  const sentinel = { name, sentinels: placesOf(typed), ...(credentials && { credentials }) };
  return { ...first, nodes: [], discover: { sentinel } };
}

export function placesOf(typed: readonly InstanceConfig[]): readonly NodeAddress[] {
  return typed.flatMap(({ nodes }) => nodes);
}

interface Membership {
  /** The same for all nodes of a Cluster. */
  readonly key: string;
  readonly shards: number;
  readonly size: number;
}

/** Of each node that can name its Cluster. One that may not be asked is written by its address. */
async function clustersOf(
  audits: readonly NodeAudit[],
  { instances }: Config,
  { discover }: Ports,
): Promise<ReadonlyMap<NodeAudit, Membership>> {
  const asked = audits
    .filter(({ facts }) => facts?.observation.isCluster)
    .map(async (audit) => {
      const instance = instances.find(({ id }) => id === audit.instance);
      const membership = instance && (await membershipOf(instance, discover));
      return membership ? [[audit, membership] as const] : [];
    });
  return new Map((await Promise.all(asked)).flat());
}

async function membershipOf(instance: InstanceConfig, discover: Ports['discover']): Promise<Membership | undefined> {
  const seeding = { ...instance, discover: { cluster: { seeds: instance.nodes } } };
  try {
    const { shards } = await discover(seeding, AbortSignal.timeout(CLUSTER_TIMEOUT));
    const members = shards.flatMap(({ nodes }) => nodes.map(({ identity, address }) => identity ?? address.id));
    const [key] = members.toSorted();
    return key === undefined ? undefined : { key: `cluster ${key}`, shards: shards.length, size: members.length };
  } catch (error) {
    if (error instanceof DiscoveryFailure) return undefined;
    throw error;
  }
}
