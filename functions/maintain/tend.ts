import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { EMPTY_HISTORY, historyFor, type NodeHistory } from './decide/lease.ts';
import { noiseOf } from './decide/noise.ts';
import { isActiveDefragOn, type Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { type OwnHand, ownHand, remedy } from './decide/own-hand.ts';
import { firstLook } from './decide/permission.ts';
import { type Acting, type Plan, plan, revalidate, type Situation } from './decide/plan.ts';
import { settingsRead } from './decide/setting-forms.ts';
import { startDefrag } from './defrag.ts';
import { expected, failedOutcome, type Result } from './lease-taking.ts';
import { giveBackLeftOn, leaseNow } from './left-on.ts';
import { updateHistory } from './memories.ts';
import { readPauses } from './pauses.ts';
import { purgeUnderLease } from './purge.ts';
import { type Context, entrustOutcomes, linger, outcomeOf, rediagnosed, situation, type Visit } from './visit.ts';

/** A node on which no lease of ours stands: look, plan, look again, plan again, act. */
export async function tendFree(
  visit: Visit,
  first: Observation,
  remembered: NodeHistory,
  peer?: string,
): Promise<Outcome> {
  if (visit.obstacle !== undefined) return obstructed(visit, first, visit.obstacle);
  const known = historyFor(first, remembered);
  const context = { memory: known, ...(peer !== undefined && { peer }) };
  if (visit.doubleOf !== undefined)
    return await watchedTwice(visit, situation(visit, first, context), remembered, visit.doubleOf);
  const givenBack = await giveBackLeftOn(visit, first, remembered);
  if (givenBack === 'refused')
    return await told(visit, situation(visit, first, context), { kind: 'skip', reason: 'left-on' }, remembered);
  if (givenBack) return givenBack;
  const facts = await informed(visit, situation(visit, first, context));
  const early = plan(facts);
  if (early.kind === 'skip') return told(visit, facts, early, remembered);
  const noise = await waitForSecondLook(visit, early);
  const again = { ...context, memory: facts.memory, earlier: first, ...(noise !== undefined && { noise }) };
  const look = () => lookAgain(visit, facts.observation, again);
  let last = await attempt(visit, early, look);
  for (let tries = 1; tries < TRIES && isBesidePurge(last) && !visit.dryRun && !visit.interrupted(); tries++) {
    await linger(visit, NEXT_TRY);
    last = await attempt(visit, early, look);
  }
  const { latest, agreed, result } = last;
  if (result && agreed.kind === 'act') return await carriedOut(visit, latest, agreed, remembered, result);
  return await told(visit, latest, agreed, remembered, visit.dryRun ? 'observed' : undefined);
}

/** A second look, what it came to, and what came of that where it was tried. */
interface Attempt {
  readonly latest: Situation;
  readonly agreed: Plan;
  readonly result?: Result;
}

async function attempt(visit: Visit, early: Acting, look: () => Promise<Situation>): Promise<Attempt> {
  const latest = await look();
  const agreed = visit.interrupted()
    ? ({ kind: 'skip', reason: 'interrupted' } as const)
    : revalidate(early, plan(latest));
  if (agreed.kind === 'skip' || visit.dryRun) return { latest, agreed };
  return { latest, agreed, result: await tryOut(visit, latest, agreed) };
}

/** A purge of another server of the same host is over in a second or two: it is waited for, and then everything is asked anew. */
const NEXT_TRY: Milliseconds = 1 * SECOND;
const TRIES = 20;

function isBesidePurge({ agreed, result }: Attempt): boolean {
  const decided = result?.kind === 'withdrawn' ? result.plan : agreed;
  const blockers = decided.kind === 'skip' ? (decided.blockers ?? []) : [];
  return blockers.length === 1 && blockers.every((blocker) => blocker.kind === 'host-acting' && !blocker.isDefrag);
}

/** A pause that was asked for since the state was read counts: whoever did may believe that nothing starts any more. */
async function lookAgain(visit: Visit, { refused, ...first }: Observation, context: Context): Promise<Situation> {
  const [second, examined, pauses] = await Promise.all([
    visit.session.look(),
    visit.session.examine(first),
    readPauses(visit.ports.store),
  ]);
  const seen = { ...second, examined, refused: [...new Set([...second.refused, ...refused])] };
  return situation({ ...visit, pauses }, seen, context);
}

/** Acted on under its other name. */
async function watchedTwice(visit: Visit, facts: Situation, remembered: NodeHistory, as: string): Promise<Outcome> {
  const blockers = [{ kind: 'same-server', as }] as const;
  return await told(visit, facts, { kind: 'skip', reason: 'same-server', blockers }, remembered);
}

/** Before a defrag the wait is used: it shows what the machine adds to every stall. */
async function waitForSecondLook(visit: Visit, early: Acting): Promise<number | undefined> {
  const duration = firstLook(early);
  const listening = early.action.kind === 'start-defrag' && !visit.interrupted() ? duration / 2 : 0;
  const waits = listening > 0 ? await visit.session.waits(listening) : [];
  await linger(visit, duration - listening);
  return listening > 0 ? noiseOf(waits, listening, visit.instance.defrag.maxStall) : undefined;
}

/** What a document that cannot be read forbids is unknown: nothing is started. */
function obstructed(visit: Visit, first: Observation, why: string): Outcome {
  const facts = situation(visit, first, { memory: EMPTY_HISTORY });
  const notices = [{ kind: 'state-unavailable', why }] as const;
  return outcomeOf(visit, facts, { kind: 'skip', reason: 'state-unavailable' }, { notices });
}

async function tryOut(visit: Visit, facts: Situation, agreed: Acting): Promise<Result> {
  const { action } = agreed;
  const result: Result =
    action.kind === 'start-defrag'
      ? await startDefrag(visit, facts, agreed, action)
      : await purgeUnderLease(visit, facts, agreed);
  if (result.kind === 'withdrawn') visit.brakes.release(visit.node, visit.holder);
  return result;
}

async function carriedOut(
  visit: Visit,
  facts: Situation,
  agreed: Acting,
  remembered: NodeHistory,
  result: Result,
): Promise<Outcome> {
  switch (result.kind) {
    case 'done':
      return await withNews(visit, { ...facts, memory: result.memory }, agreed, result.outcome);
    case 'withdrawn': {
      const outcome = await told(visit, { ...facts, memory: result.memory }, result.plan, remembered);
      return { ...outcome, notices: [...outcome.notices, ...(result.notices ?? [])] };
    }
    case 'failed':
      return failedOutcome(visit, facts, agreed, result);
  }
}

/** Asks the server whether it can defragment, once for each run of it, and only when the answer decides. */
async function informed(visit: Visit, facts: Situation): Promise<Situation> {
  const candidate = plan(facts);
  const isAsked = candidate.kind === 'act' && candidate.action.kind === 'start-defrag';
  if (!isAsked || facts.memory.defragSupport !== undefined || !facts.observation.engine.atomicConfigSet) return facts;
  const answer = await visit.session.probeDefrag();
  if (answer === undefined) return facts;
  // Not remembered: an ACL can change without a restart, and the question is cheap.
  if (answer === 'refused') return rediagnosed({ ...facts, observation: refusing(facts.observation) });
  return rediagnosed({ ...facts, memory: { ...facts.memory, defragSupport: answer } });
}

function refusing(observation: Observation): Observation {
  return { ...observation, refused: [...observation.refused, 'config|set'] };
}

/** Says what must be said once for each run of the server, and remembers that it was. */
async function told(
  visit: Visit,
  facts: Situation,
  skipped: Plan,
  remembered: NodeHistory,
  status?: Outcome['status'],
): Promise<Outcome> {
  const taken = await takenMeanwhile(visit, facts.observation);
  if (taken) return outcomeOf(visit, facts, taken, { leased: true, ...(status && { status }) });
  const { notices, memory } = newsOf(visit, facts, skipped);
  const isOurs = skipped.reason === 'foreign-defrag' && handOn(visit, facts.observation) !== undefined;
  const said: Plan = isOurs ? { kind: 'skip', reason: 'left-on' } : skipped;
  const outcome = outcomeOf(visit, rediagnosed(facts), said, { notices, ...(status && { status }) });
  if (!visit.dryRun && isNews(memory, remembered)) {
    await entrustOutcomes(visit, [outcome]);
    await noteNews(visit, memory, facts.observation);
  }
  return outcome;
}

/** The same beside a purge: a human's defrag does not keep it from being done. What was done itself is entrusted already. */
async function withNews(visit: Visit, facts: Situation, agreed: Plan, outcome: Outcome): Promise<Outcome> {
  const { notices, memory } = newsOf(visit, facts, agreed);
  if (notices.length === 0) return outcome;
  const { plan: _, verdict: __, ...bare } = outcome;
  await entrustOutcomes(visit, [{ ...bare, notices }]);
  await noteNews(visit, memory, facts.observation).catch((error: unknown) =>
    visit.ports.log.warn('not remembered', { instance: visit.instance.id, node: visit.node, error: expected(error) }),
  );
  return { ...outcome, notices: [...outcome.notices, ...notices] };
}

function newsOf(
  visit: Visit,
  facts: Situation,
  decided: Plan,
): { readonly notices: readonly Notice[]; readonly memory: NodeHistory } {
  const standing = standingNotices(visit, facts, decided).map((notice) => ({
    notice,
    name: nameOf(notice, facts.now),
  }));
  const before = facts.memory.notified ?? [];
  return {
    notices: standing.flatMap(({ notice, name }) => (before.includes(name) ? [] : [notice])),
    memory: { ...facts.memory, notified: standing.map(({ name }) => name) },
  };
}

/** The name under which it counts as reported: once for each run of the server; what a person has to mend, once a day. */
function nameOf({ kind }: Notice, now: number): string {
  return kind === 'left-on' ? `${kind} ${new Date(now).toISOString().slice(0, 10)}` : kind;
}

/** Since we read the leases, another job may have taken one and switched defrag on: then it is not a stranger's. */
async function takenMeanwhile(visit: Visit, observation: Observation): Promise<Plan | undefined> {
  // A second address of a server is only watched, whatever is under way at the first one.
  if (visit.doubleOf !== undefined) return undefined;
  if (!isActiveDefragOn(observation) && !handOn(visit, observation)) return undefined;
  const lease = await leaseNow(visit.ports, visit.node, observation.runId);
  if (!lease) return undefined;
  const blockers = [{ kind: 'peer-acting', peer: lease.holder }] as const;
  return { kind: 'skip', reason: 'peer-acting', blockers, until: lease.busyUntil };
}

function standingNotices(visit: Visit, { observation, memory }: Situation, skipped: Plan): readonly Notice[] {
  const isUnsupported =
    memory.defragSupport === 'unsupported' || (skipped.kind === 'skip' && skipped.reason === 'unsupported');
  const double =
    skipped.kind === 'skip' ? skipped.blockers?.find((blocker) => blocker.kind === 'same-server') : undefined;
  return [
    ...(double ? [{ kind: 'same-server', as: double.as } as const] : switchNotices(visit, observation)),
    ...(isUnsupported ? [{ kind: 'defrag-unsupported' } as const] : []),
  ];
}

/** Somebody's defrag, or our own of which neither a lease nor a record is left. */
function switchNotices(visit: Visit, observation: Observation): readonly Notice[] {
  const hand = handOn(visit, observation);
  if (hand) {
    const names = Object.keys(hand.standing);
    const prior = hand.by === 'record' ? visit.record && settingsRead(visit.record.record.prior).settings : undefined;
    return [{ kind: 'left-on', standing: hand.standing, typed: remedy(names, prior) }];
  }
  return isActiveDefragOn(observation) ? [{ kind: 'foreign-defrag' }] : [];
}

function handOn({ record }: Visit, observation: Observation): OwnHand | undefined {
  return ownHand(observation, record?.record);
}

async function noteNews(
  { ports, node }: Visit,
  { defragSupport, notified: news }: NodeHistory,
  observation: Observation,
): Promise<void> {
  await updateHistory(ports.store, node, (stored) => ({
    ...historyFor(observation, stored),
    ...(defragSupport && { defragSupport }),
    notified: news ?? [],
  }));
}

/** A healthy node costs no write. */
function isNews(memory: NodeHistory, remembered: NodeHistory): boolean {
  return (
    memory.defragSupport !== remembered.defragSupport ||
    (memory.notified ?? []).join() !== (remembered.notified ?? []).join() ||
    (memory.runId !== remembered.runId && remembered.runId !== undefined)
  );
}
