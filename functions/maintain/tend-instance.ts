import type { InstanceConfig } from '../shared/config/schema.ts';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import type { Brakes } from './brakes.ts';
import { diagnose } from './decide/diagnose.ts';
import { isOverdue, memoryFor } from './decide/lease.ts';
import { isActiveDefragOn, type Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import type { Peer } from './decide/replication-guards.ts';
import { actingOrder, waitsForStage } from './decide/turns.ts';
import { type HeldLease, isAside } from './leases.ts';
import { isReached, lookAt, problemOf, type Seen, type Unseen } from './look.ts';
import { NO_PAUSES } from './pauses.ts';
import type { Log, Ports } from './ports.ts';
import type { HeldRecord } from './records.ts';
import type { TickOptions } from './run.ts';
import type { State } from './state.ts';
import { unreachableLease } from './stranded.ts';
import { tendFree } from './tend.ts';
import { tendBlind } from './tend-blind.ts';
import { noteSilence, type Visit } from './visit.ts';

/** How the tick is run, of which stage, which leases are to be given back where, and which nodes are other nodes of the config. */
type Scope = TickOptions & {
  readonly stage: string;
  readonly homes: ReadonlyMap<string, HeldLease>;
  readonly doubles: ReadonlyMap<string, string>;
  readonly brakes: Brakes;
  /** At the nodes of the instance. */
  readonly looks: readonly (Seen | Unseen)[];
};

/** The nodes of one instance, one after the other. `state` is a text where it could not be read. */
export async function tendInstance(
  looks: readonly (Seen | Unseen)[],
  instance: InstanceConfig,
  state: State | string,
  ports: Ports,
  stage: Omit<Scope, 'looks'>,
): Promise<readonly Outcome[]> {
  const options = { ...stage, looks };
  const outcomes: Outcome[] = [];
  const peers = peersOf(instance, options.homes, ports.clock.now());
  let peer = typeof state === 'string' ? undefined : peers[0];
  // What was set aside is given back before anything else is done: its server has come back with our settings on.
  const aside = [...options.homes].flatMap(([node, held]) => (isAside(held) ? [node] : []));
  for (const early of actingOrder(looks, [...aside, ...peers])) {
    const look = await fresh(early, ports, options);
    // Two of them, when instances were merged: the later one ends.
    const isSecond = peers.slice(1).includes(look.node.id) && options.release === undefined;
    const results = await tendNode(
      look,
      state,
      ports,
      isSecond ? { ...options, release: 'peer-acting' } : options,
      peer,
    );
    if (look !== early && 'session' in look) look.session.close();
    const pause = typeof state === 'string' ? undefined : state.pauses.pauseOf(instance, ports.clock.now());
    outcomes.push(...results.map((outcome) => (pause ? { ...outcome, pause } : outcome)));
    // One node of an instance in one tick: what it was good for shows before the next one is touched.
    // One on which it went wrong may still be at it (a purge that was not answered blocks all the same), and is still to come first.
    if (results.some(({ plan, leased, status }) => plan?.kind === 'act' || leased || status === 'failed'))
      peer = look.node.id;
    // Nor does a primary come before a replica that only the rest of the stage keeps from its turn.
    else if (results.some(({ plan }) => waitsForStage(plan))) peer ??= look.node.id;
  }
  return outcomes;
}

/** What was seen longer ago than this is not what will be acted on. */
const STALE: Milliseconds = 2 * SECOND;

/**
 * Whoever has waited for a turn is looked at anew: a look before a purge takes twelve seconds, and servers hang up on clients that are
 * silent for their `timeout`.
 */
async function fresh(look: Seen | Unseen, { open, clock }: Ports, { homes, remaining }: Scope): Promise<Seen | Unseen> {
  if ('problem' in look) return look;
  const { at, monotonic } = look.observation;
  const now = clock.elapsed?.();
  const age = now === undefined || monotonic === undefined ? clock.now() - at : now - monotonic;
  // Of a clock that was set back, nothing is known.
  if (age >= 0 && age <= STALE) return look;
  // Without time nothing is begun: what was seen is all that is told.
  if (remaining() <= 0 && !homes.has(look.node.id)) return look;
  look.session.close();
  return await lookAt(open, look.instance, look.node);
}

/**
 * Nodes on which leases of this instance stand, the oldest first: those on its nodes, whatever it was called when they were taken, and the
 * one under its name, wherever its node is now; but for those that nobody can give back and whose time is over.
 */
function peersOf({ id, nodes }: InstanceConfig, homes: Scope['homes'], now: number): readonly string[] {
  const isPeer = (node: string, { lease }: HeldLease) => lease.instance === id || nodes.some((one) => one.id === node);
  return [...homes]
    .filter(([node, held]) => isPeer(node, held) && !isAside(held) && !isOverdue(held.lease, now))
    .toSorted(([, a], [, b]) => a.lease.acquiredAt - b.lease.acquiredAt)
    .map(([node]) => node);
}

async function tendNode(
  look: Seen | Unseen,
  state: State | string,
  ports: Ports,
  options: Scope,
  acting: string | undefined,
): Promise<readonly Outcome[]> {
  const leased = options.homes.has(look.node.id);
  try {
    if ('problem' in look) return [await tendUnseen(look, state, ports, options)];
    // Whoever asks for a lease back wants nothing begun, on a node whose lease has ended in the meantime least of all.
    if (options.mode === 'watch' || (options.release !== undefined && !leased)) return [watched(look, state, options)];
    return await tendSeen(look, state, ports, options, acting);
  } catch (error) {
    const held = options.homes.get(look.node.id);
    if (held && options.mode === 'act')
      await noteSilence({ ports, ...options, instance: look.instance, node: look.node.id }, held.lease, error);
    return [untended(look, error, leased, ports.log)];
  }
}

/** A node on which something went wrong, with what was seen of it. */
export function untended(look: Seen | Unseen, error: unknown, leased: boolean, log: Log): Outcome {
  const name = { instance: look.instance.id, node: look.node.id };
  const problem = problemOf(error);
  if (!problem.expected) log.error('unexpected failure', { ...name, error });
  const status = error instanceof NodeFailure ? 'unreachable' : 'failed';
  const seen = 'observation' in look && { observation: look.observation };
  return { ...name, status, problem, leased, ...seen, notices: [] };
}

async function tendUnseen(look: Unseen, state: State | string, ports: Ports, options: Scope): Promise<Outcome> {
  const { instance, node, problem } = look;
  const held = options.homes.get(node.id);
  const unseen = {
    instance: instance.id,
    node: node.id,
    status: problem.expected ? 'unreachable' : 'failed',
    problem,
    leased: held !== undefined,
    notices: [],
  } as const;
  if (!isReached(look)) return { ...unseen, status: 'not-reached' };
  if (!held || options.mode !== 'act' || typeof state === 'string') return unseen;
  return await unreachableLease({ ports, ...options, instance }, held, unseen);
}

async function tendSeen(
  look: Seen,
  state: State | string,
  ports: Ports,
  options: Scope,
  acting: string | undefined,
): Promise<readonly Outcome[]> {
  const visit = visitOf(look, state, ports, options);
  const { observation, node } = look;
  const held = options.homes.get(node.id);
  if (typeof state === 'string') {
    const isBlind = held !== undefined && options.mode === 'act';
    return [
      isBlind ? await tendBlind(visit, observation, held, state, options.release) : watched(look, state, options),
    ];
  }
  if (held) {
    // A history follows its server; of one that does not answer as itself, it is where the lease was taken.
    const isItself = observation.runId === held.lease.runId;
    const memory = state.memoryOf(isItself ? node.id : held.lease.node);
    // Most ticks find no lease: what ends one is loaded when it is needed.
    const { tendLeased } = await import('./tend-leased.ts');
    return await tendLeased(visit, observation, memory, held, options.release);
  }
  const memory = state.memoryOf(node.id);
  return [await tendFree(visit, observation, memory, acting === node.id ? undefined : acting)];
}

function watched({ instance, node, observation }: Seen, state: State | string, scope: Scope): Outcome {
  const known = typeof state === 'string' ? undefined : memoryFor(observation, state.memoryOf(node.id));
  const isDefragging = scope.homes.has(node.id) && scope.homes.get(node.id)?.lease.phase !== 'purging';
  return {
    instance: instance.id,
    node: node.id,
    status: 'observed',
    observation,
    diagnosis: diagnose(observation, instance, known?.learned, known),
    ...(scope.mode !== 'watch' && typeof state === 'string' && { plan: { kind: 'skip', reason: 'state-unavailable' } }),
    ...(isDefragging && { leased: true }),
    notices: scope.mode === 'watch' ? watchNotices(observation, node.id, state, scope) : [],
  };
}

/** What a plan would say: without one, `offpeak check` has to. Without the state, a defrag may be anyone's. */
function watchNotices(observation: Observation, node: string, state: State | string, scope: Scope): readonly Notice[] {
  const double = scope.doubles.get(node);
  if (double !== undefined) return [{ kind: 'same-server', as: double }];
  const isForeign = typeof state !== 'string' && isActiveDefragOn(observation) && !scope.homes.has(node);
  return isForeign ? [{ kind: 'foreign-defrag' }] : [];
}

function visitOf(
  { instance, node, session, observation }: Seen,
  state: State | string,
  ports: Ports,
  options: Scope,
): Visit {
  const isKnown = typeof state !== 'string';
  const obstacle = isKnown ? state.obstacle(instance.id, node.id) : state;
  const fallen = isKnown ? fallenPeer(instance, node.id, state) : undefined;
  const record = isKnown ? recordFor(node.id, observation.runId, state) : undefined;
  const doubleOf = options.doubles.get(node.id);
  return {
    ports,
    stage: options.stage,
    holder: options.holder,
    instance,
    node: node.id,
    session,
    ...(obstacle !== undefined && { obstacle }),
    ...(fallen && { fallen }),
    ...(record && { record }),
    ...(doubleOf !== undefined && { doubleOf }),
    peers: othersOf(node.id, options),
    brakes: options.brakes,
    pauses: isKnown ? state.pauses : NO_PAUSES,
    remaining: options.remaining,
    ...(options.attended && { attended: options.attended }),
    dryRun: options.mode === 'plan',
    interrupted: options.interrupted ?? (() => false),
  };
}

/** Of this process, wherever it was then; else of its address. */
function recordFor(node: string, runId: string | undefined, { records }: State): HeldRecord | undefined {
  return records.find(({ record }) => record.runId === runId) ?? records.find(({ record }) => record.node === node);
}

function othersOf(own: string, { looks, doubles }: Scope): readonly Peer[] {
  return looks
    .filter(({ node }) => node.id !== own)
    .map((look) => ({
      node: look.node.id,
      ...('observation' in look && { replication: look.observation.replication }),
      ...(doubles.has(look.node.id) && { isDouble: true }),
    }));
}

/** The peer that fell last. The node's own fall is another rule: it is denied for longer, and for its version only. */
function fallenPeer({ nodes }: InstanceConfig, own: string, state: State): Visit['fallen'] {
  return nodes
    .flatMap(({ id: node }) => {
      const { crashed } = state.memoryOf(node);
      return node === own || crashed === undefined ? [] : [{ node, at: crashed.at }];
    })
    .toSorted((a, b) => b.at - a.at)[0];
}
