import type { Lease, NodeMemory } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { DECAY, type Plan, planAfterDefrag, type Situation, type SkipReason } from './decide/plan.ts';
import { failedOutcome } from './lease-taking.ts';
import { isPurgeUntold, purge } from './purge.ts';
import { outcomeOf, situation, type Visit } from './visit.ts';

/** Why freed pages are left to jemalloc's decay. Where nothing else may be done either (closed window, guard), nobody waits. */
const UNPURGED: readonly SkipReason[] = ['would-block', 'disabled', 'purge-refused'];

export interface Settled {
  readonly settled: Observation;
  /** Of the purge, or of why there was none. */
  readonly outcomes: readonly Outcome[];
}

/** What defrag has freed leaves the process by a purge at once, or by jemalloc's decay in ten seconds. */
export async function settleAfterDefrag(
  visit: Visit,
  settled: Observation,
  memory: NodeMemory,
  lease: Pick<Lease, 'node' | 'acquiredAt'>,
): Promise<Settled> {
  const facts = situation(visit, settled, { memory });
  const decided = planAfterDefrag(facts, lease.acquiredAt);
  if (await isPurgeUntold(visit, lease, memory)) return { settled, outcomes: [unknownPurge(visit, facts)] };
  if (decided.kind === 'skip') return await decayed(visit, facts, decided);
  const result = await purge(visit, facts, decided);
  if (result.kind === 'done') return { settled: result.settled, outcomes: [result.outcome] };
  const why = result.kind === 'failed' ? result.why : 'the server refuses MEMORY PURGE';
  return { settled, outcomes: [failedOutcome(visit, facts, decided, { why, leased: false })] };
}

/** No purge: wait for the decay, so that the verdict does not call a good defrag a failure. */
async function decayed(visit: Visit, facts: Situation, skipped: Extract<Plan, { kind: 'skip' }>): Promise<Settled> {
  const { observation } = facts;
  const isWorthWaiting = UNPURGED.includes(skipped.reason) && visit.remaining() > 3 * DECAY;
  if (!isWorthWaiting) return { settled: observation, outcomes: [] };
  await visit.ports.clock.sleep(DECAY);
  return { settled: await visit.session.look(), outcomes: [outcomeOf(visit, facts, skipped)] };
}

/** A purge leaves no trace of its own: whether it was carried out before the job died, nobody knows. */
export function unknownPurge(visit: Visit, facts: Situation): Outcome {
  const why = 'the job ended during a MEMORY PURGE; whether it was carried out is unknown, and it is not repeated';
  const notices: readonly Notice[] = [{ kind: 'action-failed', doing: 'purge', why }];
  return outcomeOf(visit, facts, { kind: 'skip', reason: 'changed' }, { notices });
}
