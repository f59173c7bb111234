import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { type NodeAddress, type SecretReference, TLS_SECRETS } from '../../config/address.ts';
import type { Milliseconds } from '../../config/units.ts';
import type { Clock } from '../../ports/clock.ts';
import { NodeFailure, type OpenSession, type Session } from '../../ports/node-session.ts';
import type { TokenSigner } from '../aws/iam-token.ts';
import type { SecretReader } from '../aws/secrets.ts';
import { createNames, type Names } from '../dns/names.ts';
import { NameFailure } from '../dns/resolvers.ts';
import { configure, rewrites } from './configure.ts';
import { connect } from './connect.ts';
import type { ByteConnection, Connection, Target } from './connection.ts';
import { probeDefrag } from './defrag-probe.ts';
import { address, COMMAND_TIMEOUT_MS } from './failure.ts';
import { memoryPurge } from './memory-purge.ts';
import { observe } from './observe.ts';
import { type Access, orConfigProblem, type Reader, targetOf } from './target-of.ts';

/**
 * Connections that are open at once, in this process. Lambda has 1,024 file descriptors, of which AWS' clients need some. A TLS handshake takes
 * 1.2 ms of a processor (measured, with a private CA), of which Lambda gives a seventh: this many at once take one of the three seconds that
 * each has.
 */
const SOCKETS_AT_ONCE = 128;

/** Opens a connection to one node. An aborted `signal` ends the attempt. @throws {NodeFailure} */
export type OpenConnection = (access: Access, node: NodeAddress, signal?: AbortSignal) => Promise<ByteConnection>;

/**
 * Opens nodes with the secrets that their references name. A secret that the server refuses may have been rotated since it was read: it is
 * read again, and if it has changed, tried once more. The number of open connections is limited: a further one waits until another is
 * closed. Secrets and names are read before, so that one that hangs does not take a place. A token of IAM is signed for each connection.
 */
export function connectionOpener(
  secrets: SecretReader,
  clock: Pick<Clock, 'now'>,
  {
    names = createNames(),
    isAddressed,
  }: { readonly names?: Names | undefined; readonly isAddressed?: true | undefined } = {},
): OpenConnection {
  const places = pLimit(SOCKETS_AT_ONCE);
  const sign = tokenSigner(clock);
  const reader: Reader = { secrets, ...(isAddressed && { isAddressed }) };
  const reach = async (place: Target, signal: AbortSignal | undefined) => {
    const target = await withToken(place, sign);
    const route = await names.resolve(target.host).catch((error: unknown) => {
      throw asUnreached(error, target);
    });
    const opened = Promise.withResolvers<ByteConnection>();
    // The place is taken until the socket is closed.
    void places(async () => {
      try {
        signal?.throwIfAborted();
        const connection = await connect(target, route, signal);
        opened.resolve(connection);
        await connection.closed;
      } catch (error) {
        if (error instanceof NodeFailure && ['unreachable', 'timeout'].includes(error.kind)) names.doubt(target.host);
        opened.reject(error);
      }
    });
    return await opened.promise;
  };
  return async (access, node, signal) => {
    const startedAt = clock.now();
    const target = await targetOf(access, node, reader);
    return await reach(target, signal).catch(async (failure: unknown) => {
      const suspects = suspectsOf(failure, access);
      if (suspects.length === 0) throw failure;
      for (const suspect of suspects) secrets.forget(suspect, startedAt);
      const renewed = await targetOf(access, node, reader);
      if (isDeepStrictEqual(renewed, target)) throw failure;
      return await reach(renewed, signal);
    });
  };
}

/** Sessions over such connections. */
export function sessionOpener(open: OpenConnection, clock: Pick<Clock, 'now' | 'elapsed'>): OpenSession {
  return async (instance, node, signal) => sessionOver(await open(instance, node, signal), node, clock);
}

function asUnreached(error: unknown, target: Target): unknown {
  if (!(error instanceof NameFailure)) return error;
  const kind = error.code === 'ETIMEDOUT' ? 'timeout' : 'unreachable';
  return new NodeFailure(kind, `${address(target)} cannot be reached: ${error.message}`);
}

/** The secrets that may be out of date, if the failure can come from one. */
function suspectsOf(failure: unknown, { credentials, tls }: Access): readonly SecretReference[] {
  if (!(failure instanceof NodeFailure)) return [];
  const ofTls = failure.kind === 'tls' || failure.kind === 'config-problem';
  const suspects = ofTls ? TLS_SECRETS.map((key) => tls?.[key]) : [];
  return [...suspects, ...(failure.kind === 'wrong-credentials' ? [credentials?.password] : [])].filter(
    (one) => one !== undefined,
  );
}

/** Most configs have no user with IAM: the signer loads with the first one. */
function tokenSigner({ now }: Pick<Clock, 'now'>): TokenSigner {
  let signer: Promise<TokenSigner> | undefined;
  return async (user, group) => {
    signer ??= import('../aws/iam-token.ts').then(({ createTokenSigner }) => createTokenSigner(now));
    return await (await signer)(user, group);
  };
}

/** AWS stores the ids of users in lower case, and compares. */
async function withToken(target: Target, sign: TokenSigner): Promise<Target> {
  const { iam, username } = target;
  if (iam === undefined || username === undefined) return target;
  const user = username.toLowerCase();
  return { ...target, username: user, password: await orConfigProblem(sign(user, iam)) };
}

function sessionOver(connection: ByteConnection, node: NodeAddress, clock: Pick<Clock, 'now' | 'elapsed'>): Session {
  return {
    look: () => observe(connection, node.id, () => clock.now(), clock.elapsed),
    // Most ticks start nothing.
    examine: async (first) => (await import('./examine.ts')).examine(connection, first),
    probeDefrag: () => probeDefrag(connection),
    waits: (duration) => waits(connection, duration),
    inquire: async (first, seen) => (await import('./inquiry.ts')).inquire(connection, node, first, seen),
    clusterLines: async () => (await import('./cluster-nodes.ts')).clusterNodes(connection),
    rewrites: () => rewrites(connection),
    keys: async (first) => (await import('./key-reader.ts')).keyReader(connection, first),
    keepAlive: async () => void (await connection.send([['PING']], COMMAND_TIMEOUT_MS)),
    configure: (settings, { atomic }) => configure(connection, settings, atomic),
    purge: (timeout) => memoryPurge(connection, timeout),
    close: () => connection.close(),
  };
}

/** Between two PINGs: short enough to notice a stop of a few ms, long enough to cost the server nothing. */
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
