import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Examined, Observation, Settings } from '../domain/observation.ts';

/** Looks at one node. Throws NodeFailure where the node cannot be talked to. */
export interface Inspector {
  look(): Promise<Observation>;
  /** What else has to be known before a start; `first` says of which server. */
  examine(first: Pick<Observation, 'isCluster' | 'engine'>): Promise<Examined>;
  /**
   * Asks whether the build can defragment, and whether we may switch it on, without switching anything on. Undefined: it did not
   * say.
   */
  probeDefrag(): Promise<'supported' | 'unsupported' | 'refused' | undefined>;
  /** PINGs for this long, one after the other with a short pause; returns for how long each waited, in ms. */
  waits(duration: Milliseconds): Promise<readonly Milliseconds[]>;
  /** What CONFIG REWRITE may have kept: see `rewritesOf`. */
  rewrites(): Promise<Rewrites>;
  /** A word in between, so that a server's idle `timeout` does not take a pause for the end. */
  keepAlive(): Promise<void>;
}

export interface Rewrites {
  /** CONFIG REWRITEs since the server's start or CONFIG RESETSTAT; absent where it does not count them (before Redis 7.0). */
  readonly calls?: number;
  /** False: the server runs without a config file, so that nothing can be rewritten. */
  readonly hasFile: boolean;
}

export type Configured =
  /** `found`: what the settings held in the instant before, by CONFIG GET in the same write. */
  | { readonly done: true; readonly found: Settings }
  /** `applied`: what the server had taken before it refused (nothing, where CONFIG SET is atomic). */
  | { readonly done: false; readonly found: Settings; readonly applied: Settings; readonly error: string };

export type Purged =
  | { readonly done: true; readonly blocked: Milliseconds }
  | { readonly done: false; readonly error: string };

/** Changes one node. Throws NodeFailure; whether the node has obeyed is then unknown. */
export interface Executor {
  /** CONFIG SET, in the given order. Never CONFIG REWRITE: a restart always brings the operator's file back. */
  configure(settings: Settings, options: { readonly atomic: boolean }): Promise<Configured>;
  /** MEMORY PURGE, once. A time-out here does not cancel it there. */
  purge(timeout: Milliseconds): Promise<Purged>;
}

/** One connection to one node, for the length of one visit. */
export interface Session extends Inspector, Executor {
  close(): void;
}

/** An aborted `signal` gives up what is under way, and closes its socket. Throws NodeFailure. */
export type OpenSession = (instance: InstanceConfig, node: NodeAddress, signal?: AbortSignal) => Promise<Session>;
