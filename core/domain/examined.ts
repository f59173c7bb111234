import type { Milliseconds } from '../config/units.ts';

/** What costs extra commands, and is asked only before a start. */
export interface Examined {
  /** INFO modules. */
  readonly modules: readonly ServerModule[];
  /** INFO clients, Valkey 8.1: clients are paused (CLIENT PAUSE, a failover), and for how much longer. */
  readonly paused?: { readonly reason: string; readonly left: Milliseconds };
  /** Of a node of a Cluster; `refused`: the server refuses CLUSTER INFO or CLUSTER NODES. */
  readonly cluster?: ClusterView | 'refused';
}

export interface ClusterView {
  /** `cluster_state` is `ok`. */
  readonly isUp: boolean;
  /** Slots, or tasks of atomic migration, that are on their way to or from this node. */
  readonly migrating: number;
  /** A primary with slots does not answer, or did not answer this node: a replica of it may be about to take over. */
  readonly isFailingOver?: true;
}

export interface ServerModule {
  readonly name: string;
  readonly version: number;
  /** Of search: how many indexes there are, where it reports them. */
  readonly indexes?: number;
}
