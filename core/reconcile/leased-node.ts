import { factsAt, type NodeContext, outcomeOf, partsOf, seenBy } from '../actions/context.ts';
import { conclude, verdictOf } from '../actions/defrag/conclude.ts';
import { type RestoredSettings, restoreSettings } from '../actions/defrag/execute.ts';
import { paceSettings } from '../actions/defrag/ladder.ts';
import { hasSurvived, isProven, remedy, standing, wasGivenBack } from '../actions/defrag/own-settings.ts';
import { nextProgress } from '../actions/defrag/progress.ts';
import { repace } from '../actions/defrag/repace.ts';
import { type Settled, settleAfterDefrag, unknownPurge } from '../actions/defrag/settle.ts';
import { traitsOf } from '../actions/defrag/stop-reasons.ts';
import { planLeased } from '../actions/defrag/stop-rule.ts';
import { expected } from '../actions/new-lease.ts';
import { stopping } from '../actions/plan.ts';
import { isPurgeUntold } from '../actions/purge/execute.ts';
import { settingsRead } from '../adapters/redis/setting-forms.ts';
import { HOUR } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeMemory } from '../domain/node-history.ts';
import type { Observation, Settings } from '../domain/observation.ts';
import type { Failed, Notice, Outcome, Stopped } from '../domain/outcome.ts';
import type { Facts, StopPlan, StopReason } from '../domain/plan.ts';
import type { Verdict } from '../domain/verdict.ts';
import { identify, mayComeBack } from '../leases/identity.ts';
import { dropLease, type HeldLease, renewLease, setAside } from '../leases/lease-store.ts';
import { keepRecord } from '../leases/records.ts';
import { isOverdue } from '../leases/timing.ts';
import { memoryFor } from '../state/history-placement.ts';
import { isAside } from '../state/keys.ts';
import { displacedLease } from './displaced-leases.ts';
import { restoreWithoutStore } from './store-outage.ts';

/** The stop itself is short; what follows it (purge, settling) is covered by the time that the lease is extended by. */
const CLOSING_MS = 60_000;

/** A node that our lease is on: carry on, or give everything back and see what it was good for. */
export async function reconcileLeasedNode(
  context: NodeContext,
  observation: Observation,
  memory: NodeMemory,
  held: HeldLease,
  because?: StopReason,
): Promise<Outcome> {
  const facts = factsAt(context, observation, { memory: memoryFor(observation, memory) });
  const { lease } = held;
  if (lease.phase === 'purging') return await closePurge(context, facts, held, memory);
  // Between the lease and its settings, and between the settings and the purge: whoever steps in takes half of it for the whole.
  if (lease.holder !== context.holder && facts.now < lease.busyUntil) return peerActing(context, facts, lease, true);
  const identity = identify(lease, observation);
  if (identity === 'another') return await displacedLease(context, facts, held, memory.told);
  // A lease that was set aside gives no right to go on. After a restart there is nothing to give back, whoever asks for it.
  const wanted = because ?? (isAside(held) ? 'duration-spent' : undefined);
  const asked = identity === 'restarted' ? undefined : wanted;
  const decided = asked ? stopping(lease, asked) : planLeased(facts, lease);
  if (context.dryRun) return outcomeOf(context, facts, decided, { leased: true });
  if (decided.kind === 'act') return await stop(context, facts, held, decided);
  const renewed = await renewLease(context.ports.store, held, carriedOn(lease, observation));
  if (renewed) await repace(context, renewed, observation);
  return outcomeOf(context, facts, decided, { leased: true });
}

/** What the pace asks for is in `applied`, too: a version that does not know of it gives that back. */
function carriedOn({ repacing, ...lease }: Lease, observation: Observation): Lease {
  const progress = nextProgress(lease, observation);
  const { settings = {} } = observation.defrag;
  const isOn = settings.activedefrag === 'yes';
  const applied = { ...lease.applied, ...paceSettings(lease, progress.pace?.level ?? 0, settings) };
  return { ...lease, phase: 'running', progress, applied, ...(repacing && !isOn && { repacing }) };
}

/** A purge leaves nothing behind but its lease. */
async function closePurge(context: NodeContext, facts: Facts, held: HeldLease, memory: NodeMemory): Promise<Outcome> {
  const { lease } = held;
  if (facts.now < lease.busyUntil || context.dryRun) return peerActing(context, facts, lease, false);
  const outcome = (await isPurgeUntold(context, lease, memory))
    ? unknownPurge(context, facts, lease)
    : outcomeOf(context, facts, { kind: 'skip', reason: 'changed' });
  if (await context.announce([outcome])) await dropLease(context.ports.store, held);
  return outcome;
}

/** `leased`: settings of ours may be on there, so that the node is looked at again soon. */
function peerActing(context: NodeContext, facts: Facts, { holder, busyUntil }: Lease, leased: boolean): Outcome {
  const blockers = [{ kind: 'peer-acting', peer: holder }] as const;
  return outcomeOf(context, facts, { kind: 'skip', reason: 'peer-acting', blockers, until: busyUntil }, { leased });
}

/** Nothing was run, or nothing of the run is left to judge. */
const UNJUDGED: readonly StopReason[] = ['never-started', 'server-restarted', 'newer-version'];

/** The reason is stored first: whoever has to finish this must not take our own switching off for somebody else's. */
async function stop(context: NodeContext, facts: Facts, held: HeldLease, decided: StopPlan): Promise<Outcome> {
  const { observation } = facts;
  const { because } = decided.action;
  // One that another job has begun to end goes on no more.
  const progress = held.lease.phase === 'closing' ? held.lease.progress : nextProgress(held.lease, observation);
  const busyUntil = facts.now + CLOSING_MS;
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
  // Somebody else gives it back at the same moment: one of us is enough.
  if (!renewed) return outcomeOf(context, facts, { kind: 'skip', reason: 'changed' }, { leased: true });
  const given = await give(context, held.lease, because, observation);
  if (given.missing.length > 0) return await stillOn(context, facts, renewed, decided, given);
  const rewritten = await rewriteNotices(context, held.lease, observation);
  const rests = isAside(held) ? 'at-once' : traitsOf(because).rests;
  const after = await settleAfterDefrag(context, given.settled, facts.memory, closing, rests);
  const verdict = UNJUDGED.includes(because) ? undefined : verdictOf(closing, after, context);
  const outcome = stoppedOutcome(context, facts, held, decided, { given, rewritten, after, verdict });
  const isTold = await context.announce([outcome]);
  const isRemembered = await conclude(context, after, because, closing, verdict);
  const isBack = after.settled.defrag.settings !== undefined && Object.keys(outcome.leftOn).length === 0;
  await keepRecord(context.ports.store, held.lease, isBack ? after.settled.runId : undefined);
  // What could not be entrusted is told by whoever finds the lease; and what has befallen a canary must not be forgotten.
  if (!isTold || (because === 'server-restarted' && !isRemembered)) {
    await renewLease(context.ports.store, renewed, { ...renewed.lease, busyUntil: 0 });
    return { ...outcome, leased: true };
  }
  await (mayComeBack(because) && !isAside(held) ? setAside : dropLease)(context.ports.store, renewed);
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
    // Whoever has to finish this after us tells it again, under the same name: it is the end of the same lease. What was set aside has ended
    // once before, and was told: this is another event.
    episode: lease.acquiredAt + (isAside(held) ? 1 : 0),
  };
}

/**
 * Of a start that never came, or of one that is undone, the switch is not ours. Of a restarted server, what a CONFIG REWRITE has kept. And
 * of a lease whose time is long over (the state was restored from a backup) only what is ours beyond doubt.
 */
async function give(
  context: NodeContext,
  lease: Lease,
  because: StopReason,
  observation: Observation,
): Promise<RestoredSettings> {
  const nothing = { settled: observation, restored: {}, leftAlone: {}, missing: [] };
  if (isDoubtful(lease, observation)) return nothing;
  const { activedefrag: _, ...applied } = lease.applied;
  if (because === 'never-started' || wasGivenBack(lease, observation))
    return await restoreSettings(context, { ...lease, applied }, observation);
  if (because === 'server-restarted' && !hasSurvived(lease, observation.defrag.settings)) return nothing;
  return await restoreSettings(context, lease, observation);
}

/** What stands may be a human's by now: somebody has switched it off since, and it has long been over; or a day has gone by. */
function isDoubtful(lease: Lease, { at, defrag }: Observation): boolean {
  const isOff = defrag.settings?.activedefrag === 'no' && lease.phase === 'running';
  const isOld = isOverdue(lease, at) || (isOff && at > lease.expiresAt + 1 * HOUR);
  return isOld && defrag.settings !== undefined && !isProven(lease, defrag.settings);
}

function noticesOf(because: StopReason, { restored, leftAlone }: RestoredSettings): readonly Notice[] {
  const isKept = because === 'server-restarted' && Object.keys(restored).length > 0;
  return [
    ...(isKept ? [{ kind: 'config-rewritten', isSeen: true } as const] : []),
    ...(Object.keys(leftAlone).length > 0 ? [{ kind: 'settings-changed', leftAlone } as const] : []),
  ];
}

/** A CONFIG REWRITE during the lease has our settings in the file, though they are back in memory. A failover by Sentinel does one. */
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

/** What is not given back, because nothing proves it ours, is said. */
function leftNotices(lease: Lease, because: StopReason, leftOn: Settings): readonly Notice[] {
  const names = Object.keys(leftOn);
  if (names.length === 0 || because === 'server-restarted') return [];
  return [{ kind: 'left-on', standing: leftOn, typed: remedy(names, settingsRead(lease.prior).settings) }];
}

/** The lease stays, free for whoever comes next. */
async function stillOn(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  decided: StopPlan,
  { missing, leftAlone }: RestoredSettings,
): Promise<Failed> {
  await renewLease(context.ports.store, held, { ...held.lease, busyUntil: 0 });
  const why = `the server did not take back ${missing.join(', ')}; the lease stays, and the next tick tries again`;
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
