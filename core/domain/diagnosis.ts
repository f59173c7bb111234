import type { InstanceConfig } from '../config/schema.ts';
import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
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
  /** resident − active: free pages of the allocator (jemalloc: dirty and muzzy). MEMORY PURGE returns them, or time. */
  readonly freePages: Bytes;
  /** RSS − resident: code, stacks, Lua, modules. No action returns it; negative where pages were never touched or are swapped. */
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
      /** How much of it a purge returns. */
      readonly returnable: Bytes;
      readonly obstacle?: Obstacle;
    }
  | { readonly kind: 'overhead'; readonly bytes: Bytes; readonly scripting?: Bytes }
  | { readonly kind: 'near-limit'; readonly usedMemoryRss: Bytes; readonly limit: Bytes; readonly percent: Percent }
  /** Not all of the data is in memory: swapped, or pages that were reserved and never touched. INFO does not say which. */
  | { readonly kind: 'rss-below-used'; readonly usedMemory: Bytes; readonly usedMemoryRss: Bytes }
  | { readonly kind: 'no-layers'; readonly why: 'not-jemalloc' | 'not-reported'; readonly memAllocator?: string };

export interface Diagnosis {
  readonly ratio?: number;
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
  | { readonly kind: 'odd-settings'; readonly names: readonly string[] }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'not-defraggable'; readonly seen: Bytes; readonly of: Bytes }
  | { readonly kind: 'purge-refused' }
  | { readonly kind: 'would-block'; readonly stall: Milliseconds };

/**
 * Whether an action is worth it and possible on this node, by all that is known of the node. Findings, the legend beside the bars and plans
 * ask the same function, so that none of them promises what another one refuses.
 */
export type Prospect =
  /** `unproven`: this run of the server has not said yet whether its build can. INFO does not say (`node-session.ts`, `probeDefrag`). */
  { readonly kind: 'worthwhile'; readonly unproven?: true } | { readonly kind: 'little' } | Obstacle;
