import type { Redis } from 'ioredis';
import { settled } from '../../cli/lab/at-rest.ts';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { clientOf } from '../../cli/lab/client.ts';
import { findDefragServer } from '../../cli/lab/find.ts';
import { type RunningServer, type StartOptions, startServer } from '../../cli/lab/start.ts';
import { BenchError } from './main.ts';

/** A server that can defragment. @throws BenchError where none can be had */
export async function defragServer(): Promise<ServerBinary> {
  const found = await findDefragServer({ log: (text) => process.stderr.write(`${text}\n`) });
  if (found.kind === 'found') return found;
  throw new BenchError(`${found.reason}\n${found.install}`);
}

export interface Prepared extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
}

/** A key that stays, for the prober; recipes that evict may drop it, and the answer then costs the same. */
export const PROBE = 'bench:probe';

/** A server with the data in it that `build` writes, fragmented, its free pages decayed where it lets them. */
export async function prepared(
  binary: ServerBinary,
  build: (redis: Redis) => Promise<void>,
  options: StartOptions = {},
): Promise<Prepared> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer(binary, options));
  const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
  await build(redis);
  await redis.set(PROBE, 'x'.repeat(100));
  await settled(redis);
  const kept = stack.move();
  return { server, redis, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
