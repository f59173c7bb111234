import { isDefragRefusal } from '../../adapters/redis/defrag-probe.ts';
import type { Engine } from '../../domain/engine.ts';
import type { Lease } from '../../domain/lease.ts';
import { withAction } from '../../domain/node-history.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import type { Started } from '../../domain/outcome.ts';
import type { Acting, Facts } from '../../domain/plan.ts';
import { present } from '../../domain/present.ts';
import { BUSY } from '../../domain/timings.ts';
import { dropLease, type HeldLease, renewLease } from '../../leases/lease-store.ts';
import type { Configured } from '../../ports/node-session.ts';
import { historyFor } from '../../state/history-placement.ts';
import { updateHistory } from '../../state/node-history.ts';
import { type NodeContext, noteUnseen, partsOf, seenBy } from '../context.ts';
import { acquire, expected, type OwnTerms, type Result } from '../new-lease.ts';
import { rssBaseline } from '../verify.ts';
import { ladderOf } from './ladder.ts';
import { initialProgress, nextProgress } from './progress.ts';
import { restoreSettings } from './restore.ts';
import { inTurns } from './settings.ts';

/** Writes the lease, then the settings, then that the settings are there. Whatever goes wrong in between is undone, or left to the lease. */
export async function startDefrag(context: NodeContext, facts: Facts, plan: Acting): Promise<Result> {
  const { ports } = context;
  const { engine } = facts.observation;
  const { calls } = await context.session.rewrites();
  const held = await acquire(context, facts, plan, ownTerms(context, facts, plan, calls));
  if ('kind' in held) return held;
  if (ports.clock.now() >= held.lease.busyUntil) {
    // This job was suspended in between. Another job may have taken the lease for a dead job's, and dropped it.
    await dropLease(ports.store, held);
    return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory: facts.memory };
  }
  try {
    let found: Settings = {};
    let set: Settings = {};
    for (const turn of turnsOf(held.lease.applied, engine)) {
      const configured = await context.session.configure(turn, { atomic: engine.atomicConfigSet });
      found = { ...found, ...configured.found };
      if (!configured.done) {
        const applied = { ...set, ...configured.applied };
        return await withdrawRefused(context, held, facts, { ...configured, found, applied });
      }
      set = { ...set, ...turn };
    }
    if (found.activedefrag === 'yes') return await withdrawForeign(context, held, facts, found);
    return await confirm(context, held, facts, plan, found);
  } catch (error) {
    await noteUnseen(context, held.lease, error);
    // Whether the server has taken the settings is unknown. The lease knows what to restore; the next tick will.
    return { kind: 'failed', why: expected(error), leased: true, memory: facts.memory };
  }
}

/** What the lease of a defrag needs besides: how to undo it, what the pace may make of it, and where its progress began. */
function ownTerms(
  { instance, openUntil }: NodeContext,
  { observation, noise }: Facts,
  { action, predicted }: Acting,
  rewrites: number | undefined,
): OwnTerms {
  if (action.kind !== 'start-defrag') throw new TypeError(`active defrag does not start with the step ${action.kind}`);
  const { settings: applied, cpu, expiresAt } = action;
  const current = observation.defrag.settings ?? {};
  const progress = initialProgress(observation, predicted);
  return {
    busyFor: BUSY,
    phase: 'taking',
    expiresAt,
    prior: Object.fromEntries(Object.keys(applied).map((name) => [name, current[name] ?? ''])),
    applied,
    ladder: ladderOf(cpu, current),
    cpu,
    ...present({ noise, rewrites, byHand: openUntil === undefined ? undefined : (true as const) }),
    before: { ...rssBaseline(observation), fragmentation: progress.fragmentation },
    promisedStall: instance.defrag.maxStall,
    progress,
  };
}

/** At once where the server can; else the switch only when what bounds its stalls has been taken. */
function turnsOf(settings: Settings, { atomicConfigSet }: Pick<Engine, 'atomicConfigSet'>): readonly Settings[] {
  const { prepared, switched } = inTurns(settings);
  return atomicConfigSet ? [settings] : [prepared, switched];
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
    const memory = await updateHistory(ports.store, node, (known) => ({
      ...historyFor(settled, known),
      defragSupport: 'supported',
    })).catch(() => facts.memory);
    return { kind: 'done', memory, outcome, settled };
  }
  // Without a lease, no job would ever switch it off: the settings are restored at once.
  const { missing } = await restoreSettings(context, lease, settled);
  const left = missing.length > 0 ? `; the server did not accept the earlier value of ${missing.join(', ')}` : '';
  const why = (renewed ?? 'another job dropped the lease') + left;
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
  const memory = await updateHistory(ports.store, node, (stored) => {
    const known = historyFor(facts.observation, stored);
    return isUnsupported
      ? { ...known, defragSupport: 'unsupported' }
      : withAction(known, 'defrag', { lastAt: ports.clock.now() });
  });
  if (isUnsupported) return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'unsupported' }, memory };
  const notices: Notice[] = [{ kind: 'action-failed', doing: 'start-defrag', why: error }];
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'config-refused' }, memory, notices };
}

/** A person switched it on between the job's check and its write: it stays on, with the settings that the person had. */
async function withdrawForeign(
  context: NodeContext,
  held: HeldLease,
  { memory }: Facts,
  found: Settings,
): Promise<Result> {
  const { done } = await context.session.configure(found, { atomic: false });
  if (!done) return { kind: 'failed', why: 'the server did not accept its earlier settings', leased: true, memory };
  await dropLease(context.ports.store, held);
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'foreign-defrag' }, memory };
}
