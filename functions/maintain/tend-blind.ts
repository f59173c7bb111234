import { EMPTY_HISTORY, identify, wasTaken } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Outcome } from './decide/outcome.ts';
import { hasSurvived, standing } from './decide/own-hand.ts';
import { type Acting, type Situation, type StopReason, stopping } from './decide/plan.ts';
import { planLeased } from './decide/stop.ts';
import { giveBack } from './defrag.ts';
import type { HeldLease } from './leases.ts';
import { outcomeOf, situation, type Visit } from './visit.ts';

/**
 * A node that our lease was on when the state could last be read. Nothing is started, learned or stored, but what has to end ends: a
 * store that is down must not keep a defrag on beyond its window.
 */
export async function tendBlind(
  visit: Visit,
  observation: Observation,
  { lease }: HeldLease,
  why: string,
  because?: StopReason,
): Promise<Outcome> {
  const facts = situation(visit, observation, { memory: EMPTY_HISTORY });
  const identity = identify(lease, observation);
  const isAnothers = identity === 'another' || (lease.holder !== visit.holder && facts.now < lease.busyUntil);
  const decided = because ? stopping(lease, because) : planLeased(facts, lease);
  if (lease.phase === 'purging' || isAnothers || decided.kind === 'skip') {
    return outcomeOf(
      visit,
      facts,
      { kind: 'skip', reason: 'state-unavailable' },
      { leased: lease.phase !== 'purging' },
    );
  }
  return await giveBackUnstored(visit, facts, lease, decided, why);
}

/**
 * Gives back what a lease has taken though the store does not take the word of it. The lease stays, for whoever can drop it. Whether it
 * is still ours nobody can ask: only where its settings are still in place is anything changed.
 */
export async function giveBackUnstored(
  visit: Visit,
  facts: Situation,
  lease: HeldLease['lease'],
  decided: Acting,
  why: string,
): Promise<Outcome> {
  const { observation } = facts;
  const isOurs =
    identify(lease, observation) === 'restarted'
      ? hasSurvived(lease, observation.defrag.settings)
      : wasTaken(lease, observation);
  const { settled, restored, missing } = isOurs
    ? await giveBack(visit, lease, observation)
    : { settled: observation, restored: {}, missing: [] };
  const result = missing.length > 0 ? `the server did not take back ${missing.join(', ')}` : resultText(lease, settled);
  return outcomeOf(visit, facts, decided, {
    status: 'failed',
    leased: true,
    settings: restored,
    problem: { kind: 'state-unavailable', message: `${why}; ${result}, but the lease stays`, expected: true },
  });
}

/** Only what the look shows is said. */
function resultText(lease: HeldLease['lease'], { defrag: { settings } }: Observation): string {
  if (settings === undefined) return 'the server has taken its settings back';
  const left = Object.keys(standing(lease, settings));
  return left.length === 0 ? 'no setting of ours is left on' : `these still hold a value of ours: ${left.join(', ')}`;
}
