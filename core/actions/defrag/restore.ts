import { HOUR } from '../../config/units.ts';
import type { Applied, Lease } from '../../domain/lease.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import type { Failed } from '../../domain/outcome.ts';
import type { Acting, Facts, StopReason } from '../../domain/plan.ts';
import { identify, isOverdue } from '../../leases/identity.ts';
import type { HeldLease } from '../../leases/lease-store.ts';
import { type NodeContext, partsOf } from '../context.ts';
import { isOwnValue } from './ladder.ts';
import { hasSurvived, isProven, standing, wasRestored, wasTaken } from './own-settings.ts';

/**
 * What a lease restores: each setting that still holds a value of the lease gets its prior one. Another person has changed a setting that
 * holds neither, and it stays.
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
  /** The observation after it. */
  readonly settled: Observation;
  readonly restored: Settings;
  /** What another person has changed in the meantime. */
  readonly leftAlone: Settings;
  /** The settings of which the server did not accept the earlier value. */
  readonly missing: readonly string[];
}

/** Restores the settings of a lease, and checks that they are restored. */
export async function restoreSettings(
  context: NodeContext,
  lease: Pick<Lease, 'applied' | 'prior' | 'ladder'>,
  observation: Observation,
): Promise<RestoredSettings> {
  const { restore, leftAlone } = restoration(lease, observation.defrag.settings ?? {});
  if (Object.keys(restore).length === 0) return { settled: observation, restored: {}, leftAlone, missing: [] };
  const { atomicConfigSet: atomic } = observation.engine;
  const configured = await context.session.configure(restore, { atomic });
  // Between the job's check and its write, a person may have set a third value: it stays.
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
 * Restores the settings of a lease while the store takes no writes. The lease stays, for a job that can drop it. Whether this job still
 * holds it is unknown without the store: only where its settings are still in place is anything changed.
 */
export async function restoreWithoutStore(
  context: NodeContext,
  facts: Facts,
  lease: HeldLease['lease'],
  decided: Acting,
  why: string,
): Promise<Failed> {
  const { observation } = facts;
  const isStillSet =
    identify(lease, observation) === 'restarted'
      ? hasSurvived(lease, observation.defrag.settings)
      : wasTaken(lease, observation);
  const { settled, missing } = isStillSet
    ? await restoreSettings(context, lease, observation)
    : { settled: observation, missing: [] };
  const result =
    missing.length > 0
      ? `the server did not accept the earlier value of ${missing.join(', ')}`
      : resultText(lease, settled);
  return {
    ...partsOf(context, facts),
    kind: 'failed',
    plan: decided,
    leased: true,
    problem: { kind: 'state-unavailable', message: `${why}; ${result}, but the lease stays`, expected: true },
  };
}

/** Says only what the observation shows. */
function resultText(lease: HeldLease['lease'], { defrag: { settings } }: Observation): string {
  if (settings === undefined) return 'the server has accepted the earlier values';
  const left = Object.keys(standing(lease, settings));
  return left.length === 0
    ? 'no setting of the lease is left on'
    : `these still hold a value of the lease: ${left.join(', ')}`;
}

/**
 * Of a start that never came, or of one that is undone, the job has not set the switch. Of a restarted server, what a CONFIG REWRITE has
 * kept. And of a lease whose time is long over (the state was restored from a backup) only what the job has set beyond doubt.
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
  if (because === 'never-started' || wasRestored(lease, observation))
    return await restoreSettings(context, { ...lease, applied }, observation);
  return await restoreSettings(context, lease, observation);
}

/** A person may have set what stands by now: defrag was switched off, and its time is long over; or a day has gone by. */
function isDoubtful(lease: Lease, { at, defrag }: Observation): boolean {
  const isOff = defrag.settings?.activedefrag === 'no' && lease.phase === 'running';
  const isOld = isOverdue(lease, at) || (isOff && at > lease.expiresAt + 1 * HOUR);
  return isOld && defrag.settings !== undefined && !isProven(lease, defrag.settings);
}
