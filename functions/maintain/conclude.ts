import { fallOf } from './decide/brakes.ts';
import { diagnose } from './decide/diagnose.ts';
import { historyFor, type Lease, type NodeHistory } from './decide/lease.ts';
import type { StopReason } from './decide/plan.ts';
import { traitsOf } from './decide/stop-reasons.ts';
import { footprint, learnFromDefrag, type Verdict, verify } from './decide/verify.ts';
import { expected } from './lease-taking.ts';
import { updateHistory } from './memories.ts';
import type { Settled } from './settle.ts';
import type { Visit } from './visit.ts';

/** How long a guard's stop keeps the next start away. */
const REST_MS = 15 * 60_000;

/** What a defrag has returned and cost, by a look after it. */
export function verdictOf(lease: Lease, { settled, isAtRest }: Settled, { instance }: Visit): Verdict {
  const { progress, acquiredAt } = lease;
  const lasted = Math.max(1, progress.at - acquiredAt);
  const { reclaim: leaving } = diagnose(settled, instance).cures.purge;
  return verify({
    cure: 'defrag',
    before: lease.before,
    after: footprint(settled),
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
  visit: Visit,
  { settled, isAtRest }: Settled,
  because: StopReason,
  lease: Lease,
  verdict?: Verdict,
): Promise<boolean> {
  const { ports, brakes, instance, node } = visit;
  const { teaches, cools } = traitsOf(because);
  const now = ports.clock.now();
  const change = (memory: NodeHistory): NodeHistory => {
    const known = historyFor(settled, memory);
    return {
      ...(teaches && isAtRest && verdict ? learnFromDefrag(known, verdict, settled, lease) : known),
      ...(cools === 'fully' && { lastDefragAt: now }),
      ...(cools === 'briefly' && { restUntil: now + REST_MS }),
      ...(because === 'server-restarted' && { crashed: { version: settled.engine.version, at: now } }),
    };
  };
  try {
    // As a rule the tick has done so already; then nothing is written.
    const fall = fallOf(lease, settled, now);
    if (fall) await brakes.note([fall]);
    await updateHistory(ports.store, node, change);
    return true;
  } catch (error) {
    ports.log.warn('not remembered', { instance: instance.id, node, error: expected(error) });
    return false;
  }
}
