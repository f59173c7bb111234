import type { OpenConnection } from '../adapters/redis/node-session.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Discovered } from '../domain/discovered.ts';

/** What discoveries work with. */
export interface Means {
  readonly connect: OpenConnection;
}

/** One way to find nodes. @throws {DiscoveryFailure} */
export type Discovery = (instance: InstanceConfig, means: Means, signal?: AbortSignal) => Promise<Discovered>;
