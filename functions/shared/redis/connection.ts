import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from './client.ts';
import { address, asFailure, CONNECT_TIMEOUT_MS, errorCode, farewellIn, NodeFailure, printable } from './failure.ts';

/** Where a node is and how to sign in. Values, not references: whoever resolves a secret hands it over here and keeps no copy. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly ca?: string;
  readonly serverName?: string;
  readonly username?: string;
  readonly password?: string;
}

/** One command's reply: an error reply is a value here, since a refused command must not hide the answers beside it. */
export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

export type Command = readonly [name: string, ...args: string[]];

export interface Connection {
  /** Sends commands in one write and waits for all replies. Throws NodeFailure when they do not all arrive within `timeout` ms. */
  send(commands: readonly Command[], timeout: number): Promise<readonly Reply[]>;
  /** How many commands this connection has sent so far. */
  readonly sent: number;
  close(): void;
}

const SIGN_IN_TIMEOUT_MS = 2000;
const CONNECTION_NAME = 'offpeak';

/**
 * One connection, for one visit. Nothing that ioredis does behind one's back: no reconnecting, no offline queue, no resending (a
 * purge that was sent twice blocks twice), no ready check (it sends INFO), RESP2 (no HELLO, which old servers and proxies refuse).
 */
export async function connect(target: Target): Promise<Connection> {
  const redis = new Redis({
    host: target.host,
    port: target.port,
    ...(target.tls && { tls: tlsOptions(target) }),
    protocol: 2,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    disableClientInfo: true,
  });
  const failure: { latest?: Error } = {};
  redis.on('error', (error: Error) => {
    failure.latest ??= error;
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw asFailure(failure.latest ?? error, target);
  }
  const connection = wrap(redis, target, failure);
  try {
    await signIn(connection, target);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

function tlsOptions({ host, ca, serverName }: Target): ConnectionOptions {
  // SNI holds names only (RFC 6066); the certificate is checked against the address all the same.
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
  return { ...(ca !== undefined && { ca }), ...(servername !== undefined && { servername }) };
}

function wrap(redis: Redis, target: Target, failure: { latest?: Error }): Connection {
  let sent = 0;
  return {
    async send(commands, timeout) {
      const pipeline = redis.pipeline();
      for (const [name, ...args] of commands) pipeline.call(name, ...args);
      sent += commands.length;
      const replies = await within(pipeline.exec(), timeout, target, () => redis.disconnect());
      const errors = (replies ?? []).flatMap(([error]) => (error ? [error] : []));
      const farewell = errors.find(({ message }) => farewellIn(message));
      // A connection that broke answers the rest with errors of the client's own making: those are no replies.
      const broken = farewell ?? errors.find(({ name }) => name !== 'ReplyError');
      if (broken) {
        redis.disconnect();
        throw asFailure(farewell ?? failure.latest ?? broken, target);
      }
      return (replies ?? []).map(([error, value]) =>
        error ? { ok: false, error: printable(error.message) } : { ok: true, value },
      );
    },
    get sent() {
      return sent;
    },
    close: () => redis.disconnect(),
  };
}

/** ioredis is not given the password: its errors carry the command that failed, arguments included. */
async function signIn(connection: Connection, { username, password }: Target): Promise<void> {
  const auth: Command[] =
    password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password]];
  const replies = await connection.send([...auth, ['CLIENT', 'SETNAME', CONNECTION_NAME]], SIGN_IN_TIMEOUT_MS);
  const [first] = replies;
  if (auth.length > 0 && first && !first.ok && !isPasswordNeedless(first.error)) {
    throw new NodeFailure('wrong-credentials', `the server refuses our credentials: ${errorCode(first.error)}`);
  }
}

/** A password for a server that asks for none is harmless: it is on its way to getting one, or has just lost it. */
function isPasswordNeedless(error: string): boolean {
  return /no password is set|without any password configured/i.test(error);
}

async function within<T>(work: Promise<T>, timeout: number, target: Target, abandon: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NodeFailure('timeout', `${address(target)} did not answer within ${Math.round(timeout)} ms`));
      // What still comes belongs to nobody: the next reply must not be taken for it.
      abandon();
    }, timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
