import type { Action } from '../actions/action.ts';
import {
  factsAt,
  type NodeContext,
  outcomeOf,
  type Recollection,
  rediagnosed,
  waitInterruptible,
} from '../actions/context.ts';
import { failedOutcome, type Result } from '../actions/new-lease.ts';
import { plan, revalidate } from '../actions/plan.ts';
import { actionOf } from '../actions/registry.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Blocker } from '../domain/blocker.ts';
import { EMPTY_HISTORY, type NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Facts, Plan } from '../domain/plan.ts';
import { historyFor } from '../state/history-placement.ts';
import { readPauses } from '../state/pauses.ts';
import { restoreLeftover } from './leftover-settings.ts';
import { reported, withNotices } from './notices.ts';
import { isStale, ServerReplaced } from './revisit.ts';

/**
 * A purge of another server of the same host is over in a second or two, and another worker checks its nodes in this time: it is waited for,
 * and then everything is asked anew.
 */
const NEXT_TRY: Milliseconds = 1 * SECOND;
const TRIES = 20;

/** A node without an Offpeak lease. What nothing is planned for is not connected to again. */
export async function reconcileIdleNode(
  context: NodeContext,
  first: Observation,
  remembered: NodeHistory,
  peer?: string,
): Promise<Outcome> {
  const recollection = { memory: historyFor(first, remembered), ...(peer !== undefined && { peer }) };
  const seen = factsAt(context, first, recollection);
  try {
    const withheld = await withheldOutcome(context, seen, remembered);
    if (withheld) return withheld;
    const wanted = plan(seen);
    if (wanted.kind === 'skip') return await reported(context, seen, wanted, remembered);
    // A node that has waited for its turn is observed anew: the checks before a purge take twelve seconds.
    const latest = isStale(first, context.ports.clock) ? await context.session.look() : first;
    return await actOn(context, factsAt(context, latest, recollection), recollection, remembered);
  } catch (error) {
    if (!(error instanceof ServerReplaced)) throw error;
    return await reported(context, seen, { kind: 'skip', reason: 'changed' }, remembered);
  }
}

/** What the first check found worth it: check again, plan again, act. */
async function actOn(
  context: NodeContext,
  seen: Facts,
  recollection: Recollection,
  remembered: NodeHistory,
): Promise<Outcome> {
  const facts = await informed(context, seen);
  const early = plan(facts);
  if (early.kind === 'skip') return await reported(context, facts, early, remembered);
  const action = actionOf(early.action.kind);
  const { start } = await action.effects();
  const prepared = await waitForSecondCheck(context, action, action.terms(facts, early).secondCheck);
  for (let tries = 1; ; tries++) {
    const latest = await lookAgain(context, facts, { ...recollection, memory: facts.memory, ...prepared });
    const agreed = agreedPlan(context, early, latest);
    if (context.dryRun) return await reported(context, latest, agreed, remembered);
    const result = agreed.kind === 'act' ? await start(context, latest, agreed) : undefined;
    if (result?.kind === 'withdrawn') context.claims.release(context.node, context.holder);
    if (tries >= TRIES || !isSoonOver(agreed, result) || context.interrupted())
      return await concluded(context, latest, agreed, remembered, result);
    await waitInterruptible(context, NEXT_TRY);
  }
}

function agreedPlan(context: NodeContext, early: Plan, latest: Facts): Plan {
  return context.interrupted() ? { kind: 'skip', reason: 'interrupted' } : revalidate(early, plan(latest));
}

function isSoonOver(agreed: Plan, result: Result | undefined): boolean {
  const decided = result?.kind === 'withdrawn' ? result.plan : agreed;
  const blockers = decided.kind === 'skip' ? (decided.blockers ?? []) : [];
  const isShort = (one: Blocker) => one.kind === 'version-unseen' || (one.kind === 'host-acting' && !one.isDefrag);
  return blockers.length === 1 && blockers.every(isShort);
}

/** Where nothing is planned at all: the outcome that says why. */
async function withheldOutcome(
  context: NodeContext,
  facts: Facts,
  remembered: NodeHistory,
): Promise<Outcome | undefined> {
  const { obstacle: why, doubleOf: as } = context;
  if (why !== undefined) return obstructed(context, facts.observation, why);
  if (as !== undefined) {
    // Acted on under its other name.
    const blockers = [{ kind: 'same-server', as }] as const;
    return await reported(context, facts, { kind: 'skip', reason: 'same-server', blockers }, remembered);
  }
  const leftover = await restoreLeftover(context, facts.observation, remembered);
  if (leftover !== 'refused') return leftover;
  return await reported(context, facts, { kind: 'skip', reason: 'left-on' }, remembered);
}

/** A pause that was asked for since the state was read counts: the person who asked for it believes that nothing starts any more. */
async function lookAgain(
  context: NodeContext,
  { observation: earlier }: Facts,
  recollection: Recollection,
): Promise<Facts> {
  const { refused, ...first } = earlier;
  const [second, examined, pauses] = await Promise.all([
    context.session.look(),
    context.session.examine(first),
    readPauses(context.ports.store),
  ]);
  const seen = { ...second, examined, refused: [...new Set([...second.refused, ...refused])] };
  return factsAt({ ...context, pauses }, seen, { ...recollection, earlier });
}

/** Half of the wait is the action's own, where it can use it. */
async function waitForSecondCheck(
  context: NodeContext,
  { prepare }: Action,
  duration: Milliseconds,
): Promise<Pick<Recollection, 'noise'>> {
  const own = prepare && !context.interrupted() ? duration / 2 : 0;
  const prepared = prepare && own > 0 ? await prepare(context, own) : {};
  await waitInterruptible(context, duration - own);
  return prepared;
}

/** What a document that cannot be read forbids is unknown: nothing is started. */
function obstructed(context: NodeContext, first: Observation, why: string): Outcome {
  const facts = factsAt(context, first, { memory: EMPTY_HISTORY });
  const notices = [{ kind: 'state-unavailable', why }] as const;
  return outcomeOf(context, facts, { kind: 'skip', reason: 'state-unavailable' }, { notices });
}

/** What came of the plan that both checks agreed on. */
async function concluded(
  context: NodeContext,
  facts: Facts,
  agreed: Plan,
  remembered: NodeHistory,
  result: Result | undefined,
): Promise<Outcome> {
  if (!result || agreed.kind === 'skip') return await reported(context, facts, agreed, remembered);
  if (result.kind === 'failed') return failedOutcome(context, facts, agreed, result);
  const after = { ...facts, memory: result.memory };
  if (result.kind === 'done') return await withNotices(context, after, agreed, result.outcome);
  return await reported(context, after, result.plan, remembered, result.notices);
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
