import { HOUR } from '../../config/units.ts';
import type { Applied, Lease } from '../../domain/lease.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import type { Failed } from '../../domain/outcome.ts';
import type { Acting, Facts, StopReason } from '../../domain/plan.ts';
import { identify } from '../../leases/identity.ts';
import type { HeldLease } from '../../leases/lease-store.ts';
import { isOverdue } from '../../leases/timing.ts';
import { type NodeContext, partsOf } from '../context.ts';
import { isOwnValue } from './ladder.ts';
import { hasSurvived, isProven, standing, wasGivenBack, wasTaken } from './own-settings.ts';

/**
 * What a lease gives back: each setting that still holds our value gets its prior one. A setting that holds neither was changed
 * by somebody else in the meantime, and stays theirs.
 */
export function restoration(
  lease: Applied & { readonly prior: Settings },
  current: Settings,
): { readonly restore: Record<string, string>; readonly leftAlone: Record<string, string> } {
  const restore: Record<string, string> = {};
  const leftAlone: Record<string, string> = {};
  // The switch first: with it off, the order of the others no longer matters.
  for (const name of Object.keys(lease.applied).reverse()) {
    const prior = lease.prior[name];
    const now = current[name];
    if (prior === undefined || now === prior) continue;
    if (now === undefined || isOwnValue(lease, name, now)) restore[name] = prior;
    else leftAlone[name] = now;
  }
  return { restore, leftAlone };
}

export interface RestoredSettings {
  /** A look after it. */
  readonly settled: Observation;
  readonly restored: Settings;
  /** Changed by somebody else in the meantime: theirs. */
  readonly leftAlone: Settings;
  /** What the server did not take back. */
  readonly missing: readonly string[];
}

/** Gives back what a lease has taken, and looks whether it is back. */
export async function restoreSettings(
  context: NodeContext,
  lease: Pick<Lease, 'applied' | 'prior' | 'ladder'>,
  observation: Observation,
): Promise<RestoredSettings> {
  const { restore, leftAlone } = restoration(lease, observation.defrag.settings ?? {});
  if (Object.keys(restore).length === 0) return { settled: observation, restored: {}, leftAlone, missing: [] };
  const { atomicConfigSet: atomic } = observation.engine;
  const configured = await context.session.configure(restore, { atomic });
  // Between our look and our write somebody else may have set what is neither ours nor the prior value: theirs.
  const theirs = Object.fromEntries(
    Object.entries(configured.found).filter(
      ([name, value]) => !isOwnValue(lease, name, value) && value !== restore[name],
    ),
  );
  if (Object.keys(theirs).length > 0) {
    await context.session.configure(theirs, { atomic });
    for (const name of Object.keys(theirs)) delete restore[name];
    Object.assign(leftAlone, theirs);
  }
  const settled = await context.session.look();
  const current = settled.defrag.settings;
  // Where CONFIG GET is refused, the server's word for CONFIG SET has to do.
  const missing = current
    ? Object.keys(restore).filter((name) => current[name] !== undefined && current[name] !== restore[name])
    : configured.done
      ? []
      : Object.keys(restore);
  return { settled, restored: restore, leftAlone, missing };
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

/**
 * Of a start that never came, or of one that is undone, the switch is not ours. Of a restarted server, what a CONFIG REWRITE has kept. And
 * of a lease whose time is long over (the state was restored from a backup) only what is ours beyond doubt.
 */
export async function give(
  context: NodeContext,
  lease: Lease,
  because: StopReason,
  observation: Observation,
): Promise<RestoredSettings> {
  const nothing = { settled: observation, restored: {}, leftAlone: {}, missing: [] };
  if (isDoubtful(lease, observation)) return nothing;
  // Whatever the reason was that a job has stored before: the server may have restarted since.
  const isRestarted = because === 'server-restarted' || identify(lease, observation) === 'restarted';
  if (isRestarted && !hasSurvived(lease, observation.defrag.settings)) return nothing;
  const { activedefrag: _, ...applied } = lease.applied;
  if (because === 'never-started' || wasGivenBack(lease, observation))
    return await restoreSettings(context, { ...lease, applied }, observation);
  return await restoreSettings(context, lease, observation);
}

/** What stands may be a human's by now: somebody has switched it off since, and it has long been over; or a day has gone by. */
function isDoubtful(lease: Lease, { at, defrag }: Observation): boolean {
  const isOff = defrag.settings?.activedefrag === 'no' && lease.phase === 'running';
  const isOld = isOverdue(lease, at) || (isOff && at > lease.expiresAt + 1 * HOUR);
  return isOld && defrag.settings !== undefined && !isProven(lease, defrag.settings);
}
