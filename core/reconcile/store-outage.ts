import { factsAt, type NodeContext, outcomeOf, partsOf } from '../actions/context.ts';
import { restoreSettings } from '../actions/defrag/execute.ts';
import { hasSurvived, standing, wasTaken } from '../actions/defrag/own-settings.ts';
import { planLeased } from '../actions/defrag/stop-rule.ts';
import { stopping } from '../actions/plan.ts';
import { NOTHING_REMEMBERED } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Failed, Observed } from '../domain/outcome.ts';
import type { Acting, Facts, StopReason } from '../domain/plan.ts';
import { identify } from '../leases/identity.ts';
import type { HeldLease } from '../leases/lease-store.ts';

/**
 * A node while the state cannot be read. Nothing is started, learned or stored, but a lease that this process still knows of ends when its
 * time comes: a store that is down must not keep a defrag on beyond its window.
 */
export async function reconcileWithoutStore(
  context: NodeContext,
  observation: Observation,
  held: HeldLease | undefined,
  because?: StopReason,
): Promise<Observed | Failed> {
  const facts = factsAt(context, observation, { memory: NOTHING_REMEMBERED });
  const { obstacle: why = '', holder, dryRun } = context;
  const nothing = { kind: 'skip', reason: 'state-unavailable' } as const;
  if (!held || dryRun) return outcomeOf(context, facts, nothing);
  const { lease } = held;
  if (lease.phase === 'purging') return outcomeOf(context, facts, nothing, { leased: false });
  const isAnothers =
    identify(lease, observation) === 'another' || (lease.holder !== holder && facts.now < lease.busyUntil);
  const decided = because ? stopping(lease, because) : planLeased(facts, lease);
  if (isAnothers || decided.kind === 'skip') return outcomeOf(context, facts, nothing, { leased: true });
  return await restoreWithoutStore(context, facts, lease, decided, why);
}

/**
 * Gives back what a lease has taken though the store does not take the word of it. The lease stays, for whoever can drop it. Whether it
 * is still ours nobody can ask: only where its settings are still in place is anything changed.
 */
export async function restoreWithoutStore(
  context: NodeContext,
  facts: Facts,
  lease: HeldLease['lease'],
  decided: Acting,
  why: string,
): Promise<Failed> {
  const { observation } = facts;
  const isOurs =
    identify(lease, observation) === 'restarted'
      ? hasSurvived(lease, observation.defrag.settings)
      : wasTaken(lease, observation);
  const { settled, missing } = isOurs
    ? await restoreSettings(context, lease, observation)
    : { settled: observation, missing: [] };
  const result = missing.length > 0 ? `the server did not take back ${missing.join(', ')}` : resultText(lease, settled);
  return {
    ...partsOf(context, facts),
    kind: 'failed',
    plan: decided,
    leased: true,
    problem: { kind: 'state-unavailable', message: `${why}; ${result}, but the lease stays`, expected: true },
  };
}

/** Only what the look shows is said. */
function resultText(lease: HeldLease['lease'], { defrag: { settings } }: Observation): string {
  if (settings === undefined) return 'the server has taken its settings back';
  const left = Object.keys(standing(lease, settings));
  return left.length === 0 ? 'no setting of ours is left on' : `these still hold a value of ours: ${left.join(', ')}`;
}
