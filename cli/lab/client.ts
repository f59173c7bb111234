import { Redis } from '../../core/adapters/redis/client.ts';

const REPLY_TIMEOUT_MS = 5_000;

interface Place {
  readonly host: string;
  readonly port: number;
}

/** A client for a server of one's own: quiet when that server ends first, and it never connects again. */
export function clientOf({ host, port }: Place, { commandTimeout }: { readonly commandTimeout?: number } = {}): Redis {
  const redis = new Redis({
    host,
    port,
    protocol: 2,
    enableReadyCheck: false,
    retryStrategy: null,
    disableClientInfo: true,
    ...(commandTimeout !== undefined && { connectTimeout: commandTimeout, commandTimeout }),
  });
  redis.on('error', () => {});
  return redis;
}

/** Asks one question on a connection of its own. @throws as `onConnection` */
export async function ask(place: Place, command: string, ...args: readonly string[]): Promise<string> {
  return await onConnection(place, async (redis) => String(await redis.call(command, ...args)));
}

/**
 * Asks on one connection: a server may accept a single one.
 *
 * @throws an error reply (`isErrorReply`), or Error when there is no connection or no reply within 5 s
 */
export async function onConnection<T>(place: Place, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = clientOf(place, { commandTimeout: REPLY_TIMEOUT_MS });
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** Whether the server answered, with an error; the message is its own text. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
