import type { Connection } from '../adapters/redis/connection.ts';
import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Discovered } from '../domain/discovered.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import { NodeFailure } from '../ports/node-session.ts';
import { reasonsText } from './addresses.ts';
import { type ClusterView, chooseView, fromShards, fromSlots, shardsIn } from './cluster-view.ts';
import type { Discovery } from './contract.ts';

const TIMEOUT: Milliseconds = 3 * SECOND;

/**
 * The shards of a Cluster, by CLUSTER SHARDS (Redis 7.0, Valkey) or CLUSTER SLOTS, from each seed that answers: one that was cut off, or that
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
    one.status === 'rejected' ? [{ at: seeds[index]?.id ?? '', why: reasonOf(one.reason) }] : [],
  );
  const chosen = chooseView(views);
  if (typeof chosen === 'string') throw new DiscoveryFailure(chosen);
  if (chosen === undefined) {
    const which = seeds.length === 1 ? 'the seed does not say' : `none of the ${seeds.length} seeds says`;
    throw new DiscoveryFailure(`${which} what its cluster is: ${reasonsText(failures)}`);
  }
  const silent = failures.map(({ at, why }) => `the seed ${at} was not used: ${why}`);
  return withSilent(shardsIn(chosen), silent);
};

function withSilent(discovered: Discovered, silent: readonly string[]): Discovered {
  return { ...discovered, leftOut: [...discovered.leftOut, ...silent] };
}

async function ask(connection: Connection, seed: NodeAddress, { discover }: InstanceConfig): Promise<ClusterView> {
  const terms = { seed, natMap: discover?.cluster?.natMap };
  try {
    const commands = [['CLUSTER', 'INFO'] as const, ['CLUSTER', 'SHARDS'] as const];
    const [info, shards] = await connection.send(commands, TIMEOUT);
    const isUp = info?.ok === true && /cluster_state:ok/.test(String(info.value));
    if (shards?.ok) return fromShards(shards.value, isUp, terms);
    // Not with the others: of a Cluster that was resharded often it is much longer, and what may arrive at once is bounded (`resp-guard.ts`).
    const [slots] = await connection.send([['CLUSTER', 'SLOTS']], TIMEOUT);
    if (slots?.ok) return fromSlots(slots.value, isUp, terms);
    throw new DiscoveryFailure(refusal(seed, slots && !slots.ok ? slots.error : 'no reply'));
  } finally {
    connection.close();
  }
}

function refusal({ id }: NodeAddress, error: string): string {
  if (/cluster support disabled/i.test(error))
    return `${id} is not a node of a Cluster (cluster-enabled no): name it under \`url\` or \`nodes\``;
  if (/NOPERM/.test(error)) return `${id} refuses CLUSTER SHARDS: give its user +cluster|shards and +cluster|slots`;
  return `${id} refuses CLUSTER SHARDS and CLUSTER SLOTS: ${error}`;
}

/** What is not a failure of the seed is a mistake of this program, and is not hidden. */
function reasonOf(error: unknown): string {
  if (error instanceof NodeFailure || error instanceof DiscoveryFailure) return error.message;
  throw error;
}
