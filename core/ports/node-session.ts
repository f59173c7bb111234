import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Inquiry } from '../domain/audit.ts';
import type { ClusterLine } from '../domain/cluster-line.ts';
import type { Examined } from '../domain/examined.ts';
import type { Observation, Settings } from '../domain/observation.ts';
import type { WatchedPrimary } from '../domain/outcome.ts';
import type { KeyReader } from './key-reader.ts';

/** Observes one node. Throws NodeFailure if the node cannot be reached. */
interface Inspector {
  look(): Promise<Observation>;
  /** What else must be known before a start; `first` is the observation of the same server. */
  examine(first: Pick<Observation, 'isCluster' | 'engine'>): Promise<Examined>;
  /**
   * Asks whether the build can defragment, and whether Offpeak may switch it on, without switching it on. Undefined: the answer was
   * unclear.
   */
  probeDefrag(): Promise<'supported' | 'unsupported' | 'refused' | undefined>;
  /** Sends PINGs for this long, one after the other with a short pause; returns how long each waited, in ms. */
  waits(duration: Milliseconds): Promise<readonly Milliseconds[]>;
  /** What only an audit asks; `first` is the observation of the same server, `waits` of its PINGs. */
  inquire(first: Observation, waits: readonly Milliseconds[]): Promise<Inquiry>;
  /** What a node of a Cluster says of all nodes; undefined where it refuses CLUSTER NODES. */
  clusterLines(): Promise<readonly ClusterLine[] | undefined>;
  /** What CONFIG REWRITE may have kept: see `rewritesOf`. */
  rewrites(): Promise<Rewrites>;
  /** Prepares the connection to draw keys; `first` is the observation of the same server. Only for a session that does nothing else. */
  keys(first: Observation): Promise<KeyReader>;
  /** A PING during a pause, so that the server's idle `timeout` does not close the connection. */
  keepAlive(): Promise<void>;
}

export interface Rewrites {
  /** CONFIG REWRITEs since the server's start or CONFIG RESETSTAT; absent where it does not count them (before Redis 7.0). */
  readonly calls?: number;
  /** False: the server runs without a config file, so that nothing can be rewritten. */
  readonly hasFile: boolean;
}

export type Configured =
  /** `found`: the values immediately before, by CONFIG GET in the same write. */
  | { readonly done: true; readonly found: Settings }
  /** `applied`: the settings that the server accepted before it refused one (none where CONFIG SET is atomic). */
  | { readonly done: false; readonly found: Settings; readonly applied: Settings; readonly error: string };

export type Purged =
  | { readonly done: true; readonly blocked: Milliseconds }
  | { readonly done: false; readonly error: string };

/** Changes one node. Throws NodeFailure; whether the change was made is then unknown. */
interface Executor {
  /** CONFIG SET, in the given order. Never CONFIG REWRITE: a restart always loads the operator's file. */
  configure(settings: Settings, options: { readonly atomic: boolean }): Promise<Configured>;
  /** MEMORY PURGE, once. A time-out here does not cancel it on the server. */
  purge(timeout: Milliseconds): Promise<Purged>;
}

/** One connection to one node, for one check and the action that follows. */
export interface Session extends Inspector, Executor {
  close(): void;
}

/** An aborted `signal` ends the attempt and closes its socket. Throws NodeFailure. */
export type OpenSession = (instance: InstanceConfig, node: NodeAddress, signal?: AbortSignal) => Promise<Session>;

type NodeFailureKind =
  /** No server answers: refused, no route, no such name, connection closed. */
  | 'unreachable'
  /** A server does not answer in time: hung, stopped, overloaded, or a purge that takes longer than predicted. */
  | 'timeout'
  | 'wrong-credentials'
  | 'tls'
  | 'not-redis'
  /** A Sentinel, a proxy, or a server that does not report its memory: it answers, but there is nothing to watch. */
  | 'not-data-node'
  /** The cause is on Offpeak's side: a secret, a variable, a region, a file that its config names. The server was not asked. */
  | 'config-problem'
  /** The server answers with an error (LOADING, BUSY, NOPERM, …), or refuses the connection (maxclients). */
  | 'refused';

/** A node that cannot be reached: an outcome, not a bug. The message never holds what was sent. */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure';
  readonly kind: NodeFailureKind;
  /** Where a Sentinel answered in place of a data node. */
  readonly watches: readonly WatchedPrimary[] | undefined;

  constructor(kind: NodeFailureKind, message: string, watches?: readonly WatchedPrimary[]) {
    super(message);
    this.kind = kind;
    this.watches = watches;
  }
}
