import type { NodeAddress } from '../config/address.ts';
import type { Config, FoundGroup, Unsettled } from '../config/schema.ts';
import type { Bytes, Milliseconds } from '../config/units.ts';

/** What one discovery has found. */
export interface Discovered {
  /** Nodes that hold the same data, together: a primary and its replicas. */
  readonly shards: readonly FoundShard[];
  /** What was seen and is not maintained, in sentences for people: a node without an address, a serverless cache. */
  readonly leftOut: readonly string[];
  readonly unsettled?: Unsettled;
}

export interface FoundShard {
  /** Id of the replication group or cluster, where one discovery finds several; empty where it finds one. */
  readonly group: string;
  /** A name that the source itself gives to the shard and keeps: `0001`. Absent where it has none, as in a Redis Cluster. */
  readonly name?: string;
  readonly nodes: readonly FoundNode[];
  /** All of its nodes have failed, and it serves no slot: before Redis 7.2, a primary whose slots a replica has taken over stands alone. */
  readonly isFailed?: true;
  readonly managed?: FoundGroup;
  /** From tags of the resource; they win over the config. */
  readonly overrides?: Overrides;
}

export interface FoundNode {
  readonly address: NodeAddress;
  /** What stays when the address changes: the id of a node in its cluster, of a cache node. */
  readonly identity?: string;
  /** As the source said when it was asked; INFO says it again. */
  readonly role?: 'primary' | 'replica';
}

/** What a tag of a resource may set (`offpeak:max-stall`). */
export interface Overrides {
  readonly memoryLimit?: Bytes;
  readonly maxStall?: Milliseconds;
  /** Epoch ms: until then nothing is started there. */
  readonly pausedUntil?: number;
  /** False: it is only watched. */
  readonly acts?: boolean;
}

/** A shard with its name, which it keeps for as long as one of its nodes is known. */
export interface NamedShard extends FoundShard {
  readonly name: string;
}

/** The id of the instance that a shard becomes: `<instance>/<group>/<shard>`, without what is empty. */
export function shardId(by: string, { group, name }: Pick<NamedShard, 'group' | 'name'>): string {
  return [by, group, name].filter((part) => part !== '').join('/');
}

/** What a discovery has found last. It is used while the discovery fails. */
export interface Inventory {
  /** Epoch ms of the discovery that it is from. */
  readonly at: number;
  readonly shards: readonly NamedShard[];
}

/** What differs from the inventory before. */
export type FleetChange =
  | { readonly kind: 'node-found'; readonly instance: string; readonly node: string }
  | { readonly kind: 'node-gone'; readonly instance: string; readonly node: string };

/** A node that the config does not name, though it names others of its Cluster, or its primary. */
export interface UnlistedNode {
  /** In its Cluster; without one, its address. */
  readonly id: string;
  readonly address: string;
}

/** A change, or a node that is not named. */
export type NodeChange =
  | FleetChange
  | { readonly kind: 'node-unlisted'; readonly instance: string; readonly node: string };

/** What is known of one instance that has `discover`. */
export interface Finding {
  /** As found now; while that fails, those of its inventory. */
  readonly shards: readonly NamedShard[];
  /** Of the inventory that it was compared with, or that is used (epoch ms); absent where there is none. */
  readonly inventoryAt?: number;
}

/** The fleet as it is now. */
export interface Fleet {
  /** Each instance has its nodes. */
  readonly config: Config;
  /** By instance of the config that has `discover`. */
  readonly found: ReadonlyMap<string, Finding>;
  /** By instance of the config: why its nodes could not be found now. Those of its inventory count, if it has one that is not too old. */
  readonly failures: ReadonlyMap<string, string>;
  /** Those of them that a person has to fix: in the config, in the rights of the job, or in this program. */
  readonly mistakes: ReadonlySet<string>;
  readonly changes: readonly FleetChange[];
  /** What was seen and is not maintained, in sentences. */
  readonly leftOut: readonly string[];
  /**
   * Keeps what was found for the time when a discovery fails, and for the names of shards. After the report: what has changed is found again if
   * that was not sent. `isWhole`: false of a tick of some instances, which reports no change; it keeps what none has found before.
   */
  readonly keep: (tick: { readonly isWhole: boolean }) => Promise<void>;
}
