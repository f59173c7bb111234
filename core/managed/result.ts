import type { ActionResult } from '../domain/node-history.ts';
import type { GroupLease, LeasedNode } from './lease.ts';

/** An action that returns less than this share of its prediction was not worth its price (`verify.ts`). */
const WORTH = 0.25;

/**
 * What the group's run came to on one of its nodes. Its stall is not in it: no check of a group's run measures cycles. `restoredAt` names the
 * result, so that a job that finishes another one's work records the same.
 */
export function resultOf(
  { group, acquiredAt, restoredAt, stall, closing = 'interrupted' }: GroupLease,
  { rssBefore, rss, predicted = 0 }: LeasedNode,
  now: number,
): ActionResult {
  const at = restoredAt ?? now;
  const reclaimed = rssBefore - rss;
  const kind = reclaimed > 0 && reclaimed >= WORTH * predicted ? 'improved' : 'unchanged';
  return {
    ...{ at, kind, rssBefore, rssAfter: rss, reclaimed, predicted, promisedStall: stall },
    ...{ lasted: Math.max(0, at - acquiredAt), because: closing, through: group },
  };
}
