import { type Look, seenIn } from '../actions/outages.ts';
import type { Outage } from '../domain/stage.ts';
import { fallOf } from '../guards/stage-limits.ts';
import type { GroupLease } from './lease.ts';

/**
 * Servers that went down while their group was switched, or may have: their version gets no defrag in this night, as after one that went
 * down under a lease of its own (`outageOf`).
 */
export function fallsIn(
  { nodes, acquiredAt }: Pick<GroupLease, 'nodes' | 'acquiredAt'>,
  looks: ReadonlyMap<string, Look>,
  now: number,
): readonly Outage[] {
  return nodes.flatMap(({ runId, at: checkedAt, ...leased }) => {
    const look = looks.get(leased.node);
    if (!look || runId === undefined) return [];
    return fallOf({ ...leased, runId, acquiredAt, checkedAt }, seenIn(look), now) ?? [];
  });
}
