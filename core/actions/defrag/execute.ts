import { isDefragRefusal } from '../../adapters/redis/node-session.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import type { Notice, Started } from '../../domain/outcome.ts';
import type { Acting, Facts } from '../../domain/plan.ts';
import { dropLease, type HeldLease, renewLease } from '../../leases/lease-store.ts';
import type { Configured } from '../../ports/node-session.ts';
import { memoryFor } from '../../state/history-placement.ts';
import { remember } from '../../state/node-history.ts';
import { type NodeContext, noteSilence, partsOf, seenBy } from '../context.ts';
import { acquire, expected, type Result, type StartDefrag } from '../new-lease.ts';
import { isOwnValue } from './ladder.ts';
import { nextProgress } from './progress.ts';
import { inTurns, restoration } from './settings.ts';

/** Writes the lease, then the settings, then that the settings are there. Whatever goes wrong in between is undone, or left to the lease. */
export async function startDefrag(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  action: StartDefrag,
): Promise<Result> {
  const { ports } = context;
  const { calls } = await context.session.rewrites();
  const held = await acquire(context, facts, plan, calls);
  if ('kind' in held) return held;
  if (ports.clock.now() >= held.lease.busyUntil) {
    // Suspended in between: somebody may have taken the lease for a dead job's, and have dropped it.
    await dropLease(ports.store, held);
    return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory: facts.memory };
  }
  try {
    const configured = await configure(context, facts.observation, action.settings);
    if (!configured.done) return await withdrawRefused(context, held, facts, configured);
    if (configured.found.activedefrag === 'yes') return await withdrawForeign(context, held, facts, configured.found);
    return await confirm(context, held, facts, plan, configured.found);
  } catch (error) {
    await noteSilence(context, held.lease, error);
    // Whether the server has taken the settings is unknown. The lease knows what to give back; the next tick will.
    return { kind: 'failed', why: expected(error), leased: true, memory: facts.memory };
  }
}

/** At once where the server can; else the switch only when what bounds its stalls has been taken. */
async function configure(context: NodeContext, { engine }: Observation, settings: Settings): Promise<Configured> {
  if (engine.atomicConfigSet) return await context.session.configure(settings, { atomic: true });
  const { prepared, switched } = inTurns(settings);
  const first = await context.session.configure(prepared, { atomic: false });
  if (!first.done) return first;
  const second = await context.session.configure(switched, { atomic: false });
  const found = { ...first.found, ...second.found };
  return second.done ? { done: true, found } : { ...second, found, applied: { ...prepared, ...second.applied } };
}

async function confirm(
  context: NodeContext,
  held: HeldLease,
  facts: Facts,
  plan: Acting,
  found: Settings,
): Promise<Result> {
  const { ports, node, session } = context;
  const settled = await session.look();
  const prior = { ...held.lease.prior, ...found };
  const lease: Lease = {
    ...held.lease,
    phase: 'running',
    prior,
    busyUntil: 0,
    progress: nextProgress(held.lease, settled),
  };
  const outcome = startedOutcome(context, facts, plan, lease, settled);
  await context.announce([outcome]);
  const renewed = await renewLease(ports.store, held, lease).catch((error: unknown) => expected(error));
  if (renewed && typeof renewed === 'object') {
    const memory = await remember(ports.store, node, (known) => ({
      ...memoryFor(settled, known),
      defragSupport: 'supported',
    })).catch(() => facts.memory);
    return { kind: 'done', memory, outcome, settled };
  }
  // Without a lease nobody would ever switch it off: what we have just set goes back at once.
  const { missing } = await restoreSettings(context, lease, settled);
  const left = missing.length > 0 ? `; the server did not take back ${missing.join(', ')}` : '';
  const why = (renewed ?? 'somebody else dropped our lease') + left;
  return { kind: 'failed', why, leased: renewed !== undefined, memory: facts.memory };
}

function startedOutcome(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  { applied, expiresAt }: Lease,
  observation: Observation,
): Started {
  const after = seenBy(context, observation, facts.memory);
  return { ...partsOf(context, facts), kind: 'started', after, plan, leased: true, settings: applied, expiresAt };
}

type Refused = Extract<Configured, { done: false }>;

async function withdrawRefused(
  context: NodeContext,
  held: HeldLease,
  facts: Facts,
  { applied, found, error }: Refused,
): Promise<Result> {
  const { ports, node } = context;
  const undo = Object.fromEntries(
    Object.keys(applied).map((name) => [name, found[name] ?? held.lease.prior[name] ?? '']),
  );
  const undone = Object.keys(undo).length === 0 || (await context.session.configure(undo, { atomic: false })).done;
  // What did not go back stays with the lease, and the next tick tries again.
  if (!undone)
    return { kind: 'failed', why: `${error}; and it could not be undone`, leased: true, memory: facts.memory };
  await dropLease(ports.store, held);
  const isUnsupported = isDefragRefusal(error);
  const memory = await remember(ports.store, node, (known) => ({
    ...memoryFor(facts.observation, known),
    ...(isUnsupported ? { defragSupport: 'unsupported' } : { lastDefragAt: ports.clock.now() }),
  }));
  if (isUnsupported) return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'unsupported' }, memory };
  const notices: Notice[] = [{ kind: 'action-failed', doing: 'start-defrag', why: error }];
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'config-refused' }, memory, notices };
}

/** Somebody switched it on between our look and our write: theirs, and so are the settings as they had them. */
async function withdrawForeign(
  context: NodeContext,
  held: HeldLease,
  { memory }: Facts,
  found: Settings,
): Promise<Result> {
  const { done } = await context.session.configure(found, { atomic: false });
  if (!done) return { kind: 'failed', why: 'the server did not take its settings back', leased: true, memory };
  await dropLease(context.ports.store, held);
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'foreign-defrag' }, memory };
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
