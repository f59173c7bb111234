import type { Outage, Version } from '../domain/stage.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';
import { LEASE } from '../state/keys.ts';
import type { Held } from './stage-document.ts';

/** A node whose parameter group is switched. */
export interface SwitchedNode extends Held {
  /** Its last check (epoch ms), as its lease has it; absent where that is being ended, so that its checks are not stored. */
  readonly checked?: { readonly at: number; readonly engine?: Version };
}

/** Nodes on which a defrag is on without a lease of their own. */
export interface Switched {
  /** As the tick began. */
  readonly seen: readonly SwitchedNode[];
  /** @throws {StateUnavailable} */
  now(): Promise<readonly SwitchedNode[]>;
  /** What this tick's checks say of them. */
  readonly falls: readonly Outage[];
}

/** The nodes that these leases act on, each where its server is now. */
export function actingUnder(leases: readonly HeldLease[], placements: ReadonlyMap<string, HeldLease>): readonly Held[] {
  return leases.flatMap((held) => {
    const home = [...placements].find(([, one]) => one.key === held.key)?.[0];
    if (isQuarantined(held) && home === undefined) return [];
    const { address, holder, instance } = held.lease;
    const node = home ?? held.lease.node;
    const isDefrag = held.lease.phase !== 'purging';
    return [{ node, holder, ...(address !== undefined && { address }), isDefrag, group: groupIn(instance) }];
  });
}

/** A lease that cannot be read may be of any node. */
export function unreadable(key: string): Held {
  return { node: key, holder: '', isDefrag: true, group: groupIn(key.slice(LEASE.length)) };
}

/** `carts` of the shard `carts/0001`; an instance that is not a shard is in a group of its own. */
function groupIn(instance: string): string {
  return instance.replace(/\/[^/]*$/, '');
}
