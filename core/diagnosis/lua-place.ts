import type { Engine, EngineName } from '../domain/engine.ts';

/** Versions of one engine, as numbers of major.minor: from, and below. */
export interface Versions {
  readonly engine: EngineName;
  readonly from?: number;
  readonly below?: number;
}

/** Where the memory of a field is: counted in `used_memory_overhead`, in `used_memory_dataset`, or outside of used_memory. */
export type Place = 'overhead' | 'dataset' | 'outside';

/** Where the VMs of Lua are, by version; field-meanings.ts has the sources. */
export const LUA_PLACES: Readonly<Record<Place, readonly Versions[]>> = {
  outside: [{ engine: 'redis', below: 7.4 }, { engine: 'valkey' }, { engine: 'keydb' }],
  dataset: [{ engine: 'redis', from: 7.4, below: 8 }],
  overhead: [{ engine: 'redis', from: 8 }],
};

/** Undefined for an engine or a version that is not known. */
export function luaPlace(engine: Pick<Engine, 'name' | 'version'>): Place | undefined {
  const places = Object.keys(LUA_PLACES) as Place[];
  return places.find((place) => LUA_PLACES[place].some((versions) => isIn(engine, versions)));
}

/** Minor versions of these engines have one digit, but for Redis 8.10, which no range begins or ends at. */
export function isIn(
  { name, version }: Pick<Engine, 'name' | 'version'>,
  { engine, from = 0, below = Infinity }: Versions,
): boolean {
  const [, major, minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (name !== engine || major === undefined) return false;
  const at = Number(`${major}.${minor}`);
  return at >= from && at < below;
}
