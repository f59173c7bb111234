import type { HeldLease } from '../leases/lease-store.ts';
import type { Switched } from './acting-leases.ts';
import type { Look } from './outages.ts';
import type { StageDocument } from './stage-document.ts';

/** What a tick knows as it begins. */
export interface Known {
  readonly limit: number;
  readonly document: StageDocument;
  readonly leases: readonly HeldLease[];
  /** Keys of documents that cannot be read. */
  readonly unreadable: readonly string[];
  readonly placements: ReadonlyMap<string, HeldLease>;
  readonly looks: readonly Look[];
  /** By node: the discovered group that it belongs to. */
  readonly groups?: ReadonlyMap<string, string>;
  /** Nodes whose parameter group is switched. */
  readonly switched?: Switched;
  /** Where other workers have a part of the nodes: when the dispatch began this tick (epoch ms). */
  readonly since?: number;
}
