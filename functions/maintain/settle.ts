import { MIB } from '../shared/config/units.ts';
import { diagnose } from './decide/diagnose.ts';
import type { Lease, NodeHistory } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { DECAY, SHORT_LOOK } from './decide/permission.ts';
import { type Acting, type Plan, planAfterDefrag, type Situation } from './decide/plan.ts';
import type { StopTraits } from './decide/stop-reasons.ts';
import { failedOutcome } from './lease-taking.ts';
import { isPurgeUnreported, purge } from './purge.ts';
import { outcomeOf, situation, sleepAwake, type Visit } from './visit.ts';

/** Fewer pages than this are not worth waiting for. */
const AT_REST = 1 * MIB;
/** More than this after jemalloc's decay is kept for good. */
const STILL_KEPT = 16 * MIB;

export interface Settled {
  readonly settled: Observation;
  /** What defrag has freed had its time to leave; before, it looks like a failure. */
  readonly isAtRest: boolean;
  /** Of the purge, or of why there was none. */
  readonly outcomes: readonly Outcome[];
}

/**
 * What defrag has freed leaves the process by a purge at once, or by jemalloc's decay in ten seconds. A purge needs a second look, as
 * before every start: what others do now is measured without our defrag in it.
 */
export async function settleAfterDefrag(
  visit: Visit,
  given: Observation,
  memory: NodeHistory,
  lease: Pick<Lease, 'instance' | 'node' | 'acquiredAt' | 'busyUntil'>,
  rests: StopTraits['rests'],
): Promise<Settled> {
  const first = situation(visit, given, { memory });
  if (await isPurgeUnreported(visit, lease, memory))
    return { settled: given, isAtRest: true, outcomes: [unknownPurge(visit, first)] };
  if (rests === 'at-once') return { settled: given, isAtRest: pagesOf(first) < AT_REST, outcomes: [] };
  const quiet = { kind: 'skip', reason: 'changed' } as const;
  if (rests === 'decay') return { ...(await decayed(visit, first, quiet)), outcomes: [] };
  const early = planAfterDefrag(first, lease.acquiredAt);
  if (early.kind === 'skip') return await decayed(visit, first, early);
  await sleepAwake(visit, SHORT_LOOK);
  const facts = situation(visit, await visit.session.look(), { memory, earlier: given });
  const decided = planAfterDefrag(facts, lease.acquiredAt);
  if (decided.kind === 'skip') return await decayed(visit, facts, decided);
  return await purgedAfterDefrag(visit, facts, decided, lease);
}

async function purgedAfterDefrag(
  visit: Visit,
  facts: Situation,
  decided: Acting,
  lease: Pick<Lease, 'busyUntil'>,
): Promise<Settled> {
  const { observation: settled } = facts;
  const result = await purge(visit, facts, decided, lease);
  if (result.kind === 'done') return { settled: result.settled, isAtRest: true, outcomes: [result.outcome] };
  if (result.kind === 'withdrawn' && result.plan.reason !== 'purge-refused')
    return { settled, isAtRest: false, outcomes: [outcomeOf(visit, facts, result.plan)] };
  const failed = (why: string) => [failedOutcome(visit, facts, decided, { why, leased: false })];
  // One that was not answered has cost the connection, too.
  if (result.kind === 'failed') return { settled, isAtRest: false, outcomes: failed(result.why) };
  const rest = await decayed(visit, facts, { kind: 'skip', reason: 'purge-refused' });
  return { ...rest, outcomes: failed('the server refuses MEMORY PURGE') };
}

/** No purge: wait for the decay, so that the verdict does not call a good defrag a failure. */
async function decayed(visit: Visit, facts: Situation, skipped: Extract<Plan, { kind: 'skip' }>): Promise<Settled> {
  const { observation } = facts;
  // Cooling down: the purge of this lease has been.
  const isAtRest = skipped.reason === 'cooling-down' || pagesOf(facts) < AT_REST;
  if (isAtRest) return { settled: observation, isAtRest: true, outcomes: [] };
  const outcomes = [outcomeOf(visit, facts, skipped)];
  if (visit.remaining() <= 3 * DECAY) return { settled: observation, isAtRest: false, outcomes };
  await sleepAwake(visit, DECAY);
  const settled = await visit.session.look();
  const { purge } = diagnose(settled, visit.instance, facts.memory.learned).cures;
  // Without jemalloc's background thread they stay.
  return { settled, isAtRest: purge.reclaim < STILL_KEPT, outcomes };
}

/** Free pages that will leave, by a purge or by decay. */
function pagesOf({ diagnosis }: Situation): number {
  return diagnosis.cures.purge.reclaim;
}

/** A purge leaves no trace of its own: whether it was carried out before the job died, nobody knows. */
export function unknownPurge(visit: Visit, facts: Situation): Outcome {
  const why = 'the job ended during a MEMORY PURGE; whether it was carried out is unknown, and it is not repeated';
  const notices: readonly Notice[] = [{ kind: 'action-failed', doing: 'purge', why }];
  return outcomeOf(visit, facts, { kind: 'skip', reason: 'changed' }, { notices });
}
