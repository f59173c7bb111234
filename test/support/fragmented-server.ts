import type { Redis } from 'ioredis';
import type { RunningServer, StartOptions } from '../../cli/lab/start.ts';
import { clientOf, fragment, settingsOf } from './fragmented.ts';
import { untilOldEnough } from './offpeak.ts';
import { defragServer } from './servers.ts';

export interface FragmentedServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
  /** As they were before any test. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that can defragment, is fragmented, and is old enough to be acted on. For a purge that is to follow, `start` a `keepingServer`. */
export async function fragmentedServer(
  bytes?: number,
  options?: StartOptions,
  start: (options?: StartOptions) => Promise<RunningServer> = defragServer,
): Promise<FragmentedServer> {
  const server = await start(options);
  const redis = clientOf(server);
  const settings = await settingsOf(redis);
  await fragment(redis, bytes);
  await untilOldEnough(redis);
  return {
    server,
    redis,
    settings,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server.stop();
    },
  };
}

/** One on each of these loopback addresses, started side by side. They are reached at 127.0.0.1, too. */
export async function fragmentedServers(bytes: number, hosts: readonly string[]): Promise<readonly FragmentedServer[]> {
  return await Promise.all(
    hosts.map((host) => fragmentedServer(bytes, { args: ['--bind', ...new Set(['127.0.0.1', host])] })),
  );
}
