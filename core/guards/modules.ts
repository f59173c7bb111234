import type { Engine } from '../domain/engine.ts';
import type { ServerModule } from '../domain/examined.ts';

/**
 * Active defrag moves a module's values only where the module has a callback for it (`defrag` in RedisModuleTypeMethods; module.c
 * moduleDefragValue skips all others). If much of the data is such, a run finds external fragmentation and cannot remove it. No field says
 * whether a module holds data, so a module counts as soon as it is loaded.
 *
 * Not counted: modules without values of their own (Valkey's `lua` and `ldap`), and what is compiled into every Redis 8 (`vectorset`): a run
 * that moves nothing ends early. Callbacks came with RedisJSON#1262, RedisBloom#801 and RedisTimeSeries#1684, all of them in
 * Redis 8's modules (7.99.0 and later, whose `ver` is 79900); which older releases have them is not known. Valkey's modules have had them
 * from their first release. Nothing moves a search index, which is not a value of the keyspace: search counts where it has an index.
 */
const WITH_CALLBACKS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  redis: { vectorset: 0, ReJSON: 79_900, bf: 79_900, timeseries: 79_900 },
  valkey: { lua: 0, ldap: 0, json: 0, bf: 0 },
};

/** Modules whose data active defrag may not be able to move, by name. `allowed`: those that the config allows. */
export function immovable(
  modules: readonly ServerModule[],
  { name: engine }: Pick<Engine, 'name'>,
  allowed: readonly string[],
): readonly string[] {
  const known = WITH_CALLBACKS[engine] ?? {};
  return modules
    .filter(({ name, version, indexes }) => {
      const from = Object.hasOwn(known, name) ? known[name] : undefined;
      const isMoved = name === 'search' ? indexes === 0 : from !== undefined && version >= from;
      return !isMoved && !allowed.includes(name);
    })
    .map(({ name }) => name);
}
