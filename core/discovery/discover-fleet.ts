import pLimit from 'p-limit';
import type { Config, InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Fleet, FleetChange, Inventory } from '../domain/discovered.ts';
import { isoText } from '../format/units.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { INVENTORY_LIFETIME, readInventory, writeInventory } from './inventory.ts';
import { changesBetween, nameShards } from './named.ts';
import { instancesOf, withoutDoubles } from './resolve.ts';

/** A cluster of 500 nodes answers in milliseconds, AWS in seconds. */
const DISCOVERY_TIMEOUT: Milliseconds = 20 * SECOND;
const DISCOVERIES_AT_ONCE = 16;

/**
 * The config with the nodes of each instance that has `discover`. Without such an instance it costs nothing. What was found is
 * returned to be kept.
 *
 * @param options.prefers `inventory`: nothing is asked where there is one, because it has just been made
 */
export async function discoverFleet(
  config: Config,
  ports: Pick<Ports, 'discover' | 'store' | 'clock' | 'log'>,
  { prefers }: { readonly prefers?: 'inventory' | undefined } = {},
): Promise<Fleet> {
  if (!config.instances.some(({ discover }) => discover))
    return { config, failures: new Map(), changes: [], leftOut: [], keep: async () => {} };
  const turns = pLimit(DISCOVERIES_AT_ONCE);
  const found = await turns.map(config.instances, async (instance) =>
    instance.discover ? await discoverInstance(instance, ports, prefers) : undefined,
  );
  const { instances, leftOut } = withoutDoubles(
    config.instances.flatMap((instance, index) => found[index]?.instances ?? [instance]),
  );
  const results = found.filter((one) => one !== undefined);
  for (const { by, failure } of results)
    if (failure) ports.log.warn('discovery failed', { instance: by, why: failure });
  return {
    config: { ...config, instances },
    failures: new Map(results.flatMap(({ by, failure }) => (failure === undefined ? [] : [[by, failure] as const]))),
    changes: results.flatMap(({ changes }) => changes),
    leftOut: [...results.flatMap(({ by, leftOut }) => leftOut.map((what) => `${by}: ${what}`)), ...leftOut],
    keep: async () => {
      const writes = results.map(
        async ({ by, inventory }) => inventory && (await writeInventory(ports.store, by, inventory)),
      );
      await unlessUnavailable(Promise.all(writes), (error) => ports.log.warn('inventory not kept', { error }));
    },
  };
}

interface Result {
  readonly by: string;
  readonly instances: readonly InstanceConfig[];
  readonly changes: readonly FleetChange[];
  readonly leftOut: readonly string[];
  readonly failure?: string;
  /** To be kept. */
  readonly inventory?: Inventory;
}

async function discoverInstance(
  instance: InstanceConfig,
  ports: Pick<Ports, 'discover' | 'store' | 'clock'>,
  prefers: 'inventory' | undefined,
): Promise<Result> {
  const { store, clock } = ports;
  const { id: by } = instance;
  const inventory = await unlessUnavailable(readInventory(store, by), (why) => why);
  const earlier = typeof inventory === 'string' ? [] : (inventory?.shards ?? []);
  if (prefers && typeof inventory === 'object' && clock.now() - inventory.at < INVENTORY_LIFETIME)
    return { by, instances: instancesOf(instance, inventory.shards), changes: [], leftOut: [] };
  const found = await attempted(instance, ports);
  if (typeof found === 'string') return fallback(instance, found, inventory, clock.now());
  const shards = nameShards(found.shards, earlier);
  // Without an inventory nothing is new: the first discovery of a fleet is not a thousand messages.
  const changes = typeof inventory === 'object' ? changesBetween(by, earlier, shards) : [];
  const kept = { by, instances: instancesOf(instance, shards), changes, leftOut: found.leftOut };
  // One of a newer version, or one that cannot be read, is left as it is.
  return typeof inventory === 'string' ? kept : { ...kept, inventory: { at: clock.now(), shards } };
}

/** What it has found, or why it has not. */
async function attempted(instance: InstanceConfig, { discover }: Pick<Ports, 'discover'>) {
  const signal = AbortSignal.timeout(DISCOVERY_TIMEOUT);
  try {
    return await discover(instance, signal);
  } catch (error) {
    if (error instanceof DiscoveryFailure) return error.message;
    if (signal.aborted) return `there was no answer within ${DISCOVERY_TIMEOUT / SECOND} s`;
    throw error;
  }
}

function fallback(
  instance: InstanceConfig,
  why: string,
  inventory: Inventory | string | undefined,
  now: number,
): Result {
  const none = { by: instance.id, changes: [], leftOut: [] };
  if (typeof inventory === 'string')
    return { ...none, instances: [], failure: `${why}. The last inventory cannot be used: ${inventory}` };
  if (inventory === undefined)
    return { ...none, instances: [], failure: `${why}. There is no earlier inventory: none of its nodes is watched` };
  const from = isoText(inventory.at);
  if (now - inventory.at > INVENTORY_LIFETIME)
    return {
      ...none,
      instances: [],
      failure: `${why}. The last inventory is of ${from}, too old to be used: none of its nodes is watched`,
    };
  return {
    ...none,
    instances: instancesOf(instance, inventory.shards),
    failure: `${why}. The inventory of ${from} is used`,
  };
}
