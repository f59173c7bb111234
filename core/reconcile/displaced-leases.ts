import { type NodeContext, partsOf } from '../actions/context.ts';
import { isNamed } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import { MINUTE, type Milliseconds } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';
import type { Notice } from '../domain/notice.ts';
import type { Failed, Problem, Unreached } from '../domain/outcome.ts';
import type { Facts } from '../domain/plan.ts';
import { manualCommands } from '../format/manual-restore.ts';
import { isOverdue } from '../leases/identity.ts';
import { dropLease, type HeldLease, type Leases, quarantine } from '../leases/lease-store.ts';
import { keepRecord } from '../leases/records.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, unlessUnavailable } from '../ports/state-store.ts';
import { updateHistory } from '../state/node-history.ts';
import { isUnstarted } from './lease-placement.ts';
import { problemOf, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import type { State } from './snapshot.ts';

/**
 * Leases whose server cannot be reached as itself any more: the config no longer names its node, or another server answers at its
 * address. Only a person can restore their settings. The job reports them once, with what to type. They stand for a day beyond their end,
 * in case the server comes back; then they are quarantined, so that the job acts on the instance's other nodes again. The name is the
 * kind of the problem, and in the history of a node it says that the job has reported the lease.
 */
const DISPLACED = 'stranded-lease';

/**
 * The node answers, but it is another server: behind a name, a virtual address, a balancer. Nothing is changed on it. `notified`:
 * what was reported of the server that the lease is on.
 */
export async function displacedLease(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  notified: readonly string[] = [],
): Promise<Failed> {
  const message = `another server answers at this address now. ${remedyOf(held.lease)}`;
  const isOver = isOverdue(held.lease, facts.now);
  const isNew = isOver || !notified.includes(DISPLACED);
  const outcome: Failed = {
    ...partsOf(context, facts),
    kind: 'failed',
    plan: { kind: 'skip', reason: 'changed' },
    leased: !isOver,
    problem: { kind: DISPLACED, message, expected: true },
    notices: noticesOf(message, isNew),
  };
  if (!context.dryRun) {
    if (isNew) await context.announce([outcome]);
    await settled(context.ports, held, isOver, isNew);
  }
  return outcome;
}

/**
 * The node does not answer. Its lease stands for as long as it may soon come back; then it is quarantined, so that the job acts on
 * the instance's other nodes again, and that is reported.
 */
export async function unreachableLease(
  context: Pick<NodeContext, 'ports' | 'announce'>,
  held: HeldLease,
  unseen: Unreached | Failed,
): Promise<Unreached | Failed> {
  const { lease } = held;
  if (!isOverdue(lease, context.ports.clock.now())) return unseen;
  const silent = unseen.kind === 'unreachable' ? 'the node has not answered' : 'Offpeak has not reached the node';
  const message = `${silent} for a day since Offpeak's defrag on it should have ended. ${remedyOf(lease)}`;
  // Of a purge nothing is left on. The job that reaches the server again reports what came of it.
  const notices = lease.phase === 'purging' ? [] : noticesOf(message, true);
  const outcome = { ...unseen, leased: false, notices, episode: lease.acquiredAt };
  await context.announce([outcome]);
  await settled(context.ports, held, true, true);
  return outcome;
}

/** What was sent longer ago than this does not arrive any more: Linux gives up after a quarter of an hour (`tcp_retries2`). */
const UNDER_WAY: Milliseconds = 30 * MINUTE;

/** Forgets starts that have never come. One whose server does not answer may have come: it is kept. */
export async function dropUnstarted(
  { store, clock, log }: Ports,
  { quarantined }: Leases,
  placements: ReadonlyMap<string, HeldLease>,
  looks: readonly (ReachedNode | UnreachedNode)[],
): Promise<void> {
  const answering = new Set(looks.flatMap((look) => ('observation' in look ? [look.observation.runId] : [])));
  const over = quarantined.filter(
    (held) =>
      isUnstarted(held) &&
      answering.has(held.lease.runId) &&
      clock.now() - held.lease.acquiredAt > UNDER_WAY &&
      ![...placements.values()].includes(held),
  );
  const drops = Promise.all(over.map((held) => dropLease(store, held)));
  await unlessUnavailable(drops, (error) => log.warn('leases not dropped', { error }));
}

/** Leases on nodes that the config no longer names. The job acts on a node that it names under another instance there. */
export async function orphanedLeases(
  config: Config,
  { state, placements }: { readonly state: State; readonly placements: ReadonlyMap<string, HeldLease> },
  ports: Ports,
  mode: 'watch' | 'plan' | 'act',
): Promise<readonly Failed[]> {
  const orphans = [...placements].flatMap(([node, held]) => (isNamed(node, config) ? [] : [held]));
  return await Promise.all(
    orphans.map(async (held) => {
      const { lease } = held;
      const isOver = isOverdue(lease, ports.clock.now());
      const isNew = isOver || !state.historyOf(lease.node).notified?.includes(DISPLACED);
      const failure = mode === 'act' ? await failureOf(settled(ports, held, isOver, isNew)) : undefined;
      const message = `Offpeak has a lease on a node that the config no longer names: put the node back into the config. ${remedyOf(lease, 'Or type on that server')}`;
      const { instance, node } = lease;
      const problem = failure ?? { kind: DISPLACED, message, expected: true };
      // Orphaned: not counted among the leases that a tick ends.
      return { instance, node, kind: 'failed', problem, leased: false, notices: noticesOf(message, isNew) } as const;
    }),
  );
}

/** What is wrong with one lease must not keep the others from being reported. */
async function failureOf(work: Promise<void>): Promise<Problem | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

/** A state store that fails here must not keep the tick from being reported. */
async function settled({ store, log }: Ports, held: HeldLease, isOver: boolean, isNew: boolean): Promise<void> {
  const { instance, node } = held.lease;
  const noted = isOver ? intoQuarantine(store, held) : isNew && noteReported(store, node);
  await unlessUnavailable(Promise.resolve(noted), (error) =>
    log.warn('report of a displaced lease not noted', { instance, node, error }),
  );
}

async function intoQuarantine(store: StateStore, held: HeldLease): Promise<void> {
  await keepRecord(store, held.lease);
  await quarantine(store, held);
}

function noteReported(store: StateStore, node: string): Promise<unknown> {
  return updateHistory(store, node, (memory) => ({ ...memory, notified: [...(memory.notified ?? []), DISPLACED] }));
}

function noticesOf(why: string, isNew: boolean): readonly Notice[] {
  return isNew ? [{ kind: 'action-failed', doing: 'stop-defrag', why }] : [];
}

/** What a person can do, on the server on which the lease is. */
function remedyOf(lease: Lease, begin = 'On the server that Offpeak was working on, type'): string {
  const commands = manualCommands(lease);
  return commands === '' ? 'There is nothing to restore' : `${begin}:\n${commands}`;
}
