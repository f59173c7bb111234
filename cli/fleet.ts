import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { discoverFleet, knownFleet } from '../core/discovery/discover-fleet.ts';
import { withLeased } from '../core/discovery/resolve.ts';
import { covers } from '../core/domain/pause.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { type Scope, WHOLE_FLEET } from '../core/reconcile/scope.ts';
import type { State } from '../core/reconcile/snapshot.ts';
import { UsageError } from './options.ts';

// What the ids of a command line mean where a discovery finds instances: `carts` is all of its shards, `carts/0001` is one.

/**
 * What a tick is about. The ids of the config are known; for that of a shard it is found out first which ones there are.
 *
 * @param ids of `--instance`; undefined: all
 * @throws {UsageError}
 */
export async function scopeOf(config: Config, ids: readonly string[] | undefined, ports: Ports): Promise<Scope> {
  if (ids === undefined) return WHOLE_FLEET;
  const isInConfig = ids.every((id) => config.instances.some((instance) => instance.id === id));
  // Why a discovery fails the tick will say.
  const fleet = isInConfig ? config : (await discoverFleet(config, { ...ports, log: SILENT })).config;
  chosenInstances(withUnfound(fleet, config).instances, ids, '--instance');
  return { kind: 'instances', ids };
}

const SILENT: Ports['log'] = { info: () => {}, warn: () => {}, error: () => {} };

/** The config with what its discoveries find now, and what Offpeak has a lease on. */
export async function fleetNow(config: Config, ports: Ports, { leases }: Pick<State, 'leases'>): Promise<Config> {
  const fleet = await discoverFleet(config, ports);
  const held = [...leases.values()].map(({ lease }) => lease);
  const instances = withLeased(fleet.config.instances, held, config.instances);
  return withUnfound({ ...fleet.config, instances }, config);
}

/** The config with what its discoveries found last. No server is asked. */
export async function fleetKnown(config: Config, store: StateStore): Promise<Config> {
  const fleet = await knownFleet(config, { store, clock: { now: Date.now } });
  return withUnfound(fleet.config, config);
}

/** With the instances of the config of which no node is known. */
function withUnfound(fleet: Config, config: Config): Config {
  const unfound = config.instances.filter(({ id }) => !fleet.instances.some((one) => covers(id, one.id)));
  return { ...fleet, instances: [...fleet.instances, ...unfound] };
}

const MOST_NAMED = 50;

/** Those that the ids name or cover, in the order of the fleet. @throws {UsageError} naming what is unknown, and `where` it was written */
export function chosenInstances(
  instances: readonly InstanceConfig[],
  ids: readonly string[],
  where: string,
): readonly InstanceConfig[] {
  const unknown = ids.filter((id) => !instances.some((one) => covers(id, one.id)));
  if (unknown.length > 0) {
    const known = [...new Set(instances.flatMap(({ id, found }) => (found ? [found.by, id] : [id])))];
    const more = known.length > MOST_NAMED ? `, and ${known.length - MOST_NAMED} more` : '';
    const accepted = known.slice(0, MOST_NAMED).join(', ') + more;
    throw new UsageError(`${where} ${unknown.join(' ')}: no such instance; accepted: ${accepted}`);
  }
  return instances.filter(({ id }) => ids.some((one) => covers(one, id)));
}
