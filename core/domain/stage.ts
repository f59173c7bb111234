import type { Engine } from './engine.ts';

/**
 * Limits for the stage as a whole: so many nodes under active defrag at once, one node of a host at a time, and none with an engine version
 * of which a server has just gone down under Offpeak's defrag.
 */
export interface StageLimits {
  /** By `maxDefragsAtOnce` of the config. */
  readonly limit: number;
  /** Nodes with a lease, and nodes on which a job is about to take one. */
  readonly acting: readonly ActingNode[];
  /** Servers that went down under Offpeak's defrag, or may have; only those of the last night count. */
  readonly falls: readonly Outage[];
}

export interface ActingNode extends Place {
  /** A purge does not count towards the stage's limit. */
  readonly isDefrag: boolean;
  /** Name of the discovered Cluster or replication group that it belongs to. */
  readonly group?: string;
}

/** A discovered Cluster or replication group with several shards, as it is for one of its nodes. */
export interface Group {
  readonly name: string;
  /** Shards of it that may be acted on at once. */
  readonly limit: number;
  /** A run on one of its nodes has ended this night. Before that, one of them is its canary. */
  readonly isProven: boolean;
}

/** Where a server runs, as far as it can be seen from here. */
export interface Place {
  /** `host:port`, as the config names it. */
  readonly node: string;
  /** The IP address that its connection led to: two names may lead to one host. */
  readonly address?: string;
}

export type Version = Pick<Engine, 'name' | 'version'>;

/** One of several nodes that one change switches on at once. */
export interface Switching {
  readonly node: string;
  readonly engine: Version;
}

/** A server that went down under Offpeak's defrag, or may have. */
export interface Outage {
  readonly node: string;
  /** Of the process under defrag: if it answers again, it has not gone down. */
  readonly runId: string;
  readonly engine: Version;
  readonly how: 'restarted' | Unseen;
  /** Epoch ms: when it was noticed, and when its version is tried again. */
  readonly at: number;
  readonly until: number;
}

/**
 * `vanished`: it does not answer. `unchecked`: it answers with an error or with garbage, another server answers at its address, or the check
 * did not come about.
 */
export type Unseen = 'vanished' | 'unchecked';

/** Who has answered, and when (epoch ms). */
export interface Answer {
  readonly runId: string;
  readonly at: number;
}
