import type { EncodingLimits, KeySpace } from '../../domain/keys.ts';
import type { Observation } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import { type Connection, textOf } from './connection.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';
import { numberField, parseInfo, runIdField } from './info.ts';
import { pairs } from './observe.ts';
import { atLeast, parseVersion } from './version.ts';

/**
 * NO-TOUCH (Redis 7.2) keeps the commands from counting as uses of the keys. TYPE, OBJECT, PTTL and MEMORY USAGE never do (LOOKUP_NOTOUCH);
 * STRLEN and its like do. A replica of a Cluster redirects to its primary without READONLY.
 */
export async function keySpace(
  connection: Connection,
  { isCluster, replication, memory, engine }: Observation,
): Promise<KeySpace> {
  const isReplica = isCluster && replication.role === 'replica';
  const version = parseVersion(engine.version);
  const hasNoTouch = version !== undefined && atLeast(version, [7, 2, 0]);
  const [keyspace, ofReplication, stats, config, ...modes] = await connection.send(
    [
      ['INFO', 'keyspace'],
      ['INFO', 'replication'],
      ['INFO', 'stats'],
      ['CONFIG', 'GET', '*-max-*'],
      ...(hasNoTouch ? [['CLIENT', 'NO-TOUCH', 'ON'] as const] : []),
      ...(isReplica ? [['READONLY'] as const] : []),
    ],
    COMMAND_TIMEOUT_MS,
  );
  const policy = memory.maxmemoryPolicy ?? 'allkeys-lru';
  const fields = parseInfo(textOf(ofReplication) ?? '');
  const { limits, assumed } = limitsIn(config?.ok ? pairs(config.value) : {}, version);
  return {
    databases: databasesIn(textOf(keyspace) ?? ''),
    ...present({ dataset: runIdField(new Map([['run_id', fields.get('master_replid') ?? '']])) }),
    stale: Math.min(1, (numberField(parseInfo(textOf(stats) ?? ''), 'expired_stale_perc') ?? 0) / 100),
    limits,
    assumed,
    hasLengths: (hasNoTouch && modes[0]?.ok === true) || !/lru|lfu/.test(policy),
  };
}

function databasesIn(text: string): KeySpace['databases'] {
  return [...text.matchAll(/^db(\d{1,6}):keys=(\d{1,15}),expires=(\d{1,15})(?:,|\r|$)/gm)]
    .map(([, index, keys, expires]) => ({ index: Number(index), keys: Number(keys), expires: Number(expires) }))
    .filter(({ keys }) => keys > 0);
}

/** By the names of Redis 7; those of before, where listpacks were ziplists, still answer there. Defaults: config.c. */
const LIMITS: readonly (readonly [keyof EncodingLimits, name: string, fallback: number])[] = [
  ['hashEntries', 'hash-max-listpack-entries', 128],
  ['hashValue', 'hash-max-listpack-value', 64],
  ['zsetEntries', 'zset-max-listpack-entries', 128],
  ['zsetValue', 'zset-max-listpack-value', 64],
  ['setEntries', 'set-max-listpack-entries', 128],
  ['setValue', 'set-max-listpack-value', 64],
  ['intsetEntries', 'set-max-intset-entries', 512],
];

/** Sets of texts have listpacks since 7.2: before, only the limit of intsets holds. */
function limitsIn(printed: Readonly<Record<string, string>>, version: ReturnType<typeof parseVersion>) {
  const hasSets = version === undefined || atLeast(version, [7, 2, 0]);
  const read = LIMITS.map(([key, name, fallback]) => {
    const raw = printed[name] ?? printed[name.replace('listpack', 'ziplist')];
    const value = raw !== undefined && /^\d{1,15}$/.test(raw) ? Number(raw) : undefined;
    const without = /^set-max-listpack/.test(name) && !hasSets ? 0 : fallback;
    return { key, name, value, known: value ?? without, isMissing: value === undefined && without > 0 };
  });
  return {
    limits: Object.fromEntries(read.map(({ key, known }) => [key, known])) as unknown as EncodingLimits,
    assumed: read.filter(({ isMissing }) => isMissing).map(({ name }) => name),
  };
}
