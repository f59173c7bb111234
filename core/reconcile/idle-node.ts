import {
  factsAt,
  type NodeContext,
  outcomeOf,
  type Recollection,
  rediagnosed,
  waitInterruptible,
} from '../actions/context.ts';
import { startDefrag } from '../actions/defrag/execute.ts';
import { noiseOf } from '../actions/defrag/noise.ts';
import { type OwnSettings, ownSettings, remedy } from '../actions/defrag/own-settings.ts';
import { expected, failedOutcome, type Result } from '../actions/new-lease.ts';
import { plan, revalidate } from '../actions/plan.ts';
import { purgeUnderLease } from '../actions/purge/execute.ts';
import { settingsRead } from '../adapters/redis/setting-forms.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import { NOTHING_REMEMBERED, type NodeMemory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Notice, Observed, Outcome, Purged, Started } from '../domain/outcome.ts';
import type { Acting, Facts, Plan } from '../domain/plan.ts';
import { firstLook } from '../guards/admission.ts';
import { memoryFor } from '../state/history-placement.ts';
import { remember } from '../state/node-history.ts';
import { readPauses } from '../state/pauses.ts';
import { leaseNow, restoreLeftover } from './leftover-settings.ts';

/** A node on which no lease of ours stands: look, plan, look again, plan again, act. */
export async function reconcileIdleNode(
  context: NodeContext,
  first: Observation,
  remembered: NodeMemory,
  peer?: string,
): Promise<Outcome> {
  if (context.obstacle !== undefined) return obstructed(context, first, context.obstacle);
  const known = memoryFor(first, remembered);
  const recollection = { memory: known, ...(peer !== undefined && { peer }) };
  if (context.doubleOf !== undefined)
    return await watchedTwice(context, factsAt(context, first, recollection), remembered, context.doubleOf);
  const givenBack = await restoreLeftover(context, first, remembered);
  if (givenBack === 'refused')
    return await told(context, factsAt(context, first, recollection), { kind: 'skip', reason: 'left-on' }, remembered);
  if (givenBack) return givenBack;
  const facts = await informed(context, factsAt(context, first, recollection));
  const early = plan(facts);
  if (early.kind === 'skip') return told(context, facts, early, remembered);
  const noise = await waitForSecondLook(context, early);
  const again = { ...recollection, memory: facts.memory, earlier: first, ...(noise !== undefined && { noise }) };
  const look = () => lookAgain(context, facts.observation, again);
  let last = await attempt(context, early, look);
  for (let tries = 1; tries < TRIES && isBesidePurge(last) && !context.dryRun && !context.interrupted(); tries++) {
    await waitInterruptible(context, NEXT_TRY);
    last = await attempt(context, early, look);
  }
  const { latest, agreed, result } = last;
  if (result && agreed.kind === 'act') return await carriedOut(context, latest, agreed, remembered, result);
  return await told(context, latest, agreed, remembered);
}

/** A second look, what it came to, and what came of that where it was tried. */
interface Attempt {
  readonly latest: Facts;
  readonly agreed: Plan;
  readonly result?: Result;
}

async function attempt(context: NodeContext, early: Acting, look: () => Promise<Facts>): Promise<Attempt> {
  const latest = await look();
  const agreed = context.interrupted()
    ? ({ kind: 'skip', reason: 'interrupted' } as const)
    : revalidate(early, plan(latest));
  if (agreed.kind === 'skip' || context.dryRun) return { latest, agreed };
  return { latest, agreed, result: await tryOut(context, latest, agreed) };
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
async function lookAgain(
  context: NodeContext,
  { refused, ...first }: Observation,
  recollection: Recollection,
): Promise<Facts> {
  const [second, examined, pauses] = await Promise.all([
    context.session.look(),
    context.session.examine(first),
    readPauses(context.ports.store),
  ]);
  const seen = { ...second, examined, refused: [...new Set([...second.refused, ...refused])] };
  return factsAt({ ...context, pauses }, seen, recollection);
}

/** Acted on under its other name. */
async function watchedTwice(context: NodeContext, facts: Facts, remembered: NodeMemory, as: string): Promise<Outcome> {
  const blockers = [{ kind: 'same-server', as }] as const;
  return await told(context, facts, { kind: 'skip', reason: 'same-server', blockers }, remembered);
}

/** Before a defrag the wait is used: it shows what the machine adds to every stall. */
async function waitForSecondLook(context: NodeContext, early: Acting): Promise<number | undefined> {
  const duration = firstLook(early);
  const listening = early.action.kind === 'start-defrag' && !context.interrupted() ? duration / 2 : 0;
  const waits = listening > 0 ? await context.session.waits(listening) : [];
  await waitInterruptible(context, duration - listening);
  return listening > 0 ? noiseOf(waits, listening, context.instance.defrag.maxStall) : undefined;
}

/** What a document that cannot be read forbids is unknown: nothing is started. */
function obstructed(context: NodeContext, first: Observation, why: string): Outcome {
  const facts = factsAt(context, first, { memory: NOTHING_REMEMBERED });
  const notices = [{ kind: 'state-unavailable', why }] as const;
  return outcomeOf(context, facts, { kind: 'skip', reason: 'state-unavailable' }, { notices });
}

async function tryOut(context: NodeContext, facts: Facts, agreed: Acting): Promise<Result> {
  const { action } = agreed;
  const result: Result =
    action.kind === 'start-defrag'
      ? await startDefrag(context, facts, agreed, action)
      : await purgeUnderLease(context, facts, agreed);
  if (result.kind === 'withdrawn') context.claims.release(context.node, context.holder);
  return result;
}

async function carriedOut(
  context: NodeContext,
  facts: Facts,
  agreed: Acting,
  remembered: NodeMemory,
  result: Result,
): Promise<Outcome> {
  switch (result.kind) {
    case 'done':
      return await withNews(context, { ...facts, memory: result.memory }, agreed, result.outcome);
    case 'withdrawn':
      return await told(context, { ...facts, memory: result.memory }, result.plan, remembered, result.notices);
    case 'failed':
      return failedOutcome(context, facts, agreed, result);
  }
}

/** Asks the server whether it can defragment, once for each run of it, and only when the answer decides. */
async function informed(context: NodeContext, facts: Facts): Promise<Facts> {
  const candidate = plan(facts);
  const isAsked = candidate.kind === 'act' && candidate.action.kind === 'start-defrag';
  if (!isAsked || facts.memory.defragSupport !== undefined || !facts.observation.engine.atomicConfigSet) return facts;
  const answer = await context.session.probeDefrag();
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
  context: NodeContext,
  facts: Facts,
  skipped: Plan,
  remembered: NodeMemory,
  more: readonly Notice[] = [],
): Promise<Observed> {
  const taken = await takenMeanwhile(context, facts.observation);
  if (taken) return outcomeOf(context, facts, taken, { leased: true, notices: more });
  const { notices, memory } = newsOf(context, facts, skipped);
  const isOurs = skipped.reason === 'foreign-defrag' && handOn(context, facts.observation) !== undefined;
  const said: Plan = isOurs ? { kind: 'skip', reason: 'left-on' } : skipped;
  const outcome = outcomeOf(context, rediagnosed(facts), said, { notices: [...notices, ...more] });
  if (!context.dryRun && isNews(memory, remembered)) {
    await context.announce([outcome]);
    await noteNews(context, memory, facts.observation);
  }
  return outcome;
}

/** The same beside a purge: a human's defrag does not keep it from being done. What was done itself is entrusted already. */
async function withNews(
  context: NodeContext,
  facts: Facts,
  agreed: Plan,
  outcome: Purged | Started,
): Promise<Purged | Started> {
  const { notices, memory } = newsOf(context, facts, agreed);
  if (notices.length === 0) return outcome;
  const { instance, node, leased, after } = outcome;
  await context.announce([{ kind: 'observed', instance, node, leased, before: after, notices }]);
  await noteNews(context, memory, facts.observation).catch((error: unknown) =>
    context.ports.log.warn('not remembered', {
      instance: context.instance.id,
      node: context.node,
      error: expected(error),
    }),
  );
  return { ...outcome, notices: [...outcome.notices, ...notices] };
}

function newsOf(
  context: NodeContext,
  facts: Facts,
  decided: Plan,
): { readonly notices: readonly Notice[]; readonly memory: NodeMemory } {
  const standing = standingNotices(context, facts, decided).map((notice) => ({
    notice,
    name: nameOf(notice, facts.now),
  }));
  const before = facts.memory.told ?? [];
  return {
    notices: standing.flatMap(({ notice, name }) => (before.includes(name) ? [] : [notice])),
    memory: { ...facts.memory, told: standing.map(({ name }) => name) },
  };
}

/** By which it is remembered as told: once for each run of the server; what a person has to mend, once a day. */
function nameOf({ kind }: Notice, now: number): string {
  return kind === 'left-on' ? `${kind} ${new Date(now).toISOString().slice(0, 10)}` : kind;
}

/** Since we read the leases, another job may have taken one and switched defrag on: then it is not a stranger's. */
async function takenMeanwhile(context: NodeContext, observation: Observation): Promise<Plan | undefined> {
  // A second address of a server is only watched, whatever is under way at the first one.
  if (context.doubleOf !== undefined) return undefined;
  if (!isActiveDefragOn(observation) && !handOn(context, observation)) return undefined;
  const lease = await leaseNow(context.ports, context.node, observation.runId);
  if (!lease) return undefined;
  const blockers = [{ kind: 'peer-acting', peer: lease.holder }] as const;
  return { kind: 'skip', reason: 'peer-acting', blockers, until: lease.busyUntil };
}

function standingNotices(context: NodeContext, { observation, memory }: Facts, skipped: Plan): readonly Notice[] {
  const isUnsupported =
    memory.defragSupport === 'unsupported' || (skipped.kind === 'skip' && skipped.reason === 'unsupported');
  const double =
    skipped.kind === 'skip' ? skipped.blockers?.find((blocker) => blocker.kind === 'same-server') : undefined;
  return [
    ...(double ? [{ kind: 'same-server', as: double.as } as const] : switchNotices(context, observation)),
    ...(isUnsupported ? [{ kind: 'defrag-unsupported' } as const] : []),
  ];
}

/** Somebody's defrag, or our own of which neither a lease nor a record is left. */
function switchNotices(context: NodeContext, observation: Observation): readonly Notice[] {
  const hand = handOn(context, observation);
  if (hand) {
    const names = Object.keys(hand.standing);
    const prior =
      hand.by === 'record' ? context.record && settingsRead(context.record.record.prior).settings : undefined;
    return [{ kind: 'left-on', standing: hand.standing, typed: remedy(names, prior) }];
  }
  return isActiveDefragOn(observation) ? [{ kind: 'foreign-defrag' }] : [];
}

function handOn({ record }: NodeContext, observation: Observation): OwnSettings | undefined {
  return ownSettings(observation, record?.record);
}

async function noteNews(
  { ports, node }: NodeContext,
  { defragSupport, told: news }: NodeMemory,
  observation: Observation,
): Promise<void> {
  await remember(ports.store, node, (stored) => ({
    ...memoryFor(observation, stored),
    ...(defragSupport && { defragSupport }),
    told: news ?? [],
  }));
}

/** A healthy node costs no write. */
function isNews(memory: NodeMemory, remembered: NodeMemory): boolean {
  return (
    memory.defragSupport !== remembered.defragSupport ||
    (memory.told ?? []).join() !== (remembered.told ?? []).join() ||
    (memory.runId !== remembered.runId && remembered.runId !== undefined)
  );
}
