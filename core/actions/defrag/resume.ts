import { HOUR } from '../../config/units.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import type { Failed, Outcome, Stopped } from '../../domain/outcome.ts';
import type { Facts, StopPlan, StopReason } from '../../domain/plan.ts';
import { CLOSING } from '../../domain/timings.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { settingsRead } from '../../format/setting-forms.ts';
import { identify, mayComeBack } from '../../leases/identity.ts';
import { dropLease, type HeldLease, isQuarantined, quarantine, renewLease } from '../../leases/lease-store.ts';
import { keepRecord } from '../../leases/records.ts';
import type { Found } from '../action.ts';
import { type NodeContext, outcomeOf, partsOf, seenBy } from '../context.ts';
import { expected } from '../new-lease.ts';
import { conclude, verdictOf } from './conclude.ts';
import { paceSettings } from './ladder.ts';
import { remedy, standing } from './own-settings.ts';
import { nextProgress } from './progress.ts';
import { repace } from './repace.ts';
import { give, type RestoredSettings, restoreWithoutStore } from './restore.ts';
import { type Settled, settleAfterDefrag } from './settle.ts';
import { traitsOf } from './stop-reasons.ts';
import { planLeased, stopping } from './stop-rule.ts';

/** A node on which active defrag is on under a lease: carry on, or restore every setting and see what the run was good for. */
export async function resumeDefrag(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  { observation, because }: Found,
): Promise<Outcome> {
  const { lease } = held;
  // A quarantined lease gives no right to go on. After a restart there is nothing to restore, whatever is asked for.
  const wanted = because ?? (isQuarantined(held) ? 'duration-spent' : undefined);
  const asked = identify(lease, observation) === 'restarted' ? undefined : wanted;
  const decided = asked ? stopping(lease, asked) : planLeased(facts, lease);
  if (context.dryRun) return outcomeOf(context, facts, decided, { leased: true });
  if (decided.kind === 'act') return await stop(context, facts, held, decided);
  const renewed = await renewLease(context.ports.store, held, carriedOn(lease, observation));
  if (renewed) await repace(context, renewed, observation);
  return outcomeOf(context, facts, decided, { leased: true });
}

/** What the pace asks for is in `applied`, too: a version that does not know of it restores that as well. */
function carriedOn({ repacing, ...lease }: Lease, observation: Observation): Lease {
  const progress = nextProgress(lease, observation);
  const { settings = {} } = observation.defrag;
  const isOn = settings.activedefrag === 'yes';
  const applied = { ...lease.applied, ...paceSettings(lease, progress.pace?.level ?? 0, settings) };
  return { ...lease, phase: 'running', progress, applied, ...(repacing && !isOn && { repacing }) };
}

/** The reason is stored first: a job that has to finish this must not think that a person has switched defrag off. */
async function stop(context: NodeContext, facts: Facts, held: HeldLease, decided: StopPlan): Promise<Outcome> {
  const { observation } = facts;
  const { because } = decided.action;
  // One that another job has begun to end goes on no more.
  const progress = held.lease.phase === 'closing' ? held.lease.progress : nextProgress(held.lease, observation);
  const busyUntil = facts.now + CLOSING;
  const closing: Lease = {
    ...held.lease,
    phase: 'closing',
    closing: because,
    progress,
    busyUntil,
    holder: context.holder,
  };
  const renewed = await renewLease(context.ports.store, held, closing).catch(expected);
  // A store that takes nothing must not keep a defrag on.
  if (typeof renewed === 'string') return await restoreWithoutStore(context, facts, held.lease, decided, renewed);
  // Another job restores it at the same moment: one is enough.
  if (!renewed) return outcomeOf(context, facts, { kind: 'skip', reason: 'changed' }, { leased: true });
  const given = await give(context, held.lease, because, observation);
  if (given.missing.length > 0) return await stillOn(context, facts, renewed, decided, given);
  const rewritten = await rewriteNotices(context, held.lease, observation);
  const { isJudged, ...traits } = traitsOf(because);
  const rests = isQuarantined(held) ? 'at-once' : traits.rests;
  const after = await settleAfterDefrag(context, given.settled, facts.memory, closing, rests);
  const verdict = isJudged ? verdictOf(closing, after, context) : undefined;
  const outcome = stoppedOutcome(context, facts, held, decided, { given, rewritten, after, verdict });
  const isReported = await context.announce([outcome]);
  const isRemembered = await conclude(context, after, because, closing, verdict);
  const isBack = after.settled.defrag.settings !== undefined && Object.keys(outcome.leftOn).length === 0;
  await keepRecord(context.ports.store, held.lease, isBack ? after.settled.runId : undefined);
  // The job that finds the lease reports what could not be enqueued. And the crash of a canary must not be forgotten.
  if (!isReported || (because === 'server-restarted' && !isRemembered)) {
    await renewLease(context.ports.store, renewed, { ...renewed.lease, busyUntil: 0 });
    return { ...outcome, leased: true };
  }
  await (mayComeBack(because) && !isQuarantined(held) ? quarantine : dropLease)(context.ports.store, renewed);
  return outcome;
}

interface Ending {
  readonly given: RestoredSettings;
  readonly rewritten: readonly Notice[];
  readonly after: Settled;
  readonly verdict: Verdict | undefined;
}

function stoppedOutcome(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  plan: StopPlan,
  { given, rewritten, after: { settled, purge }, verdict }: Ending,
): Stopped {
  const { lease } = held;
  const { because } = plan.action;
  const leftOn = standing(lease, settled.defrag.settings);
  return {
    ...partsOf(context, facts),
    kind: 'stopped',
    after: seenBy(context, settled, facts.memory),
    plan,
    ...(verdict && { verdict }),
    restored: given.restored,
    leftOn,
    ...(purge && { purge }),
    notices: [...noticesOf(because, given), ...rewritten, ...leftNotices(lease, because, leftOn)],
    // A job that has to finish this later reports it again, under the same name: it is the end of the same lease. A quarantined lease has
    // ended once before, and that was reported: this is another event.
    episode: lease.acquiredAt + (isQuarantined(held) ? 1 : 0),
  };
}

function noticesOf(because: StopReason, { restored, leftAlone }: RestoredSettings): readonly Notice[] {
  const isKept = because === 'server-restarted' && Object.keys(restored).length > 0;
  return [
    ...(isKept ? [{ kind: 'config-rewritten', isSeen: true } as const] : []),
    ...(Object.keys(leftAlone).length > 0 ? [{ kind: 'settings-changed', leftAlone } as const] : []),
  ];
}

/** A CONFIG REWRITE during the lease writes Offpeak's settings into the config file, where they stay. A failover by Sentinel does one. */
async function rewriteNotices(
  context: NodeContext,
  lease: Lease,
  observation: Observation,
): Promise<readonly Notice[]> {
  if (identify(lease, observation) !== 'same' || Object.keys(lease.applied).length === 0) return [];
  const { calls, hasFile } = await context.session.rewrites();
  if (!hasFile) return [];
  const { rewrites } = lease;
  // Fewer than before: CONFIG RESETSTAT has begun to count anew.
  if (calls !== undefined && rewrites !== undefined) {
    const isMore = calls > rewrites || (calls < rewrites && calls > 0);
    return isMore ? [{ kind: 'config-rewritten', isSeen: true }] : [];
  }
  const hasFailedOver = lease.role !== 'unknown' && observation.replication.role !== lease.role;
  return hasFailedOver ? [{ kind: 'config-rewritten', isSeen: false }] : [];
}

/** Reports what is not restored, because nothing proves that the job has set it. */
function leftNotices(lease: Lease, because: StopReason, leftOn: Settings): readonly Notice[] {
  const names = Object.keys(leftOn);
  if (names.length === 0 || because === 'server-restarted') return [];
  return [{ kind: 'left-on', standing: leftOn, typed: remedy(names, settingsRead(lease.prior).settings) }];
}

/** The lease stays, free for the next job. */
async function stillOn(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  decided: StopPlan,
  { missing, leftAlone }: RestoredSettings,
): Promise<Failed> {
  await renewLease(context.ports.store, held, { ...held.lease, busyUntil: 0 });
  const why = `the server did not accept the earlier value of ${missing.join(', ')}; the lease stays, and the next tick tries again`;
  const changed: readonly Notice[] = Object.keys(leftAlone).length > 0 ? [{ kind: 'settings-changed', leftAlone }] : [];
  return {
    ...partsOf(context, facts),
    kind: 'failed',
    plan: decided,
    leased: true,
    // One event a day, however often it is tried.
    episode: Math.max(held.lease.acquiredAt, facts.now - (facts.now % (24 * HOUR))),
    problem: { kind: 'action-failed', message: why, expected: true },
    notices: [...changed, { kind: 'action-failed', doing: 'stop-defrag', why }],
  };
}
