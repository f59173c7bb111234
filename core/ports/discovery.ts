import type { InstanceConfig } from '../config/schema.ts';
import type { Discovered } from '../domain/discovered.ts';

/** Finds the nodes of an instance that has `discover`. An aborted `signal` ends the attempt. @throws {DiscoveryFailure} */
export type Discover = (instance: InstanceConfig, signal?: AbortSignal) => Promise<Discovered>;

/** The nodes could not be found now. The message is for people: what failed, and what to do. It holds no secret. */
export class DiscoveryFailure extends Error {
  override readonly name = 'DiscoveryFailure';
  /** In the config, or in the rights of the job: it stays until a person fixes it. */
  readonly isMistake: boolean;

  constructor(
    message: string,
    { isMistake = false, cause }: { readonly isMistake?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.isMistake = isMistake;
  }
}
