import { HOUR } from '../shared/config/units.ts';
import { conclude, verdictOf } from './conclude.ts';
import { paceSettings } from './decide/ladder.ts';
import { historyFor, identify, isOverdue, type Lease, type NodeHistory, wasGivenBack } from './decide/lease.ts';
import type { Observation, Settings } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { hasSurvived, isProven, remedy, standing } from './decide/own-hand.ts';
import { type Acting, type Plan, type Situation, type StopReason, stopping } from './decide/plan.ts';
import { advance } from './decide/progress.ts';
import { settingsRead } from './decide/setting-forms.ts';
import { planLeased } from './decide/stop.ts';
import { mayComeBack, traitsOf } from './decide/stop-reasons.ts';
import { type GivenBack, giveBack } from './defrag.ts';
import { expected } from './lease-taking.ts';
import { dropLease, type HeldLease, isQuarantined, quarantine, renewLease } from './leases.ts';
import { isPurgeUnreported } from './purge.ts';
import { keepRecord } from './records.ts';
import { repace } from './repace.ts';
import { settleAfterDefrag, unknownPurge } from './settle.ts';
import { strandedLease } from './stranded.ts';
import { giveBackUnstored } from './tend-blind.ts';
import { entrustOutcomes, outcomeOf, situation, type Visit } from './visit.ts';

/** The stop itself is short; what follows it (purge, settling) is covered by the time that the lease is extended by. */
const CLOSING_MS = 60_000;

/** A node that our lease is on: carry on, or give everything back and see what it was good for. */
export async function tendLeased(
  visit: Visit,
  observation: Observation,
  memory: NodeHistory,
  held: HeldLease,
  because?: StopReason,
): Promise<readonly Outcome[]> {
  const facts = situation(visit, observation, { memory: historyFor(observation, memory) });
  const { lease } = held;
  if (lease.phase === 'purging') return [await closePurge(visit, facts, held, memory)];
  // Between the lease and its settings, and between the settings and the purge: whoever steps in takes half of it for the whole.
  if (lease.holder !== visit.holder && facts.now < lease.busyUntil) return [peerActing(visit, facts, lease, true)];
  const identity = identify(lease, observation);
  if (identity === 'another') return [await strandedLease(visit, facts, held, memory.notified)];
  // A quarantined lease gives no right to go on. After a restart there is nothing to give back, whoever asks for it.
  const wanted = because ?? (isQuarantined(held) ? 'duration-spent' : undefined);
  const asked = identity === 'restarted' ? undefined : wanted;
  const decided = asked ? stopping(lease, asked) : planLeased(facts, lease);
  if (visit.dryRun) return [outcomeOf(visit, facts, decided, { status: 'observed', leased: true })];
  if (decided.kind === 'act') return await stop(visit, facts, held, decided, decided.reason as StopReason);
  const renewed = await renewLease(visit.ports.store, held, carriedOn(lease, observation));
  if (renewed) await repace(visit, renewed, observation);
  return [outcomeOf(visit, facts, decided, { leased: true })];
}

/** What the pace asks for is in `applied`, too: a version that does not know of it gives that back. */
function carriedOn({ repacing, ...lease }: Lease, observation: Observation): Lease {
  const progress = advance(lease, observation);
  const { settings = {} } = observation.defrag;
  const isOn = settings.activedefrag === 'yes';
  const applied = { ...lease.applied, ...paceSettings(lease, progress.pace?.level ?? 0, settings) };
  return { ...lease, phase: 'running', progress, applied, ...(repacing && !isOn && { repacing }) };
}

/** A purge leaves nothing behind but its lease. */
async function closePurge(visit: Visit, facts: Situation, held: HeldLease, memory: NodeHistory): Promise<Outcome> {
  const { lease } = held;
  if (facts.now < lease.busyUntil || visit.dryRun) return peerActing(visit, facts, lease, false);
  const isUnreported = await isPurgeUnreported(visit, lease, memory);
  const skipped = outcomeOf(visit, facts, { kind: 'skip', reason: 'changed' });
  const outcome = isUnreported ? { ...unknownPurge(visit, facts), episode: lease.acquiredAt } : skipped;
  if (await entrustOutcomes(visit, [outcome])) await dropLease(visit.ports.store, held);
  return outcome;
}

/** `leased`: settings of ours may be on there, so that the node is looked at again soon. */
function peerActing(visit: Visit, facts: Situation, { holder, busyUntil }: Lease, leased: boolean): Outcome {
  const blockers = [{ kind: 'peer-acting', peer: holder }] as const;
  return outcomeOf(visit, facts, { kind: 'skip', reason: 'peer-acting', blockers, until: busyUntil }, { leased });
}

/** Nothing was run, or nothing of the run is left to judge. */
const UNJUDGED: readonly StopReason[] = ['never-started', 'server-restarted', 'newer-version'];

/** The reason is stored first: whoever has to finish this must not take our own switching off for somebody else's. */
async function stop(
  visit: Visit,
  facts: Situation,
  held: HeldLease,
  decided: Acting,
  because: StopReason,
): Promise<readonly Outcome[]> {
  const { observation } = facts;
  // One that another job has begun to end goes on no more.
  const progress = held.lease.phase === 'closing' ? held.lease.progress : advance(held.lease, observation);
  const busyUntil = facts.now + CLOSING_MS;
  const closing: Lease = {
    ...held.lease,
    phase: 'closing',
    closing: because,
    progress,
    busyUntil,
    holder: visit.holder,
  };
  const renewed = await renewLease(visit.ports.store, held, closing).catch(expected);
  // A store that takes nothing must not keep a defrag on.
  if (typeof renewed === 'string') return [await giveBackUnstored(visit, facts, held.lease, decided, renewed)];
  // Somebody else gives it back at the same moment: one of us is enough.
  if (!renewed) return [outcomeOf(visit, facts, { kind: 'skip', reason: 'changed' }, { leased: true })];
  const given = await give(visit, held.lease, because, observation);
  if (given.missing.length > 0) return [await stillOn(visit, facts, renewed, decided, given)];
  const rewritten = await rewriteNotices(visit, held.lease, observation);
  const rests = isQuarantined(held) ? 'at-once' : traitsOf(because).rests;
  const after = await settleAfterDefrag(visit, given.settled, facts.memory, closing, rests);
  const isJudged = !UNJUDGED.includes(because);
  const verdict = isJudged ? verdictOf(closing, after, visit) : undefined;
  // Whoever has to finish this after us tells it again, under the same name: it is the end of the same lease.
  const leftOn = standing(held.lease, after.settled.defrag.settings);
  const outcome = outcomeOf(visit, { ...facts, observation: after.settled }, decided, {
    ...(verdict && { verdict }),
    settings: given.restored,
    leftOn,
    notices: [...noticesOf(because, given), ...rewritten, ...leftNotices(held.lease, because, leftOn)],
    // A quarantined lease has ended once before, with an alert: this is another event.
    episode: held.lease.acquiredAt + (isQuarantined(held) ? 1 : 0),
  });
  const outcomes = [outcome, ...after.outcomes];
  const isTold = await entrustOutcomes(visit, outcomes);
  const isRemembered = await conclude(visit, after, because, closing, verdict);
  const isBack = after.settled.defrag.settings !== undefined && Object.keys(leftOn).length === 0;
  await keepRecord(visit.ports.store, held.lease, isBack ? after.settled.runId : undefined);
  // What could not be entrusted is told by whoever finds the lease; and what has befallen a canary must not be forgotten.
  if (!isTold || (because === 'server-restarted' && !isRemembered)) {
    await renewLease(visit.ports.store, renewed, { ...renewed.lease, busyUntil: 0 });
    return outcomes.map((one) => ({ ...one, leased: true }));
  }
  await (mayComeBack(because) && !isQuarantined(held) ? quarantine : dropLease)(visit.ports.store, renewed);
  return outcomes;
}

/**
 * Of a start that never came, or of one that is undone, the switch is not ours. Of a restarted server, what a CONFIG REWRITE has kept. And
 * of a lease whose time is long over (the state was restored from a backup) only what is ours beyond doubt.
 */
async function give(visit: Visit, lease: Lease, because: StopReason, observation: Observation): Promise<GivenBack> {
  const nothing = { settled: observation, restored: {}, leftAlone: {}, missing: [] };
  if (isDoubtful(lease, observation)) return nothing;
  const { activedefrag: _, ...applied } = lease.applied;
  if (because === 'never-started' || wasGivenBack(lease, observation))
    return await giveBack(visit, { ...lease, applied }, observation);
  if (because === 'server-restarted' && !hasSurvived(lease, observation.defrag.settings)) return nothing;
  return await giveBack(visit, lease, observation);
}

/** What stands may be a human's by now: somebody has switched it off since, and it has long been over; or a day has gone by. */
function isDoubtful(lease: Lease, { at, defrag }: Observation): boolean {
  const isOff = defrag.settings?.activedefrag === 'no' && lease.phase === 'running';
  const isOld = isOverdue(lease, at) || (isOff && at > lease.expiresAt + 1 * HOUR);
  return isOld && defrag.settings !== undefined && !isProven(lease, defrag.settings);
}

function noticesOf(because: StopReason, { restored, leftAlone }: GivenBack): readonly Notice[] {
  const isKept = because === 'server-restarted' && Object.keys(restored).length > 0;
  return [
    ...(isKept ? [{ kind: 'config-rewritten', isSeen: true } as const] : []),
    ...(Object.keys(leftAlone).length > 0 ? [{ kind: 'settings-changed', leftAlone } as const] : []),
  ];
}

/** A CONFIG REWRITE during the lease has our settings in the file, though they are back in memory. A failover by Sentinel does one. */
async function rewriteNotices(visit: Visit, lease: Lease, observation: Observation): Promise<readonly Notice[]> {
  if (identify(lease, observation) !== 'same' || Object.keys(lease.applied).length === 0) return [];
  const { calls, hasFile } = await visit.session.rewrites();
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
  visit: Visit,
  facts: Situation,
  held: HeldLease,
  decided: Plan,
  { missing, leftAlone }: GivenBack,
): Promise<Outcome> {
  await renewLease(visit.ports.store, held, { ...held.lease, busyUntil: 0 });
  const why = `the server did not take back ${missing.join(', ')}; the lease stays, and the next tick tries again`;
  const changed: readonly Notice[] = Object.keys(leftAlone).length > 0 ? [{ kind: 'settings-changed', leftAlone }] : [];
  return outcomeOf(visit, facts, decided, {
    status: 'failed',
    leased: true,
    // One event a day, however often it is tried.
    episode: Math.max(held.lease.acquiredAt, facts.now - (facts.now % (24 * HOUR))),
    problem: { kind: 'action-failed', message: why, expected: true },
    notices: [...changed, { kind: 'action-failed', doing: 'stop-defrag', why }],
  });
}
