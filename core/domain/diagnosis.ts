import type { InstanceConfig } from '../config/schema.ts';
import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Denial } from './engine.ts';
import type { Prediction } from './prediction.ts';

/**
 * RSS taken apart. `mem_fragmentation_ratio` mixes these layers, and each has a cure of its own; bytes decide, the ratio
 * only describes.
 */
export interface Layers {
  /** What the data takes, as the allocator counts it. */
  readonly allocated: Bytes;
  /** active − allocated: holes in pages that are in use. Cured by active defrag. */
  readonly externalFragmentation: Bytes;
  /**
   * `allocator_frag_bytes`: how much of those holes the server's own defragger sees. Not the same since Redis 7.4 / Valkey 8.0
   * (small bins only), and 0 on Debian's Valkey 8.1 and 9.1 while 34 MB of holes are there.
   */
  readonly seenByDefrag?: Bytes;
  /** resident − active: free pages that the allocator keeps. Cured by MEMORY PURGE, or by time. */
  readonly freePages: Bytes;
  /** RSS − resident: code, stacks, Lua, modules. Cured by neither; negative where pages were never touched or are swapped. */
  readonly overhead: Bytes;
}

export type Finding =
  | { readonly kind: 'too-small'; readonly usedMemoryRss: Bytes; readonly floor: Bytes }
  | {
      readonly kind: 'fragmented';
      readonly bytes: Bytes;
      readonly percentOfData: Percent;
      /** How much of it active defrag closes. */
      readonly closable: Bytes;
      /** Why it does not here. */
      readonly obstacle?: Obstacle;
      /** Whether this build can is not known yet. */
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
  /** Not all of the data is in memory now: swapped, or pages that were reserved and never touched. Which one, INFO does not say. */
  | { readonly kind: 'rss-below-used'; readonly usedMemory: Bytes; readonly usedMemoryRss: Bytes }
  | { readonly kind: 'no-layers'; readonly why: 'not-jemalloc' | 'not-reported'; readonly memAllocator?: string };

export interface Diagnosis {
  readonly ratio?: number;
  /** Absent where the allocator does not say: see the finding `no-layers`. */
  readonly layers?: Layers;
  /** What each cure could return, whether or not it is allowed now. */
  readonly reclaimable: { readonly defrag: Bytes; readonly purge: Prediction };
  /** Whether each is worth it, and whether it can be had on this node. */
  readonly prospects: { readonly defrag: Prospect; readonly purge: Prospect };
  readonly findings: readonly Finding[];
}

/** The part of an instance's config that a diagnosis depends on. */
export type DiagnosisPolicy = Pick<InstanceConfig, 'purge' | 'defrag' | 'thresholds' | 'memoryLimit'>;

/** Why a cure that would be worth it cannot be had here, with the figures that say so. */
export type Obstacle =
  | { readonly kind: 'unknown-engine'; readonly version: string }
  /** Active defrag is on: a human's, or ours. */
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
 * What is to be had of a cure on this node, by all that is known of it. Findings, the legend beside the bars and plans ask the same
 * function, so that none of them promises what another one refuses.
 */
export type Prospect =
  /** `unproven`: this run of the server has not said yet whether its build can. INFO does not tell (`session.ts`, `probeDefrag`). */
  { readonly kind: 'worthwhile'; readonly unproven?: true } | { readonly kind: 'little' } | Obstacle;
