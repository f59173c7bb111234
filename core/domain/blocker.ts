import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Outage, Version } from './stage.ts';

/** Why the stage keeps a node from being acted on, with its figures. */
export type StageBlocker =
  | { readonly kind: 'stage-limit'; readonly limit: number; readonly nodes: readonly string[] }
  /** Of one discovered group so many shards are acted on at once; one, until its canary has ended. */
  | {
      readonly kind: 'group-limit';
      readonly group: string;
      readonly limit: number;
      readonly nodes: readonly string[];
      readonly isCanary?: true;
    }
  /** Two servers of one machine share its processors, its memory bandwidth and its kernel's locks. */
  | { readonly kind: 'host-acting'; readonly node: string; readonly isDefrag: boolean }
  /** Crashes under defrag are a matter of the version (see the deny-list): after one crash, the next server is not tried. */
  | {
      readonly kind: 'version-fell';
      readonly node: string;
      readonly engine: Version;
      readonly how: Outage['how'];
      readonly at: number;
      readonly until: number;
    }
  /** A server of this version is under defrag, and its own worker has not checked it in this tick: it may have gone down. */
  | { readonly kind: 'version-unseen'; readonly node: string; readonly at: number; readonly until: number };

/** Clients need the server now. Each limit that is exceeded is present; neither is, if nothing could be measured. */
export interface Busy {
  readonly kind: 'busy';
  readonly mainThread?: {
    readonly cpu: Percent;
    readonly limit: Percent;
    /** Offpeak's own active defrag has up to this much of it. */
    readonly ownDefrag?: Percent;
  };
  readonly commands?: {
    readonly perSecond: number;
    readonly limit: number;
    /** The config does not set this limit: it applies where the CPU could not be measured. */
    readonly standsIn?: true;
  };
}

export type ReplicationBlocker =
  | { readonly kind: 'replica-syncing'; readonly linkUp: boolean }
  | { readonly kind: 'feeding-full-sync'; readonly replicas: number }
  | { readonly kind: 'failover' }
  /** The copy is old. `whose`: this node is the replica, or it is the primary of one. */
  | {
      readonly kind: 'replica-behind';
      readonly whose: 'own' | 'replicas';
      /** Since the last message of the primary, or of the replica. */
      readonly silentFor?: Milliseconds;
      readonly behind?: Bytes;
    }
  /** A primary whose peers do not answer may be the last one that serves its data. */
  | { readonly kind: 'peers-silent'; readonly peers: readonly string[]; readonly configured: number }
  | { readonly kind: 'replicas-missing'; readonly connected: number; readonly configured: number };

/** What discovery has found out: what AWS does to the node's group, or is about to do, and what its tags say. */
type ManagedBlocker =
  | { readonly kind: 'watch-only' }
  /** The discovery fails: whether a failover or a change is under way is unknown. */
  | { readonly kind: 'undiscovered' }
  /** Its status is not `available`: `modifying`, `snapshotting`, … */
  | { readonly kind: 'group-changing'; readonly group: string; readonly status: string }
  /** AWS' own windows; `until`: epoch ms. */
  | { readonly kind: 'aws-maintenance'; readonly until: number }
  | { readonly kind: 'aws-snapshot'; readonly until: number };

/** Why acting on a node is unsafe or unwise now, with the figures that say so. */
export type Blocker =
  | { readonly kind: 'unknown-engine'; readonly engine: string; readonly version: string }
  /** MEMORY lacks the LOADING flag: the server itself would refuse. */
  | { readonly kind: 'loading' }
  /** The defragger idles during a fork ("will just do damage", defrag.c), and every page that moves is copied. */
  | { readonly kind: 'forking'; readonly child: 'bgsave' | 'aof-rewrite' | 'module' | 'slot-migration' }
  /** Nothing is saved: what a crash would lose grows with each write (rdb.c, aof.c; by default the server itself refuses writes then). */
  | {
      readonly kind: 'persistence-failing';
      readonly failing: readonly ('save' | 'aof-write' | 'aof-rewrite')[];
      /** Changes since the last good save. */
      readonly unsaved?: number;
    }
  /** Far less is in memory than the server has allocated: part was swapped out, and each page that is touched comes from the disk. */
  | { readonly kind: 'swapped-out'; readonly rss: Bytes; readonly used: Bytes }
  | ReplicationBlocker
  | ManagedBlocker
  /** Slots of a Cluster are migrating (CLUSTER NODES, CLUSTER INFO, INFO memory): both sides are busy, and the keys are about to move. */
  | { readonly kind: 'slots-migrating'; readonly slots?: number; readonly bytes?: Bytes }
  /** `cluster_state` is not `ok`: some slots are served by no node. */
  | { readonly kind: 'cluster-down' }
  | { readonly kind: 'cluster-refused' }
  | { readonly kind: 'clients-paused'; readonly reason: string; readonly left: Milliseconds }
  /** The fragmentation may be in data that defrag does not move (`modules.ts`). */
  | { readonly kind: 'module-types'; readonly modules: readonly string[] }
  /** Memory is still being freed in the background: the figures will be different in a moment. */
  | { readonly kind: 'lazyfree-pending'; readonly objects: number }
  | { readonly kind: 'rehashing'; readonly bytes: Bytes; readonly limit: Bytes }
  /** Short of memory for data: a capacity problem, which no action of Offpeak solves. */
  | { readonly kind: 'eviction-pressure'; readonly exceededFor: Milliseconds; readonly overLimit: Bytes }
  | { readonly kind: 'just-restarted'; readonly uptime: Milliseconds; readonly required: Milliseconds }
  | Busy
  | StageBlocker
  | { readonly kind: 'peer-acting'; readonly peer: string }
  | { readonly kind: 'cooling-down'; readonly until: number }
  /** Another node of the instance, its canary, restarted under Offpeak's defrag: its peers get none in the same night. */
  | { readonly kind: 'canary-died'; readonly node: string; readonly until: number }
  /** The config names this server twice: Offpeak acts on it as that node. */
  | { readonly kind: 'same-server'; readonly as: string }
  | { readonly kind: 'not-enough-time'; readonly remaining: Milliseconds; readonly required: Milliseconds }
  /** A defrag that is cut off has cost its time and returned next to nothing: most memory is returned as a scan ends. */
  | {
      readonly kind: 'too-long';
      readonly required: Milliseconds;
      readonly available: Milliseconds;
      readonly cpu: Percent;
      /** What limits the time. */
      readonly bound: 'window' | 'maxDuration' | 'schedule';
      /** Measured on this node, not estimated. */
      readonly isLearned: boolean;
    };

export type BlockerKind = Blocker['kind'];
