import { diagnose } from '../../diagnosis/diagnose.ts';
import type { Lease } from '../../domain/lease.ts';
import { type NodeHistory, withAction, withResult } from '../../domain/node-history.ts';
import type { StopReason } from '../../domain/plan.ts';
import { BRIEF_REST } from '../../domain/timings.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { outageOf } from '../../guards/stage-limits.ts';
import { historyFor } from '../../state/history-placement.ts';
import { updateHistory } from '../../state/node-history.ts';
import type { NodeContext } from '../context.ts';
import { logged } from '../new-lease.ts';
import { rssAfter, verify } from '../verify.ts';
import { learnFromDefrag } from './learn.ts';
import type { Settled } from './settle.ts';
import { traitsOf } from './stop-reasons.ts';

/** What a defrag has returned and cost, by the observation after it. */
export function verdictOf(lease: Lease, { settled, isAtRest }: Settled, { instance }: NodeContext): Verdict {
  const { progress, acquiredAt } = lease;
  const lasted = Math.max(1, progress.at - acquiredAt);
  const { reclaim: leaving } = diagnose(settled, instance).reclaimable.purge;
  return verify({
    action: 'defrag',
    before: lease.before,
    after: rssAfter(settled, lease.before),
    predicted: lease.predicted,
    stall: progress.worstStall,
    promisedStall: lease.promisedStall,
    beyond: (progress.excess ?? 0) / lasted,
    lasted,
    ...(!isAtRest && leaving > 0 && { leaving }),
    ...(['latency|latest', 'latency|history'].every((name) => settled.refused.includes(name)) && { unmeasured: true }),
  });
}

/** What the end means for the next start. False: it could not be remembered. */
export async function conclude(
  context: NodeContext,
  { settled, isAtRest }: Settled,
  because: StopReason,
  lease: Lease,
  verdict?: Verdict,
): Promise<boolean> {
  const { ports, claims, node } = context;
  const { teaches, cools } = traitsOf(because);
  const now = ports.clock.now();
  const change = (memory: NodeHistory): NodeHistory => {
    const known = historyFor(settled, memory);
    const after = teaches && isAtRest && verdict ? learnFromDefrag(known, verdict, settled, lease) : known;
    const rested = withAction(after, 'defrag', {
      ...(cools === 'fully' && { lastAt: now }),
      ...(cools === 'briefly' && { restUntil: now + BRIEF_REST }),
    });
    const recorded = verdict ? withResult(rested, verdict, now, { because }) : rested;
    const isCrashed = because === 'server-restarted';
    return { ...recorded, ...(isCrashed && { crashed: { version: settled.engine.version, at: now } }) };
  };
  try {
    // As a rule the tick has done so already; then nothing is written.
    const fall = outageOf(lease, settled, now);
    if (fall) await claims.note([fall]);
    await updateHistory(ports.store, node, change);
    return true;
  } catch (error) {
    logged(context, 'not remembered')(error);
    return false;
  }
}
