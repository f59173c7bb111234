import { MIB } from '../../config/units.ts';
import { diagnose } from '../../diagnosis/diagnose.ts';
import type { Lease } from '../../domain/lease.ts';
import type { NodeHistory } from '../../domain/node-history.ts';
import type { Observation } from '../../domain/observation.ts';
import type { PurgeAfterDefrag } from '../../domain/outcome.ts';
import type { Acting, Facts, Skip } from '../../domain/plan.ts';
import { DECAY, SHORT_WAIT } from '../../domain/timings.ts';
import { factsAt, type NodeContext, outcomeOf, waitKeepingAlive } from '../context.ts';
import { failedOutcome } from '../new-lease.ts';
import { planAfterDefrag } from '../purge/after-defrag.ts';
import { purge } from '../purge/execute.ts';
import { isPurgeUnreported, unknownPurge } from '../purge/resume.ts';
import type { StopTraits } from './stop-reasons.ts';

/** Fewer pages than this are not worth waiting for. */
const AT_REST = 1 * MIB;

/** More than this after jemalloc's decay is kept for good. */
const STILL_KEPT = 16 * MIB;

export interface Settled {
  readonly settled: Observation;
  /** What defrag has freed had its time to leave; before, it looks like a failure. */
  readonly isAtRest: boolean;
  /** What became of the purge, or why there was none. */
  readonly purge?: PurgeAfterDefrag;
}

/**
 * What defrag has freed leaves the process by a purge at once, or by jemalloc's decay in ten seconds. A purge needs a second look, as
 * before every start: what others do now is measured without our defrag in it.
 */
export async function settleAfterDefrag(
  context: NodeContext,
  given: Observation,
  memory: NodeHistory,
  lease: Pick<Lease, 'instance' | 'node' | 'acquiredAt' | 'busyUntil'>,
  rests: StopTraits['rests'],
): Promise<Settled> {
  const first = factsAt(context, given, { memory });
  if (await isPurgeUnreported(context, lease, memory))
    return { settled: given, isAtRest: true, purge: unknownPurge(context, first, lease) };
  if (rests === 'at-once') return { settled: given, isAtRest: pagesOf(first) < AT_REST };
  const quiet = { kind: 'skip', reason: 'changed' } as const;
  if (rests === 'decay') {
    const { settled, isAtRest } = await decayed(context, first, quiet);
    return { settled, isAtRest };
  }
  const early = planAfterDefrag(first, lease.acquiredAt);
  if (early.kind === 'skip') return await decayed(context, first, early);
  await waitKeepingAlive(context, SHORT_WAIT);
  const facts = factsAt(context, await context.session.look(), { memory, earlier: given });
  const decided = planAfterDefrag(facts, lease.acquiredAt);
  if (decided.kind === 'skip') return await decayed(context, facts, decided);
  return await purgedAfterDefrag(context, facts, decided, lease);
}

async function purgedAfterDefrag(
  context: NodeContext,
  facts: Facts,
  decided: Acting,
  lease: Pick<Lease, 'busyUntil'>,
): Promise<Settled> {
  const { observation: settled } = facts;
  const result = await purge(context, facts, decided, lease);
  if (result.kind === 'done') return { settled: result.settled, isAtRest: true, purge: result.outcome };
  if (result.kind === 'withdrawn' && result.plan.reason !== 'purge-refused')
    return { settled, isAtRest: false, purge: outcomeOf(context, facts, result.plan) };
  const failed = (why: string) => failedOutcome(context, facts, decided, { why, leased: false });
  // One that was not answered has cost the connection, too.
  if (result.kind === 'failed') return { settled, isAtRest: false, purge: failed(result.why) };
  const rest = await decayed(context, facts, { kind: 'skip', reason: 'purge-refused' });
  return { ...rest, purge: failed('the server refuses MEMORY PURGE') };
}

/** No purge: wait for the decay, so that the verdict does not call a good defrag a failure. */
async function decayed(context: NodeContext, facts: Facts, skipped: Skip): Promise<Settled> {
  const { observation } = facts;
  // Cooling down: the purge of this lease has been.
  const isAtRest = skipped.reason === 'cooling-down' || pagesOf(facts) < AT_REST;
  if (isAtRest) return { settled: observation, isAtRest: true };
  const unpurged = outcomeOf(context, facts, skipped);
  if (context.remaining() <= 3 * DECAY) return { settled: observation, isAtRest: false, purge: unpurged };
  await waitKeepingAlive(context, DECAY);
  const settled = await context.session.look();
  const { purge } = diagnose(settled, context.instance, facts.memory.learned).reclaimable;
  // Without jemalloc's background thread they stay.
  return { settled, isAtRest: purge.reclaim < STILL_KEPT, purge: unpurged };
}

/** Free pages that will leave, by a purge or by decay. */
function pagesOf({ diagnosis }: Facts): number {
  return diagnosis.reclaimable.purge.reclaim;
}
