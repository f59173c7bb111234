import { type Engine, type EngineName, isLikeRedis } from '../../domain/engine.ts';
import { denial } from './denial.ts';
import { type InfoFields, numberField, textField, wordField } from './info.ts';
import { atLeast, parseVersion, type Version } from './version.ts';

export function identifyEngine(fields: InfoFields): Engine {
  const { name: claimed, version, calledItself } = claimOf(fields);
  const at = parseVersion(version);
  const service = serviceOf(fields);
  // A version that cannot be read cannot be found in the deny-list.
  const name = at === undefined && isLikeRedis({ name: claimed }) ? 'unknown' : claimed;
  const standing = {
    cluster: isClusterNode(fields),
    replica: textField(fields, 'role') === 'slave',
    scripts: (numberField(fields, 'number_of_cached_scripts') ?? 0) > 0,
  };
  const denied = at && denial(name, at, standing);
  return {
    name,
    version,
    ...(calledItself !== undefined && { calledItself }),
    ...(service !== undefined && { service }),
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

interface Claim {
  readonly name: EngineName;
  readonly version: string;
  readonly calledItself?: string;
}

/**
 * Redis' relatives print a `redis_version` that clients expect (Valkey 7.2.4, Kvrocks 4.0.0), so whatever names itself more particularly
 * comes first: Dragonfly, Garnet, Kvrocks, Redict, Upstash, Pika and Ardb by a field `<name>_version`, Redis Enterprise by `rlec_version`,
 * others by `server_name`.
 */
function claimOf(fields: InfoFields): Claim {
  const own = [...fields.keys()].flatMap((field) =>
    field.endsWith('_version') ? (OWN_VERSION.exec(field)?.[1] ?? '') : [],
  );
  const relative = own.find((name) => name !== '' && name !== 'valkey' && !NOT_ENGINES.has(name));
  const server = wordField(fields, 'server_name')?.toLowerCase();
  const redis = wordField(fields, 'redis_version') ?? '';
  if (relative !== undefined) return relativeOf(relative, wordField(fields, `${relative}_version`) ?? '');
  if (server === 'valkey' || own.includes('valkey'))
    return { name: 'valkey', version: wordField(fields, 'valkey_version') ?? redis };
  if (server !== undefined && server !== 'redis') return relativeOf(server, wordField(fields, 'version') ?? '');
  if (redis === '') return { name: 'unknown', version: '' };
  return { name: isKeydb(fields) ? 'keydb' : 'redis', version: redis };
}

/** Names in lower case only, as each of them prints them; Garnet's `store_…` and Redis' `rdb_last_load_…` are no versions. */
const OWN_VERSION = /^([a-z][a-z0-9]{0,31})_version$/;
/** Not an engine, but what it was built with or can be taken for. */
const NOT_ENGINES = new Set([
  'redis',
  'gcc',
  'clang',
  'compiler',
  'os',
  'kernel',
  'lua',
  'proto',
  'protocol',
  'config',
]);

function relativeOf(name: string, version: string): Claim {
  if (name === 'dragonfly' || name === 'garnet') return { name, version };
  return { name: 'unknown', version, calledItself: name === 'rlec' ? 'Redis Enterprise' : name };
}

/**
 * KeyDB prints its own version in `redis_version`. Its name shows in `executable` only, which services hide (`-`); each of these fields is
 * printed by KeyDB and by none of the others (KeyDB server.cpp genRedisInfoString).
 */
const KEYDB_FIELDS = [
  'long_lock_waits',
  'mvcc_depth',
  'server_threads',
  'storage_provider',
  'master_global_link_status',
];

function isKeydb(fields: InfoFields): boolean {
  return (
    /keydb/i.test(textField(fields, 'executable') ?? '') ||
    textField(fields, 'role') === 'active-replica' ||
    KEYDB_FIELDS.some((field) => fields.has(field))
  );
}

const SERVICES = /^(Amazon (?:ElastiCache|MemoryDB)\b[ A-Za-z]{0,30})/;

/** AWS says it in `os`; ElastiCache Serverless, Memorystore and Azure say nothing that could not be another server's. */
function serviceOf(fields: InfoFields): string | undefined {
  return SERVICES.exec(textField(fields, 'os') ?? '')?.[1]?.trim();
}
