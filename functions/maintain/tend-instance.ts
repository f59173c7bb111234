import type { InstanceConfig } from '../shared/config/schema.ts';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import type { Brakes } from './brakes.ts';
import { diagnose } from './decide/diagnose.ts';
import { memoryFor } from './decide/lease.ts';
import type { Outcome } from './decide/outcome.ts';
import type { Peer } from './decide/replication-guards.ts';
import { actingOrder, waitsForStage } from './decide/turns.ts';
import { type HeldLease, isAside } from './leases.ts';
import { lookAt, problemOf, type Seen, type Unseen } from './look.ts';
import { NO_PAUSES } from './pauses.ts';
import type { Ports } from './ports.ts';
import type { TickOptions } from './run.ts';
import type { State } from './state.ts';
import { isOverdue, unreachableLease } from './stranded.ts';
import { tendFree } from './tend.ts';
import { tendBlind } from './tend-blind.ts';
import { noteSilence, type Visit } from './visit.ts';

/** How the tick is run, of which stage, and which leases are to be given back where. */
type Scope = TickOptions & {
  readonly stage: string;
  readonly homes: ReadonlyMap<string, HeldLease>;
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
  let peer = peerOf(instance, state, options.homes, ports.clock.now());
  // What was set aside is given back before anything else is done: its server has come back with our settings on.
  const aside = [...options.homes].flatMap(([node, held]) => (isAside(held) ? [node] : []));
  for (const early of actingOrder(looks, peer === undefined ? aside : [...aside, peer])) {
    const look = await fresh(early, ports);
    const results = await tendNode(look, state, ports, options, peer);
    if (look !== early && 'session' in look) look.session.close();
    const pause = typeof state === 'string' ? undefined : state.pauses.pauseOf(instance.id, ports.clock.now());
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
async function fresh(look: Seen | Unseen, { open, clock }: Ports): Promise<Seen | Unseen> {
  if ('problem' in look || clock.now() - look.observation.at <= STALE) return look;
  look.session.close();
  return await lookAt(open, look.instance, look.node);
}

/** The node of this instance on which its lease stands, unless nobody can give it back and its time is over. */
function peerOf(
  instance: InstanceConfig,
  state: State | string,
  homes: Scope['homes'],
  now: number,
): string | undefined {
  const held = typeof state === 'string' ? undefined : state.leases.get(instance.id);
  if (!held || isOverdue(held.lease, now)) return undefined;
  return [...homes].find(([, one]) => one === held)?.[0];
}

async function tendNode(
  look: Seen | Unseen,
  state: State | string,
  ports: Ports,
  options: Scope,
  acting: string | undefined,
): Promise<readonly Outcome[]> {
  if ('problem' in look) return [await tendUnseen(look, state, ports, options)];
  const leased = options.homes.has(look.node.id);
  // Whoever asks for a lease back wants nothing begun, on a node whose lease has ended in the meantime least of all.
  if (options.mode === 'watch' || (options.release !== undefined && !leased)) return [watched(look, state, options)];
  try {
    return await tendSeen(look, state, ports, options, acting);
  } catch (error) {
    const name = { instance: look.instance.id, node: look.node.id };
    const problem = problemOf(error);
    if (!problem.expected) ports.log.error('unexpected failure', { ...name, error });
    const held = options.homes.get(look.node.id);
    if (held && options.mode === 'act')
      await noteSilence({ ports, ...options, instance: look.instance, node: look.node.id }, held.lease, error);
    const status = error instanceof NodeFailure ? 'unreachable' : 'failed';
    return [{ ...name, status, problem, leased, observation: look.observation, notices: [] }];
  }
}

async function tendUnseen({ instance, node, problem }: Unseen, state: State | string, ports: Ports, options: Scope) {
  const held = options.homes.get(node.id);
  const unseen: Outcome = {
    instance: instance.id,
    node: node.id,
    status: problem.expected ? 'unreachable' : 'failed',
    problem,
    leased: held !== undefined,
    notices: [],
  };
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
    // Under the name that the node had when the lease was taken.
    const memory = state.memoryOf(held.lease.instance, held.lease.node);
    // Most ticks find no lease: what ends one is loaded when it is needed.
    const { tendLeased } = await import('./tend-leased.ts');
    return await tendLeased(visit, observation, memory, held, options.release);
  }
  const memory = state.memoryOf(visit.instance.id, node.id);
  return [await tendFree(visit, observation, memory, acting === node.id ? undefined : acting)];
}

function watched({ instance, node, observation }: Seen, state: State | string, { mode }: Scope): Outcome {
  const known = typeof state === 'string' ? undefined : memoryFor(observation, state.memoryOf(instance.id, node.id));
  return {
    instance: instance.id,
    node: node.id,
    status: 'observed',
    observation,
    diagnosis: diagnose(observation, instance, known?.learned, known),
    ...(mode !== 'watch' && typeof state === 'string' && { plan: { kind: 'skip', reason: 'state-unavailable' } }),
    notices: [],
  };
}

function visitOf({ instance, node, session }: Seen, state: State | string, ports: Ports, options: Scope): Visit {
  const isKnown = typeof state !== 'string';
  const obstacle = isKnown ? state.obstacle(instance.id, node.id) : state;
  const fallen = isKnown ? fallenPeer(instance, node.id, state) : undefined;
  return {
    ports,
    stage: options.stage,
    holder: options.holder,
    instance,
    node: node.id,
    session,
    ...(obstacle !== undefined && { obstacle }),
    ...(fallen && { fallen }),
    peers: peersOf(node.id, options.looks),
    brakes: options.brakes,
    pauses: isKnown ? state.pauses : NO_PAUSES,
    remaining: options.remaining,
    ...(options.attended && { attended: options.attended }),
    dryRun: options.mode === 'plan',
    interrupted: options.interrupted ?? (() => false),
  };
}

function peersOf(own: string, looks: Scope['looks']): readonly Peer[] {
  return looks
    .filter(({ node }) => node.id !== own)
    .map((look) => ({
      node: look.node.id,
      ...('observation' in look && { replication: look.observation.replication }),
    }));
}

/** The peer that fell last. The node's own fall is another rule: it is denied for longer, and for its version only. */
function fallenPeer({ id, nodes }: InstanceConfig, own: string, state: State): Visit['fallen'] {
  return nodes
    .flatMap(({ id: node }) => {
      const { crashed } = state.memoryOf(id, node);
      return node === own || crashed === undefined ? [] : [{ node, at: crashed.at }];
    })
    .toSorted((a, b) => b.at - a.at)[0];
}
