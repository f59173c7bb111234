import pLimit from 'p-limit';
import type { Config, InstanceConfig, Unsettled } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Discovered, Finding, Fleet, FleetChange, Inventory, NamedShard } from '../domain/discovered.ts';
import { errorText } from '../format/error-text.ts';
import { isoText } from '../format/units.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { kept } from '../state/kept.ts';
import { GarbledInventory, INVENTORY_LIFETIME, readInventory, writeInventory } from './inventory.ts';
import { changesBetween, nameShards } from './named.ts';
import { instancesOf, withoutDoubles } from './resolve.ts';

/** What finding nodes needs. */
type Asking = Pick<Ports, 'discover' | 'store' | 'log'> & { readonly clock: Pick<Ports['clock'], 'now'> };

/** A cluster of 500 nodes answers in milliseconds, AWS in seconds. */
const DISCOVERY_TIMEOUT: Milliseconds = 20 * SECOND;
const DISCOVERIES_AT_ONCE = 16;

/**
 * The config with the nodes of each instance that has `discover`. Without such an instance it costs nothing. What was found is
 * returned to be kept.
 *
 * @param options.isAsked by the id of an instance: false where its inventory will do, because it has just been made, or because the tick
 *   is about other instances. Without an inventory it is asked all the same.
 */
export async function discoverFleet(
  config: Config,
  ports: Asking,
  { isAsked = () => true }: { readonly isAsked?: (instance: string) => boolean } = {},
): Promise<Fleet> {
  if (!config.instances.some(({ discover }) => discover))
    return {
      config,
      found: new Map(),
      failures: new Map(),
      mistakes: new Set(),
      changes: [],
      leftOut: [],
      keep: async () => {},
    };
  const turns = pLimit(DISCOVERIES_AT_ONCE);
  const found = await turns.map(config.instances, async (instance) =>
    instance.discover ? await discoverInstance(instance, ports, isAsked(instance.id)) : undefined,
  );
  const { instances, leftOut } = withoutDoubles(
    config.instances.flatMap((instance, index) => found[index]?.instances ?? [instance]),
  );
  const results = found.filter((one) => one !== undefined);
  for (const { by, failure } of results)
    if (failure) ports.log.warn('discovery failed', { instance: by, why: failure.why });
  return {
    config: { ...config, instances },
    found: new Map(results.map(({ by, finding }) => [by, finding])),
    failures: new Map(
      results.flatMap(({ by, failure }) => (failure === undefined ? [] : [[by, failure.why] as const])),
    ),
    mistakes: new Set(results.flatMap(({ by, failure }) => (failure?.isMistake ? [by] : []))),
    changes: results.flatMap(({ changes }) => changes),
    leftOut: [...results.flatMap(({ by, leftOut }) => leftOut.map((what) => `${by}: ${what}`)), ...leftOut],
    keep: async ({ isWhole }) => {
      const due = results.filter((result) => isWhole || isFirst(result));
      await Promise.all(due.map((result) => keep(result, ports)));
    },
  };
}

function isFirst({ finding, replaced }: Result): boolean {
  return finding.inventoryAt === undefined && replaced === undefined;
}

async function keep({ by, inventory, replaced }: Result, { store, log }: Asking): Promise<void> {
  if (!inventory) return;
  if (replaced) log.warn('inventory replaced', { instance: by, why: replaced });
  await kept('inventory', by, writeInventory(store, by, inventory), log);
}

/** The config with the nodes that the inventories name: no server is asked, and no service of AWS but the table. */
export async function knownFleet(config: Config, { store, clock }: Pick<Asking, 'store' | 'clock'>): Promise<Fleet> {
  const discover = async () => {
    throw new DiscoveryFailure('nothing was asked');
  };
  const silent = () => {};
  return await discoverFleet(config, { store, clock, discover, log: { info: silent, warn: silent, error: silent } });
}

interface Result {
  readonly by: string;
  readonly instances: readonly InstanceConfig[];
  readonly finding: Finding;
  readonly changes: readonly FleetChange[];
  readonly leftOut: readonly string[];
  readonly failure?: Failure;
  /** To be kept. */
  readonly inventory?: Inventory;
  /** Why the one that is stored cannot be read, where it will be replaced. */
  readonly replaced?: string;
}

interface Failure {
  readonly why: string;
  readonly isMistake: boolean;
}

/** What was found last. */
interface Last {
  readonly inventory?: Inventory;
  /** Why it cannot be used. */
  readonly unusable?: string;
  /** It is of no use to any version. */
  readonly isGarbled?: true;
}

async function lastOf(instance: string, store: StateStore): Promise<Last> {
  try {
    const inventory = await readInventory(store, instance);
    return inventory ? { inventory } : {};
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    return { unusable: error.message, ...(error instanceof GarbledInventory && { isGarbled: true }) };
  }
}

async function discoverInstance(instance: InstanceConfig, ports: Asking, isAsked: boolean): Promise<Result> {
  const { store, clock } = ports;
  const { id: by } = instance;
  const last = await lastOf(by, store);
  const earlier = last.inventory?.shards ?? [];
  if (!isAsked && last.inventory && clock.now() - last.inventory.at < INVENTORY_LIFETIME)
    return { ...from(instance, earlier, last), changes: [], leftOut: [] };
  const found = await attempted(instance, ports);
  if ('why' in found) return fallback(instance, found, last, clock.now());
  const shards = nameShards(found.shards, earlier);
  // Without an inventory nothing is new: the first discovery of a fleet is not a thousand messages.
  const changes = last.inventory ? changesBetween(by, earlier, shards) : [];
  const result = { ...from(instance, shards, last, found.unsettled), changes, leftOut: found.leftOut };
  const inventory = { at: clock.now(), shards };
  if (last.unusable === undefined) return { ...result, inventory };
  // One of a newer version is left as it is, and so is one that could not be read just now.
  return last.isGarbled ? { ...result, inventory, replaced: last.unusable } : result;
}

/** What it has found, or why it has not. */
async function attempted(
  instance: InstanceConfig,
  { discover, log }: Pick<Ports, 'discover' | 'log'>,
): Promise<Discovered | Failure> {
  const signal = AbortSignal.timeout(DISCOVERY_TIMEOUT);
  try {
    return await discover(instance, signal);
  } catch (error) {
    if (error instanceof DiscoveryFailure) return { why: error.message, isMistake: error.isMistake };
    if (signal.aborted) return { why: `there was no answer within ${DISCOVERY_TIMEOUT / SECOND} s`, isMistake: false };
    // A mistake of this program: the nodes of all other instances are checked all the same.
    log.error('unexpected failure of a discovery', { instance: instance.id, error });
    return { why: errorText(error), isMistake: true };
  }
}

/** The instances that these shards become. */
function from(instance: InstanceConfig, shards: readonly NamedShard[], { inventory }: Last, unsettled?: Unsettled) {
  const finding: Finding = { shards, ...(inventory && { inventoryAt: inventory.at }) };
  return { by: instance.id, instances: instancesOf(instance, shards, unsettled), finding };
}

/** By the inventory. It does not say what is under way there now: see `unsettledBlockers`. */
function fallback(instance: InstanceConfig, { why, isMistake }: Failure, last: Last, now: number): Result {
  const used = (shards: readonly NamedShard[], what: string): Result => ({
    ...from(instance, shards, last, 'undiscovered'),
    changes: [],
    leftOut: [],
    failure: { why: `${why}. ${what}`, isMistake },
  });
  const { inventory, unusable } = last;
  if (unusable !== undefined) return used([], `The last inventory cannot be used: ${unusable}`);
  if (inventory === undefined) return used([], 'There is no earlier inventory: none of its nodes is watched');
  const of = isoText(inventory.at);
  if (now - inventory.at > INVENTORY_LIFETIME)
    return used([], `The last inventory is of ${of}, too old to be used: none of its nodes is watched`);
  return used(inventory.shards, `The inventory of ${of} is used`);
}
