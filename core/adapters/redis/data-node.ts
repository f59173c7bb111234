import { engineText } from '../../domain/engine.ts';
import type { WatchedPrimary } from '../../domain/outcome.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { type Connection, textOf } from './connection.ts';
import { identifyEngine } from './engine.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';
import { firstOf, type InfoFields, type InfoLines, infoLines, valuesOf, wordField } from './info.ts';

/**
 * Offpeak watches the memory of data nodes. A Sentinel and a proxy answer INFO, too, and must not count as observed: there is nothing of a data
 * node in their answer.
 *
 * @throws {NodeFailure} which says what answers, and what to put into the config instead
 */
export async function requireDataNode(connection: Connection, lines: InfoLines, fields: InfoFields): Promise<void> {
  if (isSentinel(fields)) throw ofSentinel(primariesOf(lines) ?? primariesOf(await sentinelLines(connection)));
  const proxy = proxyIn(fields);
  if (proxy !== undefined) throw ofProxy(proxy);
  const printed = firstOf(lines);
  if (MEMORY_FIELDS.some((name) => printed.has(name))) return;
  if (!printed.has('redis_version') && identifyEngine(fields).version === '') {
    throw new NodeFailure(
      'not-redis',
      'check which program listens at this address: INFO returned a text without any field of Redis',
    );
  }
  throw new NodeFailure('not-data-node', withoutMemory(fields));
}

/** Either is enough: Kvrocks has no `used_memory`, Pika no `used_memory_rss`. */
const MEMORY_FIELDS = ['used_memory', 'used_memory_rss'] as const;

function withoutMemory(fields: InfoFields): string {
  const engine = identifyEngine(fields);
  const what = engine.name === 'unknown' && engine.calledItself === undefined ? 'the server' : engineText(engine);
  return `${what} answers, but prints neither used_memory nor used_memory_rss. Offpeak cannot watch it: remove it from the config`;
}

/** `redis_mode`; Valkey's `server_mode`. A Sentinel's own fields, where a service hides its mode. */
function isSentinel(fields: InfoFields): boolean {
  return modesOf(fields).includes('sentinel') || fields.has('sentinel_masters') || fields.has('sentinel_primaries');
}

function modesOf(fields: InfoFields): readonly string[] {
  return ['redis_mode', 'server_mode', 'RedisMode', 'valkey_mode'].map((name) => fields.get(name)?.toLowerCase() ?? '');
}

/** By what it calls itself: predixy prints `RedisMode:proxy` and no `redis_version`, Camellia both `camellia_version` and a `redis_version`. */
function proxyIn(fields: InfoFields): string | undefined {
  const isProxy =
    modesOf(fields).includes('proxy') ||
    [...fields.keys()].some((name) => name.includes('proxy_') && /^(?:[a-z_]+_)?proxy_(?:mode|version)$/.test(name));
  if (!isProxy && !fields.has('camellia_version')) return undefined;
  const { calledItself } = identifyEngine(fields);
  return calledItself ?? wordField(fields, 'Name') ?? '';
}

function ofProxy(name: string): NodeFailure {
  return new NodeFailure(
    'not-data-node',
    `a proxy answers${name === '' ? '' : ` (${name})`}, not a data node. Put the servers behind it into the config, each with its own address`,
  );
}

async function sentinelLines(connection: Connection): Promise<InfoLines> {
  const [reply] = await connection.send([['INFO', 'sentinel']], COMMAND_TIMEOUT_MS);
  return infoLines(textOf(reply) ?? '');
}

/** `master0:name=main,status=ok,address=10.0.0.1:6379,slaves=2,sentinels=3` */
const WATCHED = /^name=(?<name>[!-+\--~]{1,64}),.*\baddress=(?<address>[\w.:[\]-]{1,255}:\d{1,5})(?:,|$)/;
const MOST_NAMED = 5;

function primariesOf(lines: InfoLines): readonly WatchedPrimary[] | undefined {
  const watched = valuesOf(lines, /^(?:master|primary)\d+$/).flatMap((value) => {
    const { name, address } = WATCHED.exec(value)?.groups ?? {};
    return name === undefined || address === undefined ? [] : [{ name, address }];
  });
  return watched.length === 0 ? undefined : [...new Map(watched.map((one) => [one.name, one])).values()];
}

function ofSentinel(primaries: readonly WatchedPrimary[] = []): NodeFailure {
  const more = primaries.length > MOST_NAMED ? [`${primaries.length - MOST_NAMED} more`] : [];
  const places = primaries.slice(0, MOST_NAMED).map(({ name, address }) => `${name} at ${address}`);
  const named = [...places, ...more].join(', ') || 'its primaries';
  return new NodeFailure(
    'not-data-node',
    `a Sentinel answers, not a data node. Give the addresses of the servers that it watches: ${named}, and their replicas. In a config, discover.sentinel finds them: npx offpeak init writes it`,
    primaries,
  );
}
