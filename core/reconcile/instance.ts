import { noteUnseen } from '../actions/context.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Outcome, planIn } from '../domain/outcome.ts';
import type { StopReason } from '../domain/plan.ts';
import { actingOrder, waitsForStage } from '../guards/node-order.ts';
import { isOverdue } from '../leases/identity.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';
import type { Session } from '../ports/node-session.ts';
import { type Announcer, announcer } from './announcer.ts';
import type { InstanceReport, InstanceWork, Run } from './assign.ts';
import { reconcileIdleNode } from './idle-node.ts';
import { failedNode, switchedOutcome, unreachedOutcome, watchedOutcome } from './no-action.ts';
import { contextOf } from './node-context.ts';
import { lookAt, type OpenNode, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import { revisit } from './revisit.ts';
import { reconcileWithoutStore } from './store-outage.ts';
import { followTroubles } from './troubles.ts';

/** The nodes of one instance, one after the other. Never throws: what fails is an outcome of its node. */
export async function reconcileInstance(work: InstanceWork, run: Run): Promise<InstanceReport> {
  const { instance, nodes, leases } = work;
  const { snapshot, options, ports, stage } = run;
  const { announce, announced } = announcer({ ports, stage, holder: options.holder, instance });
  const outcomes: Outcome[] = [];
  try {
    const peers = peersOf(leases, ports.clock.now());
    let peer = snapshot.kind === 'readable' ? peers[0] : undefined;
    // A quarantined lease is ended before anything else is done: its server has come back with Offpeak's settings on.
    const quarantined = [...leases].flatMap(([node, held]) => (isQuarantined(held) ? [node] : []));
    for (const early of actingOrder(nodes, [...quarantined, ...peers])) {
      const look = await leasedLook(early, work, run);
      // Two of them, when instances were merged: the later one ends.
      const isSecond = peers.slice(1).includes(look.node.id);
      const release = options.release ?? (isSecond ? 'peer-acting' : undefined);
      const turn = { peer: peer === look.node.id ? undefined : peer, release, announce };
      const outcome = await reconcileNode(look, work, run, turn);
      outcomes.push(withPause(outcome, instance, run));
      peer = peerAfter(outcome, peer);
    }
    const unkept = await followTroubles(work, outcomes, run).catch((error: unknown) => {
      ports.log.error('unexpected failure to follow the troubles of nodes', { instance: instance.id, error });
      return [];
    });
    const { events, unkept: others } = announced();
    return { instance: instance.id, outcomes, announced: { events, unkept: [...others, ...unkept] } };
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

/** What ends or carries on a lease observes the server anew, whatever answered at its address before. */
async function leasedLook(
  look: ReachedNode | UnreachedNode,
  { leases }: InstanceWork,
  { ports, options }: Run,
): Promise<ReachedNode | OpenNode | UnreachedNode> {
  if ('problem' in look || options.mode === 'watch' || !leases.has(look.node.id)) return look;
  return await lookAt(ports.open, look.instance, look.node);
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
  look: ReachedNode | OpenNode | UnreachedNode,
  work: InstanceWork,
  run: Run,
  { peer, release, announce }: Turn,
): Promise<Outcome> {
  const { snapshot, options } = run;
  const { id } = look.node;
  const held = work.leases.get(id);
  let session: Session | undefined;
  try {
    if ('problem' in look) return await unreachedOutcome(look, held, run, announce);
    const group = held ? undefined : run.switched.get(id);
    if (group) return switchedOutcome(look, group, run);
    // A release begins nothing, on a node whose lease has ended in the meantime least of all.
    if (options.mode === 'watch' || (release !== undefined && !held)) return watchedOutcome(look, work, run);
    const { observation } = look;
    session = 'session' in look ? look.session : revisit(run.ports.open, look);
    const context = contextOf({ ...look, session }, work, run, { announce });
    if (snapshot.kind === 'unavailable') return await reconcileWithoutStore(context, observation, held, release);
    if (!held) return await reconcileIdleNode(context, observation, snapshot.historyOf(id), peer);
    // A history follows its server; of one that does not answer as itself, it is where the lease was taken.
    const memory = snapshot.historyOf(observation.runId === held.lease.runId ? id : held.lease.node);
    // Most ticks find no lease: what ends one is loaded when it is needed.
    const { reconcileLeasedNode } = await import('./leased-node.ts');
    return await reconcileLeasedNode(context, observation, memory, held, release);
  } catch (error) {
    if (held && options.mode === 'act')
      await noteUnseen({ ...run, instance: look.instance, node: id }, held.lease, error);
    return failedNode(look, error, held !== undefined, run);
  } finally {
    session?.close();
  }
}
