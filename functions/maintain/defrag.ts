import { isOwnValue } from './decide/ladder.ts';
import { historyFor, type Lease } from './decide/lease.ts';
import type { Observation, Settings } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import type { Acting, Situation } from './decide/plan.ts';
import { advance } from './decide/progress.ts';
import { inTurns, restoration } from './decide/stall.ts';
import { acquire, expected, type Result, type StartDefrag } from './lease-taking.ts';
import { dropLease, type HeldLease, renewLease } from './leases.ts';
import { updateHistory } from './memories.ts';
import type { Configured } from './ports.ts';
import { isDefragRefusal } from './session.ts';
import { entrustOutcomes, noteSilence, outcomeOf, type Visit } from './visit.ts';

/** Writes the lease, then the settings, then that the settings are there. Whatever goes wrong in between is undone, or left to the lease. */
export async function startDefrag(visit: Visit, facts: Situation, plan: Acting, action: StartDefrag): Promise<Result> {
  const { ports } = visit;
  const { calls } = await visit.session.rewrites();
  const held = await acquire(visit, facts, plan, calls);
  if ('kind' in held) return held;
  if (ports.clock.now() >= held.lease.busyUntil) {
    // Suspended in between: somebody may have taken the lease for a dead job's, and have dropped it.
    await dropLease(ports.store, held);
    return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory: facts.memory };
  }
  try {
    const configured = await configure(visit, facts.observation, action.settings);
    if (!configured.done) return await withdrawRefused(visit, held, facts, configured);
    if (configured.found.activedefrag === 'yes') return await withdrawForeign(visit, held, facts, configured.found);
    return await confirm(visit, held, facts, plan, configured.found);
  } catch (error) {
    await noteSilence(visit, held.lease, error);
    // Whether the server has taken the settings is unknown. The lease knows what to give back; the next tick will.
    return { kind: 'failed', why: expected(error), leased: true, memory: facts.memory };
  }
}

/** At once where the server can; else the switch only when what bounds its stalls has been taken. */
async function configure(visit: Visit, { engine }: Observation, settings: Settings): Promise<Configured> {
  if (engine.atomicConfigSet) return await visit.session.configure(settings, { atomic: true });
  const { prepared, switched } = inTurns(settings);
  const first = await visit.session.configure(prepared, { atomic: false });
  if (!first.done) return first;
  const second = await visit.session.configure(switched, { atomic: false });
  const found = { ...first.found, ...second.found };
  return second.done ? { done: true, found } : { ...second, found, applied: { ...prepared, ...second.applied } };
}

async function confirm(
  visit: Visit,
  held: HeldLease,
  facts: Situation,
  plan: Acting,
  found: Settings,
): Promise<Result> {
  const { ports, node, session } = visit;
  const settled = await session.look();
  const prior = { ...held.lease.prior, ...found };
  const lease: Lease = { ...held.lease, phase: 'running', prior, busyUntil: 0, progress: advance(held.lease, settled) };
  const outcome = startedOutcome(visit, facts, plan, lease, settled);
  await entrustOutcomes(visit, [outcome]);
  const renewed = await renewLease(ports.store, held, lease).catch((error: unknown) => expected(error));
  if (renewed && typeof renewed === 'object') {
    const memory = await updateHistory(ports.store, node, (known) => ({
      ...historyFor(settled, known),
      defragSupport: 'supported',
    })).catch(() => facts.memory);
    return { kind: 'done', memory, outcome, settled };
  }
  // Without a lease nobody would ever switch it off: what we have just set goes back at once.
  const { missing } = await giveBack(visit, lease, settled);
  const left = missing.length > 0 ? `; the server did not take back ${missing.join(', ')}` : '';
  const why = (renewed ?? 'somebody else dropped our lease') + left;
  return { kind: 'failed', why, leased: renewed !== undefined, memory: facts.memory };
}

function startedOutcome(
  visit: Visit,
  facts: Situation,
  plan: Acting,
  { applied, acquiredAt }: Lease,
  observation: Observation,
): Outcome {
  const extras = { leased: true, settings: applied, episode: acquiredAt };
  return outcomeOf(visit, { ...facts, observation }, plan, extras);
}

type Refused = Extract<Configured, { done: false }>;

async function withdrawRefused(
  visit: Visit,
  held: HeldLease,
  facts: Situation,
  { applied, found, error }: Refused,
): Promise<Result> {
  const { ports, node } = visit;
  const undo = Object.fromEntries(
    Object.keys(applied).map((name) => [name, found[name] ?? held.lease.prior[name] ?? '']),
  );
  const undone = Object.keys(undo).length === 0 || (await visit.session.configure(undo, { atomic: false })).done;
  // What did not go back stays with the lease, and the next tick tries again.
  if (!undone)
    return { kind: 'failed', why: `${error}; and it could not be undone`, leased: true, memory: facts.memory };
  await dropLease(ports.store, held);
  const isUnsupported = isDefragRefusal(error);
  const memory = await updateHistory(ports.store, node, (known) => ({
    ...historyFor(facts.observation, known),
    ...(isUnsupported ? { defragSupport: 'unsupported' } : { lastDefragAt: ports.clock.now() }),
  }));
  if (isUnsupported) return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'unsupported' }, memory };
  const notices: Notice[] = [{ kind: 'action-failed', doing: 'start-defrag', why: error }];
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'config-refused' }, memory, notices };
}

/** Somebody switched it on between our look and our write: theirs, and so are the settings as they had them. */
async function withdrawForeign(visit: Visit, held: HeldLease, { memory }: Situation, found: Settings): Promise<Result> {
  const { done } = await visit.session.configure(found, { atomic: false });
  if (!done) return { kind: 'failed', why: 'the server did not take its settings back', leased: true, memory };
  await dropLease(visit.ports.store, held);
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'foreign-defrag' }, memory };
}

export interface GivenBack {
  /** A look after it. */
  readonly settled: Observation;
  readonly restored: Settings;
  /** Changed by somebody else in the meantime: theirs. */
  readonly leftAlone: Settings;
  /** What the server did not take back. */
  readonly missing: readonly string[];
}

/** Gives back what a lease has taken, and looks whether it is back. */
export async function giveBack(
  visit: Visit,
  lease: Pick<Lease, 'applied' | 'prior' | 'ladder'>,
  observation: Observation,
): Promise<GivenBack> {
  const { restore, leftAlone } = restoration(lease, observation.defrag.settings ?? {});
  if (Object.keys(restore).length === 0) return { settled: observation, restored: {}, leftAlone, missing: [] };
  const { atomicConfigSet: atomic } = observation.engine;
  const configured = await visit.session.configure(restore, { atomic });
  // Between our look and our write somebody else may have set what is neither ours nor the prior value: theirs.
  const theirs = Object.fromEntries(
    Object.entries(configured.found).filter(
      ([name, value]) => !isOwnValue(lease, name, value) && value !== restore[name],
    ),
  );
  if (Object.keys(theirs).length > 0) {
    await visit.session.configure(theirs, { atomic });
    for (const name of Object.keys(theirs)) delete restore[name];
    Object.assign(leftAlone, theirs);
  }
  const settled = await visit.session.look();
  const current = settled.defrag.settings;
  // Where CONFIG GET is refused, the server's word for CONFIG SET has to do.
  const missing = current
    ? Object.keys(restore).filter((name) => current[name] !== undefined && current[name] !== restore[name])
    : configured.done
      ? []
      : Object.keys(restore);
  return { settled, restored: restore, leftAlone, missing };
}
