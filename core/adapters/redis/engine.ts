import type { Engine, EngineName } from '../../domain/engine.ts';
import { denial } from './deny-list.ts';
import { type InfoFields, numberField, textField, wordField } from './info.ts';
import { atLeast, parseVersion, type Version } from './version.ts';

export function identifyEngine(fields: InfoFields): Engine {
  const [claimed, version] = nameAndVersion(fields);
  const at = parseVersion(version);
  // A version that cannot be read cannot be found in the deny-list.
  const name = at === undefined && isVersioned(claimed) ? 'unknown' : claimed;
  const standing = {
    cluster: isClusterNode(fields),
    replica: textField(fields, 'role') === 'slave',
    scripts: (numberField(fields, 'number_of_cached_scripts') ?? 0) > 0,
  };
  const denied = at && denial(name, at, standing);
  return {
    name,
    version,
    slicedDefrag:
      at !== undefined &&
      ((name === 'redis' && atLeast(at, [8, 0, 0])) || (name === 'valkey' && atLeast(at, [8, 1, 0]))),
    ...(at !== undefined && paceTraits(name, at)),
    atomicConfigSet: name === 'valkey' || (name === 'redis' && at !== undefined && atLeast(at, [7, 0, 0])),
    ...(denied && { denied }),
  };
}

/** `server_mode` since Valkey 8.0; INFO cluster, which older servers have as well, is not part of an observation. */
export function isClusterNode(fields: InfoFields): boolean {
  return ['redis_mode', 'server_mode'].some((field) => textField(fields, field) === 'cluster');
}

function paceTraits(name: EngineName, at: Version): Pick<Engine, 'cpuOnlyRises' | 'coarseClock'> {
  const isValkey = name === 'valkey';
  const falls = isValkey ? atLeast(at, [8, 0, 0]) : name === 'redis' && atLeast(at, [7, 4, 0]);
  const isCoarse = isValkey && atLeast(at, [8, 1, 0]) && !atLeast(at, [9, 0, 0]);
  return { ...(!falls && { cpuOnlyRises: true }), ...(isCoarse && { coarseClock: true }) };
}

function nameAndVersion(fields: InfoFields): readonly [EngineName, string] {
  const dragonfly = wordField(fields, 'dragonfly_version');
  if (dragonfly) return ['dragonfly', dragonfly];
  const garnet = wordField(fields, 'garnet_version');
  if (garnet) return ['garnet', garnet];
  const valkey = wordField(fields, 'valkey_version');
  if (valkey) return ['valkey', valkey];
  const redis = wordField(fields, 'redis_version');
  if (!redis) return ['unknown', ''];
  // KeyDB has its own version in `redis_version`; its name shows only in `executable` and by a field of INFO cpu.
  if (/keydb/i.test(textField(fields, 'executable') ?? '') || fields.has('long_lock_waits')) return ['keydb', redis];
  return [textField(fields, 'server_name') === 'valkey' ? 'valkey' : 'redis', redis];
}

/** Engines for which the version matters. */
function isVersioned(name: EngineName): boolean {
  return name === 'redis' || name === 'valkey' || name === 'keydb';
}
