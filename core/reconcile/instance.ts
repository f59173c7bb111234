import { noteSilence, seenBy } from '../actions/context.ts';
import { NodeFailure } from '../adapters/redis/failure.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import { EMPTY_HISTORY } from '../domain/node-history.ts';
import {
  type Failed,
  type Notice,
  type Observed,
  type Outcome,
  planIn,
  type Seen,
  type Unreached,
} from '../domain/outcome.ts';
import type { StopReason } from '../domain/plan.ts';
import { actingOrder, waitsForStage } from '../guards/node-order.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import { isOverdue } from '../leases/timing.ts';
import { historyFor } from '../state/history-placement.ts';
import { isQuarantined } from '../state/keys.ts';
import { type Announcer, announcer } from './announcer.ts';
import type { InstanceReport, InstanceWork, Run } from './assign.ts';
import { unreachableLease } from './displaced-leases.ts';
import { reconcileIdleNode } from './idle-node.ts';
import { contextOf } from './node-context.ts';
import { isReached, lookAt, problemOf, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import { reconcileWithoutStore } from './store-outage.ts';

/** The nodes of one instance, one after the other. Never throws: what fails is an outcome of its node. */
export async function reconcileInstance(work: InstanceWork, run: Run): Promise<InstanceReport> {
  const { instance, nodes, leases } = work;
  const { snapshot, options, ports, stage } = run;
  const { announce, announced } = announcer({ ports, stage, holder: options.holder, instance });
  const outcomes: Outcome[] = [];
  try {
    const peers = peersOf(leases, ports.clock.now());
    let peer = snapshot.kind === 'readable' ? peers[0] : undefined;
    // A quarantined lease is ended before anything else is done: its server has come back with our settings on.
    const quarantined = [...leases].flatMap(([node, held]) => (isQuarantined(held) ? [node] : []));
    for (const early of actingOrder(nodes, [...quarantined, ...peers])) {
      const look = await freshLook(early, work, run);
      // Two of them, when instances were merged: the later one ends.
      const isSecond = peers.slice(1).includes(look.node.id);
      const release = options.release ?? (isSecond ? 'peer-acting' : undefined);
      const turn = { peer: peer === look.node.id ? undefined : peer, release, announce };
      const outcome = await reconcileNode(look, work, run, turn);
      if (look !== early && 'session' in look) look.session.close();
      outcomes.push(withPause(outcome, instance, run));
      peer = peerAfter(outcome, peer);
    }
    return { instance: instance.id, outcomes, announced: announced() };
  } catch (error) {
    const missing = nodes.filter((look) => !outcomes.some(({ node }) => node === look.node.id));
    const failed = missing.map((look) => failedNode(look, error, leases.has(look.node.id), run));
    return { instance: instance.id, outcomes: [...outcomes, ...failed], announced: announced() };
  }
}

/** One node of an instance in one tick: what the action was good for shows before the next node is touched. */
function peerAfter(outcome: Outcome, peer: string | undefined): string | undefined {
  const { node, leased, kind } = outcome;
  const plan = planIn(outcome);
  // A failed one may still be at it (a purge that was not answered blocks all the same), and is still to come first.
  if (leased || kind === 'failed' || plan?.kind === 'act') return node;
  // Nor does a primary come before a replica that only the rest of the stage keeps from its turn.
  return waitsForStage(plan) ? (peer ?? node) : peer;
}

function withPause(outcome: Outcome, instance: InstanceConfig, { snapshot, ports }: Run): Outcome {
  const pause = snapshot.kind === 'readable' ? snapshot.pauses.pauseOf(instance, ports.clock.now()) : undefined;
  return pause ? { ...outcome, pause } : outcome;
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
  readonly announce: Announcer['announce'];
}

async function reconcileNode(
  look: ReachedNode | UnreachedNode,
  work: InstanceWork,
  run: Run,
  { peer, release, announce }: Turn,
): Promise<Outcome> {
  const { snapshot, options } = run;
  const { id } = look.node;
  const held = work.leases.get(id);
  try {
    if ('problem' in look) return await unreachedOutcome(look, held, run, announce);
    // A release begins nothing, on a node whose lease has ended in the meantime least of all.
    if (options.mode === 'watch' || (release !== undefined && !held)) return watchedOutcome(look, work, run);
    const { observation } = look;
    const context = contextOf(look, work, run, { announce });
    if (snapshot.kind === 'unavailable') return await reconcileWithoutStore(context, observation, held, release);
    if (!held) return await reconcileIdleNode(context, observation, snapshot.historyOf(id), peer);
    // A history follows its server; of one that does not answer as itself, it is where the lease was taken.
    const memory = snapshot.historyOf(observation.runId === held.lease.runId ? id : held.lease.node);
    // Most ticks find no lease: what ends one is loaded when it is needed.
    const { reconcileLeasedNode } = await import('./leased-node.ts');
    return await reconcileLeasedNode(context, observation, memory, held, release);
  } catch (error) {
    if (held && options.mode === 'act')
      await noteSilence({ ...run, instance: look.instance, node: id }, held.lease, error);
    return failedNode(look, error, held !== undefined, run);
  }
}

/** A node on which something went wrong, with what was seen of it. */
function failedNode(look: ReachedNode | UnreachedNode, error: unknown, leased: boolean, run: Run): Unreached | Failed {
  const name = { instance: look.instance.id, node: look.node.id };
  const problem = problemOf(error);
  if (!problem.expected) run.ports.log.error('unexpected failure', { ...name, error });
  const kind = error instanceof NodeFailure ? 'unreachable' : 'failed';
  const before = 'observation' in look ? seenAfterAll(look, run) : undefined;
  return { ...name, kind, problem, leased, notices: [], ...(before && { before }) };
}

/** What cannot be diagnosed has been the failure itself: never a second one. */
function seenAfterAll(look: ReachedNode, run: Run): Seen | undefined {
  try {
    return seenIn(look, run);
  } catch {
    return undefined;
  }
}

async function unreachedOutcome(
  look: UnreachedNode,
  held: HeldLease | undefined,
  { ports, options, snapshot }: Run,
  announce: Announcer['announce'],
): Promise<Unreached | Failed> {
  const { instance, node, problem } = look;
  const unseen = { instance: instance.id, node: node.id, problem, leased: held !== undefined, notices: [] };
  if (!isReached(look)) return { ...unseen, kind: 'not-reached' };
  const outcome = { ...unseen, kind: problem.expected ? 'unreachable' : 'failed' } as const;
  if (!held || options.mode !== 'act' || snapshot.kind === 'unavailable') return outcome;
  return await unreachableLease({ ports, announce }, held, outcome);
}

function watchedOutcome(look: ReachedNode, work: InstanceWork, run: Run): Observed {
  const { instance, node } = look;
  const held = work.leases.get(node.id);
  return {
    instance: instance.id,
    node: node.id,
    kind: 'observed',
    before: seenIn(look, run),
    leased: held !== undefined && held.lease.phase !== 'purging',
    notices: run.options.mode === 'watch' ? watchNotices(look, work, run.snapshot.kind === 'readable') : [],
  };
}

/** What a plan would say: without one, `offpeak check` has to. Without the state, a defrag may be anyone's. */
function watchNotices({ node, observation }: ReachedNode, work: InstanceWork, isKnown: boolean): readonly Notice[] {
  const double = work.duplicates.get(node.id);
  if (double !== undefined) return [{ kind: 'same-server', as: double }];
  const isForeign = isKnown && isActiveDefragOn(observation) && !work.leases.has(node.id);
  return isForeign ? [{ kind: 'foreign-defrag' }] : [];
}

function seenIn(look: ReachedNode, { snapshot }: Run): Seen {
  const { observation, node } = look;
  const known = snapshot.kind === 'readable' ? snapshot.historyOf(node.id) : EMPTY_HISTORY;
  return seenBy(look, observation, historyFor(observation, known));
}
