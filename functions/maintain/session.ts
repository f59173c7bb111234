import { setTimeout as pause } from 'node:timers/promises';
import { SecretUnavailable } from '../shared/aws/secret-failure.ts';
import type { SecretReader } from '../shared/aws/secrets.ts';
import type { NodeAddress, SecretReference } from '../shared/config/address.ts';
import type { InstanceConfig } from '../shared/config/schema.ts';
import type { Milliseconds } from '../shared/config/units.ts';
import { type Command, type Connection, connect, type Reply, type Target } from '../shared/redis/connection.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import type { Settings } from './decide/observation.ts';
import { observe, pairs } from './observe.ts';
import type { Clock, Configured, OpenSession, Purged, Session } from './ports.ts';

const COMMAND_TIMEOUT_MS = 3000;

/** What every refusal says, from Redis 4 to Valkey 9, under changing prefixes (redis#4809). */
const CANNOT_DEFRAG = /active defragmentation cannot be enabled/i;

/** By an ACL, by `rename-command`, or by a managed service. */
const REFUSED = /^(NOPERM|ERR unknown (sub)?command)/i;

/** A value that no version can take, so that the CONFIG SET that holds it can never succeed. */
const PROBE_PARAMETER = 'active-defrag-cycle-max';
const PROBE_VALUE = 'offpeak-asks-only';

/**
 * Opens nodes with the secrets that their references name. What the server refuses may have been rotated since it was read:
 * it is read again, and when it is another one by then, tried once more.
 */
export function sessionOpener(secrets: SecretReader, clock: Pick<Clock, 'now'>): OpenSession {
  return async (instance, node) => {
    const startedAt = clock.now();
    const target = await targetOf(instance, node, secrets);
    const connection = await connect(target).catch(async (failure: unknown) => {
      const suspect = suspectOf(failure, instance);
      if (suspect === undefined) throw failure;
      secrets.forget(suspect, startedAt);
      const renewed = await targetOf(instance, node, secrets);
      if (renewed.password === target.password && renewed.ca === target.ca) throw failure;
      return await connect(renewed);
    });
    return sessionOver(connection, node, clock);
  };
}

/** The secret that is out of date, if it is one's fault at all. */
function suspectOf(failure: unknown, { credentials, tls }: InstanceConfig): SecretReference | undefined {
  if (!(failure instanceof NodeFailure)) return undefined;
  if (failure.kind === 'wrong-credentials') return credentials?.password;
  return failure.kind === 'tls' ? tls?.ca : undefined;
}

async function targetOf(
  { credentials, tls }: InstanceConfig,
  node: NodeAddress,
  secrets: SecretReader,
): Promise<Target> {
  const [ca, password] = await Promise.all([readSecret(secrets, tls?.ca), readSecret(secrets, credentials?.password)]);
  return {
    host: node.host,
    port: node.port,
    tls: node.tls,
    ...(ca !== undefined && { ca }),
    ...(tls?.serverName !== undefined && { serverName: tls.serverName }),
    ...(credentials?.username !== undefined && { username: credentials.username }),
    ...(password !== undefined && { password }),
  };
}

/** A secret that cannot be had is a node that cannot be talked to. */
async function readSecret(secrets: SecretReader, reference: SecretReference | undefined): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  try {
    return await secrets.read(reference);
  } catch (error) {
    throw error instanceof SecretUnavailable ? new NodeFailure('wrong-credentials', error.message) : error;
  }
}

function sessionOver(connection: Connection, node: NodeAddress, clock: Pick<Clock, 'now'>): Session {
  return {
    look: () => observe(connection, node.id, () => clock.now()),
    // Most ticks start nothing.
    examine: async (first) => (await import('./examine.ts')).examine(connection, first),
    probeDefrag: () => probeDefrag(connection),
    waits: (duration) => waits(connection, duration),
    keepAlive: async () => void (await connection.send([['PING']], COMMAND_TIMEOUT_MS)),
    configure: (settings, { atomic }) => configure(connection, settings, atomic),
    purge: (timeout) => purge(connection, timeout),
    close: () => connection.close(),
  };
}

/**
 * `mem_allocator` does not tell: Debian's builds report jemalloc and refuse. The server's own answer does, and since Redis 7.0 it
 * can be had without switching anything on: CONFIG SET takes all of its parameters or none (config.c configSetCommand), checks
 * them in order, and names the one that failed. The second one here always does.
 */
async function probeDefrag(connection: Connection): Promise<'supported' | 'unsupported' | 'refused' | undefined> {
  const [reply] = await connection.send(
    [['CONFIG', 'SET', 'activedefrag', 'yes', PROBE_PARAMETER, PROBE_VALUE]],
    COMMAND_TIMEOUT_MS,
  );
  if (!reply || reply.ok) return undefined;
  if (CANNOT_DEFRAG.test(reply.error)) return 'unsupported';
  if (REFUSED.test(reply.error)) return 'refused';
  return reply.error.includes(PROBE_PARAMETER) ? 'supported' : undefined;
}

export function isDefragRefusal(error: string): boolean {
  return CANNOT_DEFRAG.test(error);
}

async function configure(connection: Connection, settings: Settings, atomic: boolean): Promise<Configured> {
  const entries = Object.entries(settings);
  const reads = entries.map(([name]): Command => ['CONFIG', 'GET', name]);
  const writes: readonly Command[] = atomic
    ? [['CONFIG', 'SET', ...entries.flat()]]
    : entries.map(([name, value]): Command => ['CONFIG', 'SET', name, value]);
  const replies = await connection.send([...reads, ...writes], COMMAND_TIMEOUT_MS);
  const found: Settings = Object.assign(
    {},
    ...replies.slice(0, reads.length).map((reply) => (reply.ok ? pairs(reply.value) : {})),
  );
  const results = replies.slice(reads.length);
  const refused = results.find((reply) => !reply.ok);
  if (!refused || refused.ok) return { done: true, found };
  return { done: false, found, applied: atomic ? {} : accepted(entries, results), error: refused.error };
}

function accepted(entries: readonly (readonly [string, string])[], results: readonly Reply[]): Settings {
  return Object.fromEntries(entries.filter((_, index) => results[index]?.ok));
}

/** Between two PINGs: short enough to meet a stop of a few ms, long enough to cost the server nothing. */
const PING_EVERY_MS = 5;

async function waits(connection: Connection, duration: Milliseconds): Promise<readonly Milliseconds[]> {
  const seen: Milliseconds[] = [];
  const end = performance.now() + duration;
  for (let from = performance.now(); from < end; from = performance.now()) {
    await connection.send([['PING']], COMMAND_TIMEOUT_MS);
    seen.push(performance.now() - from);
    await pause(PING_EVERY_MS);
  }
  return seen;
}

async function purge(connection: Connection, timeout: number): Promise<Purged> {
  const startedAt = performance.now();
  const [reply] = await connection.send([['MEMORY', 'PURGE']], timeout);
  const blocked = performance.now() - startedAt;
  return reply?.ok ? { done: true, blocked } : { done: false, error: reply?.error ?? 'no reply' };
}
