import type { MemoryLimit } from '../config/near-limit.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { ForkCopy, Holder, MemoryAccount } from './account.ts';
import type { Denial } from './engine.ts';
import type { Prediction } from './prediction.ts';

/**
 * What RSS consists of. `mem_fragmentation_ratio` mixes these layers, and a different action returns each. Decisions use bytes; the ratio is
 * only shown.
 */
export interface Layers {
  /** What the data takes, as the allocator counts it. */
  readonly allocated: Bytes;
  /** active − allocated: external fragmentation, free memory inside pages that are in use. Active defrag returns it. */
  readonly externalFragmentation: Bytes;
  /**
   * `allocator_frag_bytes`: how much of it the server's own defragger sees. Less since Redis 7.4 / Valkey 8.0 (small bins only), and 0 on
   * Debian's Valkey 8.1 and 9.1 beside 34 MB of external fragmentation.
   */
  readonly seenByDefrag?: Bytes;
  /** resident − active, and the muzzy pages: free pages of the allocator. MEMORY PURGE returns them, or time. */
  readonly freePages: Bytes;
  /** Of these, what is muzzy: jemalloc does not count it as resident (Redis 7.4, Valkey 8.0). Absent where there is none. */
  readonly muzzyPages?: Bytes;
  /** RSS beyond these: code, stacks, Lua, modules. No action returns it; negative where pages were never touched or are swapped. */
  readonly overhead: Bytes;
}

export type Finding =
  | { readonly kind: 'too-small'; readonly usedMemoryRss: Bytes; readonly floor: Bytes }
  | {
      readonly kind: 'fragmented';
      readonly bytes: Bytes;
      readonly percentOfData: Percent;
      /** How much of it active defrag returns. */
      readonly closable: Bytes;
      /** Why it does not here. */
      readonly obstacle?: Obstacle;
      /** It is not known yet whether this build can. */
      readonly unproven?: true;
    }
  | {
      readonly kind: 'free-pages';
      readonly bytes: Bytes;
      /** Of these, what the kernel may take: also a purge returns it. */
      readonly muzzy?: Bytes;
      /** How much of it a purge returns. */
      readonly returnable: Bytes;
      readonly obstacle?: Obstacle;
    }
  /** Outside of the allocator, without the Lua VMs: INFO does not say what it is. */
  | { readonly kind: 'overhead'; readonly bytes: Bytes; readonly percent: Percent }
  /** Parts that take more than is usual: each has a remedy of its own. */
  | { readonly kind: 'held'; readonly by: Holder; readonly bytes: Bytes; readonly percent: Percent }
  | {
      readonly kind: 'near-limit';
      readonly usedMemoryRss: Bytes;
      /** RSS is not known, and used_memory stands in for it: RSS is hardly ever less. */
      readonly isUsedMemory?: true;
      /** Of RSS and the fork's pages together; only where these are counted. */
      readonly fork?: ForkCopy;
      readonly limit: Bytes;
      readonly of: MemoryLimit['of'];
      readonly percent: Percent;
      /** What actions that are possible here would return. */
      readonly returnable: Bytes;
    }
  | { readonly kind: 'peak-over-limit'; readonly peak: Bytes; readonly limit: Bytes; readonly of: MemoryLimit['of'] }
  | MaxmemoryFinding
  /** Fields of INFO with values that cannot be; they are left out. */
  | { readonly kind: 'impossible'; readonly fields: readonly string[] }
  /** Not all of the data is in memory: swapped, or pages that were reserved and never touched. INFO does not say which. */
  | { readonly kind: 'rss-below-used'; readonly usedMemory: Bytes; readonly usedMemoryRss: Bytes }
  | {
      readonly kind: 'no-layers';
      readonly why: 'not-jemalloc' | 'not-reported' | 'impossible' | 'no-rss';
      readonly memAllocator?: string;
      /** RSS less used_memory and the Lua VMs: what stays without a name. May be negative. */
      readonly beyondUsed: Bytes;
    };

/** `maxmemory` beside the limit. */
export interface MaxmemoryFinding {
  readonly kind: 'maxmemory';
  /** `none`: it is 0. `beyond-limit`: RSS reaches the limit first. `little-headroom`: the limit is less than 30 % above it. */
  readonly problem: 'none' | 'beyond-limit' | 'little-headroom';
  readonly maxmemory: Bytes;
  /** `noeviction` refuses writes instead. */
  readonly refusesWrites: boolean;
  readonly limit: MemoryLimit;
  /** RSS, with a fork's pages, once used_memory is at maxmemory, by this node's own overhead. */
  readonly expected?: Bytes;
  /** The largest maxmemory that this limit allows; absent where none does. */
  readonly suggested?: Bytes;
  /** The limit that this maxmemory asks for. */
  readonly needed?: Bytes;
  /** CONFIG is refused: a parameter group sets it. */
  readonly isManaged: boolean;
}

export interface Diagnosis {
  readonly ratio?: number;
  /** Where every byte is; absent where neither RSS nor used_memory is known. */
  readonly account?: MemoryAccount;
  /** What the kernel may kill the server at; absent where it is not known. */
  readonly limit?: MemoryLimit;
  /** Absent where the allocator does not say: see the finding `no-layers`. */
  readonly layers?: Layers;
  /** What each action could return, whether or not it is allowed now. */
  readonly reclaimable: { readonly defrag: Bytes; readonly purge: Prediction };
  /** Whether each action is worth it and possible on this node. */
  readonly prospects: { readonly defrag: Prospect; readonly purge: Prospect };
  readonly findings: readonly Finding[];
}

/** The part of an instance's config that a diagnosis depends on. */
export type DiagnosisPolicy = Pick<InstanceConfig, 'purge' | 'defrag' | 'thresholds' | 'memoryLimit'>;

/** Why an action that would be worth it is not possible here, with the figures that say so. */
export type Obstacle =
  /** `calledItself`: its own name, where it gives one. */
  | { readonly kind: 'unknown-engine'; readonly version: string; readonly calledItself?: string }
  /** Active defrag is on: a person's, or Offpeak's. */
  | { readonly kind: 'already-on' }
  | { readonly kind: 'disabled'; readonly setting: 'defrag.enabled' | 'purge.enabled' }
  | { readonly kind: 'denied-version'; readonly denial: Denial }
  | { readonly kind: 'config-refused' }
  /** Its parameter group switches it, for all nodes of the group at once. */
  | { readonly kind: 'by-group' }
  | { readonly kind: 'odd-settings'; readonly names: readonly string[] }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'not-defraggable'; readonly seen: Bytes; readonly of: Bytes }
  | { readonly kind: 'purge-refused' }
  | { readonly kind: 'would-block'; readonly stall: Milliseconds }
  /** A cycle, or the one wait as the run begins, would be longer than the policy allows. */
  | { readonly kind: 'would-stall'; readonly stall: Milliseconds; readonly firstCycle: Milliseconds };

/**
 * Whether an action is worth it and possible on this node, by all that is known of the node. Findings, the legend beside the bars and plans
 * ask the same function, so that none of them promises what another one refuses.
 */
export type Prospect =
  /** `unproven`: this run of the server has not said yet whether its build can. INFO does not say (`node-session.ts`, `probeDefrag`). */
  { readonly kind: 'worthwhile'; readonly unproven?: true } | Little | Obstacle;

/** It would return less than `floor` (bytes), the action's `minReclaim`. */
export interface Little {
  readonly kind: 'little';
  readonly floor?: Bytes;
}
