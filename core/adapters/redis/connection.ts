import type { ManagedGroup } from '../../config/iam.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { within } from '../within.ts';
import { AbstractConnector, Redis, type RedisOptions } from './client.ts';
import { address, asFailure, farewellIn, printable } from './failure.ts';
import type { GuardedStream } from './guarded-stream.ts';
import { RESP_LIMITS } from './resp-guard.ts';
import type { Peer } from './socket.ts';

/** Where a node is and how to sign in. Values, not references: the code that reads a secret passes it on and keeps no copy. */
export interface Target extends Peer {
  readonly username?: string;
  readonly password?: string;
  /** The reference that it was read by, for messages. */
  readonly passwordFrom?: string;
  /** Where the user signs in with IAM: the password is then a token for this group. */
  readonly iam?: ManagedGroup;
}

/** One command's reply. An error reply is a value, since a refused command must not hide the other answers. */
export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** The reply of a command that answers with a text; undefined: an error, or another type. */
export function textOf(reply: Reply | undefined): string | undefined {
  return reply?.ok && typeof reply.value === 'string' ? reply.value : undefined;
}

export type Command = readonly [name: string, ...args: string[]];

/** Arguments that a server has sent, like names of keys, are bytes: not every name is a text. */
export type ByteCommand = readonly [name: string, ...args: (string | Buffer)[]];

export interface Connection {
  /** Sends commands in one write and waits for all replies. Throws NodeFailure when they do not all arrive within `timeout` ms. */
  send(commands: readonly Command[], timeout: number): Promise<readonly Reply[]>;
  /** How many commands this connection has sent so far. */
  readonly sent: number;
  /** The IP address at the other end; undefined once it is closed. */
  readonly address?: string | undefined;
  /** Its server was named on the command line, without a config. */
  readonly isAddressed?: true;
  close(): void;
}

/** As it is opened. */
export interface ByteConnection extends Connection {
  /** The same as `send`, with texts as bytes. */
  sendForBytes(commands: readonly ByteCommand[], timeout: number): Promise<readonly Reply[]>;
  /** Resolves when the socket is closed, by whichever side. */
  readonly closed: Promise<void>;
}

/**
 * Without what ioredis does by itself: no reconnecting, no offline queue, no resending (a purge that is sent twice blocks
 * twice), no ready check (it sends INFO), RESP2 (no HELLO, which old servers and proxies refuse).
 */
export async function open(target: Target, stream: GuardedStream): Promise<ByteConnection> {
  const redis = new Redis({
    Connector: handing(stream),
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    disableClientInfo: true,
  });
  // The stream has the cause; an error without a listener would be printed.
  redis.on('error', () => {});
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw asFailure(stream.errored ?? error, target);
  }
  return wrap(redis, stream, target);
}

/** Gives the client a connected stream in place of a socket of its own. */
function handing(stream: GuardedStream): NonNullable<RedisOptions['Connector']> {
  return class extends AbstractConnector {
    constructor() {
      super(0);
    }
    // The client asks of its stream what a Duplex has, and setNoDelay and setKeepAlive.
    override async connect() {
      return stream as unknown as Awaited<ReturnType<AbstractConnector['connect']>>;
    }
    override disconnect() {
      stream.destroy();
    }
  };
}

function wrap(redis: Redis, stream: GuardedStream, target: Target): ByteConnection {
  let sent = 0;
  const exchange = async (commands: readonly ByteCommand[], timeout: number, call: 'call' | 'callBuffer') => {
    const pipeline = redis.pipeline();
    for (const [name, ...args] of commands) pipeline[call](name, args);
    sent += commands.length;
    stream.expect(commands.length, describesCluster(commands) ? RESP_LIMITS.clusterElements : undefined);
    const replies = await within(pipeline.exec(), timeout, () => late(redis, target, timeout));
    const errors = (replies ?? []).flatMap(([error]) => (error ? [error] : []));
    const farewell = errors.find(({ message }) => farewellIn(message));
    // When a connection breaks, the client itself answers the rest with errors: those are not replies.
    const broken = farewell ?? errors.find(({ name }) => name !== 'ReplyError');
    if (broken) {
      redis.disconnect();
      throw asFailure(farewell ?? stream.errored ?? broken, target);
    }
    return (replies ?? []).map(
      ([error, value]): Reply => (error ? { ok: false, error: printable(error.message) } : { ok: true, value }),
    );
  };
  return {
    ...(target.isAddressed && { isAddressed: true }),
    closed: stream.untilClosed(),
    send: (commands, timeout) => exchange(commands, timeout, 'call'),
    sendForBytes: (commands, timeout) => exchange(commands, timeout, 'callBuffer'),
    get sent() {
      return sent;
    },
    get address() {
      return plainAddress(stream.remoteAddress);
    },
    close: () => redis.disconnect(),
  };
}

function describesCluster(commands: readonly ByteCommand[]): boolean {
  return commands.some(([name, what]) => name === 'CLUSTER' && (what === 'SHARDS' || what === 'SLOTS'));
}

/** A socket for both kinds shows an IPv4 address in another form (RFC 4291, 2.5.5.2). */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=[\d.]+$)/i, '');
}

/** @throws NodeFailure, of the kind 'timeout' */
function late(redis: Redis, target: Target, timeout: number): never {
  // A late reply must not be taken for the reply to the next command. After the caller has this failure, not one of the disconnection.
  process.nextTick(() => redis.disconnect());
  throw new NodeFailure('timeout', `${address(target)} did not answer within ${Math.round(timeout)} ms`);
}
