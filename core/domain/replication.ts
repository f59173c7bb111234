import type { Bytes, Milliseconds } from '../config/units.ts';

export type Role = 'primary' | 'replica' | 'unknown';

export interface Replication {
  readonly role: Role;
  readonly primarySyncInProgress?: boolean;
  /** `up` or `down`, on a replica. */
  readonly primaryLinkUp?: boolean;
  readonly failoverInProgress?: boolean;
  /** Replicas that are being fed a full sync now: whose state is not `online`. */
  readonly replicasSyncing: number;
  readonly connectedReplicas?: number;
  /** Addresses of those that are online and say where they listen; tools that copy the data (`redis-cli --rdb`) do not. */
  readonly replicas?: readonly string[];
  /** Those that lag by less than `min-replicas-max-lag`; only where `min-replicas-to-write` is set. */
  readonly goodReplicas?: number;
  /** On a replica: since the last message of its primary (`master_last_io_seconds_ago`), and what it has received and not yet applied. */
  readonly primarySilentFor?: Milliseconds;
  readonly unapplied?: Bytes;
  /** On a primary, of the worst of its replicas that are online: since its last acknowledgement (`lag`), and what it has not acknowledged. */
  readonly replicaSilentFor?: Milliseconds;
  readonly replicaBehind?: Bytes;
}

/** Another node of the same instance. Without `replication` it did not answer. */
export interface Peer {
  readonly node: string;
  readonly replication?: Replication;
  /** The second address of a server that the config names twice: not a copy of the data. */
  readonly isDouble?: true;
}
