import pLimit from 'p-limit';
import type { Config, InstanceConfig, Unsettled } from '../config/schema.ts';
import type { Finding, Fleet, FleetChange, Inventory, NamedShard } from '../domain/discovered.ts';
import { isoText } from '../format/units.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { Ports } from '../ports/ports.ts';
import { kept } from '../state/kept.ts';
import { attempted, type End, endOfDiscoveries, type Failure } from './attempt.ts';
import { INVENTORY_LIFETIME, type Last, lastInventories, writeInventory } from './inventory.ts';
import { changesBetween, nameShards } from './named.ts';
import { instancesOf, withoutDoubles } from './resolve.ts';

/** What finding nodes needs. */
type Asking = Pick<Ports, 'discover' | 'store' | 'log'> & { readonly clock: Pick<Ports['clock'], 'now'> };

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
  const found = await discoverAll(config, ports, isAsked);
  const { instances, leftOut } = withoutDoubles(
    config.instances.flatMap((instance) => found.get(instance.id)?.instances ?? [instance]),
  );
  const results = [...found.values()];
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

/** By the id of its instance, in the order of the config. */
async function discoverAll(
  { instances, schedule: { every } }: Config,
  ports: Asking,
  isAsked: (instance: string) => boolean,
): Promise<ReadonlyMap<string, Result>> {
  const discovering = instances.filter(({ discover }) => discover);
  const lastOf = await lastInventories(
    ports.store,
    discovering.map(({ id }) => id),
  );
  const known = await Promise.all(discovering.map(async (instance) => ({ instance, last: await lastOf(instance.id) })));
  // Those that have just answered come first, so that the others do not take their time; of the others another one at each tick.
  const now = ports.clock.now();
  const ranked = known.map((one) => ({
    ...one,
    rank: one.last.inventory && now - one.last.inventory.at < 2 * every ? 0 : Math.random(),
  }));
  const end = endOfDiscoveries();
  const found = await pLimit(DISCOVERIES_AT_ONCE).map(
    ranked.toSorted((a, b) => a.rank - b.rank),
    ({ instance, last }) => discoverInstance(instance, last, { ports, end, isAsked: isAsked(instance.id) }),
  );
  const byId = new Map(found.map((result) => [result.by, result]));
  return new Map(discovering.flatMap(({ id }) => byId.get(id) ?? []).map((result) => [result.by, result]));
}

interface Asked {
  readonly ports: Asking;
  readonly end: End;
  readonly isAsked: boolean;
}

async function discoverInstance(instance: InstanceConfig, last: Last, { ports, end, isAsked }: Asked): Promise<Result> {
  const { clock } = ports;
  const { id: by } = instance;
  const earlier = last.inventory?.shards ?? [];
  if (!isAsked && last.inventory && clock.now() - last.inventory.at < INVENTORY_LIFETIME)
    return { ...from(instance, earlier, last), changes: [], leftOut: [] };
  const found = await attempted(instance, ports, end);
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
