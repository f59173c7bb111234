import { type Connection, textOf } from '../adapters/redis/connection.ts';
import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import { failureOf, type Silent, silenceOf } from './addresses.ts';
import { fromNodes, hasHostnames } from './cluster-lines.ts';
import { type ClusterView, chooseView, fromShards, fromSlots, shardsIn, type Terms } from './cluster-view.ts';
import type { Discovery } from './contract.ts';

const TIMEOUT: Milliseconds = 3 * SECOND;

/**
 * The shards of a Cluster, by CLUSTER SHARDS (Redis 7.0, Valkey) or CLUSTER NODES, from each seed that answers: one that was cut off, or that
 * was reset and lives in a cluster of its own, must not decide what the cluster is.
 */
export const discoverCluster: Discovery = async (instance, { connect }, signal) => {
  const { cluster } = instance.discover ?? {};
  const seeds = cluster?.seeds ?? [];
  const asked = await Promise.allSettled(
    seeds.map(async (seed) => await ask(await connect(instance, seed, signal), seed, instance)),
  );
  const views = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures = asked.flatMap((one, index) =>
    one.status === 'rejected' ? [silenceOf(seeds[index]?.id ?? '', one.reason)] : [],
  );
  const chosen = chooseView(views);
  if (typeof chosen === 'string') throw new DiscoveryFailure(chosen, { isMistake: true });
  const silent = [...failures, ...views.flatMap((view) => nothingIn(view) ?? [])];
  if (chosen === undefined) {
    const which = seeds.length === 1 ? 'the seed does not say' : `none of the ${seeds.length} seeds says`;
    throw failureOf(`${which} what its cluster is`, silent);
  }
  const unused = silent.map(({ at, why }) => `the seed ${at} was not used: ${why}`);
  const { leftOut, ...found } = shardsIn(chosen);
  return { ...found, leftOut: [...leftOut, ...unused] };
};

/** What was found before counts, or what another seed says: a node that was reset says nothing of the cluster that it was in. */
function nothingIn({ seed: at, hasSlots, shards }: ClusterView): Silent | undefined {
  if (!hasSlots)
    return { at, why: `${at} is in a cluster without slots: it was reset, or is not set up yet`, isMistake: false };
  const remedy = 'set cluster-announce-hostname on each node, or cluster-preferred-endpoint-type to ip';
  const why = `${at} says no address for any node of its cluster: ${remedy}`;
  return shards.length === 0 ? { at, why, isMistake: false } : undefined;
}

async function ask(connection: Connection, seed: NodeAddress, { discover }: InstanceConfig): Promise<ClusterView> {
  const terms = { seed, natMap: discover?.cluster?.natMap };
  try {
    const commands = [['CLUSTER', 'INFO'] as const, ['CLUSTER', 'SHARDS'] as const];
    const [info, shards] = await connection.send(commands, TIMEOUT);
    const isUp = info?.ok === true && /cluster_state:ok/.test(String(info.value));
    if (shards?.ok) return fromShards(shards.value, isUp, terms);
    return await asBefore(connection, isUp, terms);
  } finally {
    connection.close();
  }
}

/** Without CLUSTER SHARDS: before Redis 7.0, or where the user may not ask it. */
async function asBefore(connection: Connection, isUp: boolean, terms: Terms): Promise<ClusterView> {
  const [nodes] = await connection.send([['CLUSTER', 'NODES']], TIMEOUT);
  const text = textOf(nodes);
  if (text !== undefined && !hasHostnames(text)) return fromNodes(text, isUp, terms);
  // Not with the others: of a Cluster that was resharded often it is much longer, and what may arrive at once is bounded (`resp-guard.ts`).
  const [slots] = await connection.send([['CLUSTER', 'SLOTS']], TIMEOUT);
  if (text !== undefined) return fromNodes(text, isUp, terms, slots?.ok ? slots.value : undefined);
  const { seed } = terms;
  if (!slots?.ok) throw refusal(seed, slots?.error ?? 'no reply');
  const view = fromSlots(slots.value, isUp, terms);
  const unseen = `${seed.id} refuses CLUSTER NODES: replicas that have failed are not seen. Give its user +cluster|nodes`;
  return { ...view, leftOut: [...view.leftOut, unseen] };
}

function refusal({ id }: NodeAddress, error: string): DiscoveryFailure {
  if (/cluster support disabled/i.test(error)) {
    const what = `${id} is not a node of a Cluster (cluster-enabled no): name it under \`url\` or \`nodes\``;
    return new DiscoveryFailure(what, { isMistake: true });
  }
  if (/unknown command/i.test(error)) {
    const what = `${id} is not a node of a Cluster: it does not know CLUSTER. A Sentinel belongs under \`discover.sentinel\``;
    return new DiscoveryFailure(what, { isMistake: true });
  }
  if (/NOPERM/.test(error)) {
    const what = `${id} refuses CLUSTER SHARDS: give its user +cluster|shards, before Redis 7.0 +cluster|nodes`;
    return new DiscoveryFailure(what, { isMistake: true });
  }
  return new DiscoveryFailure(`${id} refuses CLUSTER SHARDS, NODES and SLOTS: ${error}`);
}
