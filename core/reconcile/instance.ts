import { noteSilence } from '../actions/context.ts';
import { NodeFailure } from '../adapters/redis/failure.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { Notice, Outcome } from '../domain/outcome.ts';
import type { StopReason } from '../domain/plan.ts';
import { actingOrder, waitsForStage } from '../guards/node-order.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import { isOverdue } from '../leases/timing.ts';
import { historyFor } from '../state/history-placement.ts';
import { isQuarantined } from '../state/keys.ts';
import { announcer } from './announcer.ts';
import type { InstanceReport, InstanceWork, Run } from './assign.ts';
import { unreachableLease } from './displaced-leases.ts';
import { reconcileIdleNode } from './idle-node.ts';
import { contextOf } from './node-context.ts';
import { isReached, lookAt, problemOf, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import { reconcileWithoutStore } from './store-outage.ts';

/** The nodes of one instance, one after the other. Never throws: what fails is an outcome of its node. */
export async function reconcileInstance(work: InstanceWork, run: Run): Promise<InstanceReport> {
  const { instance, nodes, leases } = work;
  const outcomes: Outcome[] = [];
  try {
    const { snapshot, options, ports } = run;
    const peers = peersOf(leases, ports.clock.now());
    let peer = snapshot.kind === 'readable' ? peers[0] : undefined;
    // A quarantined lease is ended before anything else is done: its server has come back with our settings on.
    const quarantined = [...leases].flatMap(([node, held]) => (isQuarantined(held) ? [node] : []));
    for (const early of actingOrder(nodes, [...quarantined, ...peers])) {
      const look = await freshLook(early, work, run);
      // Two of them, when instances were merged: the later one ends.
      const isSecond = peers.slice(1).includes(look.node.id);
      const release = options.release ?? (isSecond ? 'peer-acting' : undefined);
      const turn = { peer: peer === look.node.id ? undefined : peer, release };
      const results = await reconcileNode(look, work, run, turn);
      if (look !== early && 'session' in look) look.session.close();
      outcomes.push(...withPause(results, instance, run));
      peer = peerAfter(results, peer, look.node.id);
    }
    return { instance: instance.id, outcomes };
  } catch (error) {
    const missing = nodes.filter((look) => !outcomes.some(({ node }) => node === look.node.id));
    const failed = missing.map((look) => failedNode(look, error, leases.has(look.node.id), run));
    return { instance: instance.id, outcomes: [...outcomes, ...failed] };
  }
}

/** One node of an instance in one tick: what the action was good for shows before the next node is touched. */
function peerAfter(results: readonly Outcome[], peer: string | undefined, node: string): string | undefined {
  // A failed one may still be at it (a purge that was not answered blocks all the same), and is still to come first.
  const isActing = results.some(({ plan, leased, status }) => plan?.kind === 'act' || leased || status === 'failed');
  if (isActing) return node;
  // Nor does a primary come before a replica that only the rest of the stage keeps from its turn.
  return results.some(({ plan }) => waitsForStage(plan)) ? (peer ?? node) : peer;
}

function withPause(
  results: readonly Outcome[],
  instance: InstanceConfig,
  { snapshot, ports }: Run,
): readonly Outcome[] {
  const pause = snapshot.kind === 'readable' ? snapshot.pauses.pauseOf(instance, ports.clock.now()) : undefined;
  return pause ? results.map((outcome) => ({ ...outcome, pause })) : results;
}

/** What was seen longer ago than this is not what will be acted on. */
const STALE: Milliseconds = 2 * SECOND;

/**
 * A node that has waited for its turn is observed anew: a look before a purge takes twelve seconds, and servers hang up on clients that
 * are silent for their `timeout`.
 */
async function freshLook(
  look: ReachedNode | UnreachedNode,
  { leases }: InstanceWork,
  { ports: { open, clock }, options }: Run,
): Promise<ReachedNode | UnreachedNode> {
  if ('problem' in look) return look;
  const { at, monotonic } = look.observation;
  const now = clock.elapsed?.();
  const age = now === undefined || monotonic === undefined ? clock.now() - at : now - monotonic;
  // A clock that was set back says nothing of the age.
  if (age >= 0 && age <= STALE) return look;
  // Without time nothing is begun: the first look is all that is reported.
  if (options.remaining() <= 0 && !leases.has(look.node.id)) return look;
  look.session.close();
  return await lookAt(open, look.instance, look.node);
}

/** Nodes with a lease of this instance, the oldest first; without those that only a person can restore and whose time is over. */
function peersOf(leases: ReadonlyMap<string, HeldLease>, now: number): readonly string[] {
  return [...leases]
    .filter(([, held]) => !isQuarantined(held) && !isOverdue(held.lease, now))
    .toSorted(([, a], [, b]) => a.lease.acquiredAt - b.lease.acquiredAt)
    .map(([node]) => node);
}

interface Turn {
  /** Another node of the instance that is being acted on. */
  readonly peer: string | undefined;
  readonly release: StopReason | undefined;
}

async function reconcileNode(
  look: ReachedNode | UnreachedNode,
  work: InstanceWork,
  run: Run,
  { peer, release }: Turn,
): Promise<readonly Outcome[]> {
  const { snapshot, options } = run;
  const { id } = look.node;
  const held = work.leases.get(id);
  try {
    if ('problem' in look) return [await unreachedOutcome(look, held, run)];
    // A release begins nothing, on a node whose lease has ended in the meantime least of all.
    if (options.mode === 'watch' || (release !== undefined && !held)) return [watchedOutcome(look, work, run)];
    const { observation } = look;
    const context = contextOf(look, work, run);
    if (snapshot.kind === 'unavailable') return [await reconcileWithoutStore(context, observation, held, release)];
    if (!held) return [await reconcileIdleNode(context, observation, snapshot.historyOf(id), peer)];
    // A history follows its server; of one that does not answer as itself, it is where the lease was taken.
    const memory = snapshot.historyOf(observation.runId === held.lease.runId ? id : held.lease.node);
    // Most ticks find no lease: what ends one is loaded when it is needed.
    const { reconcileLeasedNode } = await import('./leased-node.ts');
    return await reconcileLeasedNode(context, observation, memory, held, release);
  } catch (error) {
    if (held && options.mode === 'act')
      await noteSilence({ ...run, instance: look.instance, node: id }, held.lease, error);
    return [failedNode(look, error, held !== undefined, run)];
  }
}

/** A node on which something went wrong, with what was seen of it. */
function failedNode(
  look: ReachedNode | UnreachedNode,
  error: unknown,
  leased: boolean,
  { ports: { log } }: Run,
): Outcome {
  const name = { instance: look.instance.id, node: look.node.id };
  const problem = problemOf(error);
  if (!problem.expected) log.error('unexpected failure', { ...name, error });
  const status = error instanceof NodeFailure ? 'unreachable' : 'failed';
  const seen = 'observation' in look && { observation: look.observation };
  return { ...name, status, problem, leased, ...seen, notices: [] };
}

async function unreachedOutcome(look: UnreachedNode, held: HeldLease | undefined, run: Run): Promise<Outcome> {
  const { instance, node, problem } = look;
  const { ports, stage, options } = run;
  const outcome = {
    instance: instance.id,
    node: node.id,
    status: problem.expected ? 'unreachable' : 'failed',
    problem,
    leased: held !== undefined,
    notices: [],
  } as const;
  if (!isReached(look)) return { ...outcome, status: 'not-reached' };
  if (!held || options.mode !== 'act' || run.snapshot.kind === 'unavailable') return outcome;
  const announce = announcer({ ports, stage, holder: options.holder, instance });
  return await unreachableLease({ ports, announce }, held, outcome);
}

function watchedOutcome(look: ReachedNode, work: InstanceWork, { snapshot, options }: Run): Outcome {
  const { instance, node, observation } = look;
  const known = snapshot.kind === 'readable' ? historyFor(observation, snapshot.historyOf(node.id)) : undefined;
  const held = work.leases.get(node.id);
  return {
    instance: instance.id,
    node: node.id,
    status: 'observed',
    observation,
    diagnosis: diagnose(observation, instance, known?.learned, known),
    ...(held && held.lease.phase !== 'purging' && { leased: true }),
    notices: options.mode === 'watch' ? watchNotices(look, work, snapshot.kind === 'readable') : [],
  };
}

/** What a plan would say: without one, `offpeak check` has to. Without the state, a defrag may be anyone's. */
function watchNotices({ node, observation }: ReachedNode, work: InstanceWork, isKnown: boolean): readonly Notice[] {
  const double = work.duplicates.get(node.id);
  if (double !== undefined) return [{ kind: 'same-server', as: double }];
  const isForeign = isKnown && isActiveDefragOn(observation) && !work.leases.has(node.id);
  return isForeign ? [{ kind: 'foreign-defrag' }] : [];
}
