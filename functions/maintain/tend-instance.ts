import type { InstanceConfig } from '../shared/config/schema.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import { diagnose } from './decide/diagnose.ts';
import { memoryFor } from './decide/lease.ts';
import type { Outcome } from './decide/outcome.ts';
import { actingOrder } from './decide/turns.ts';
import { problemOf, type Seen, type Unseen } from './look.ts';
import type { Ports } from './ports.ts';
import type { TickOptions } from './run.ts';
import type { HeldLease, State } from './state.ts';
import { isOverdue } from './stranded.ts';
import { tendFree } from './tend.ts';
import { tendLeased } from './tend-leased.ts';
import type { Visit } from './visit.ts';

/** How the tick is run, of which stage, and which leases are to be given back where. */
type Scope = TickOptions & { readonly stage: string; readonly homes: ReadonlyMap<string, HeldLease> };

/** The nodes of one instance, one after the other. `state` is a text where it could not be read. */
export async function tendInstance(
  looks: readonly (Seen | Unseen)[],
  instance: InstanceConfig,
  state: State | string,
  ports: Ports,
  options: Scope,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let peer = peerOf(instance, state, options.homes, ports.clock.now());
  for (const look of actingOrder(looks, peer)) {
    const results = await tendNode(look, state, ports, options, peer);
    const pause = typeof state === 'string' ? undefined : state.pauses.pauseOf(instance.id, ports.clock.now());
    outcomes.push(...results.map((outcome) => (pause ? { ...outcome, pause } : outcome)));
    // One node of an instance in one tick: what it was good for shows before the next one is touched.
    if (results.some(({ status, leased }) => status === 'acted' || leased)) peer = look.node.id;
  }
  return outcomes;
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
  const name = { instance: look.instance.id, node: look.node.id };
  const held = options.homes.get(name.node);
  const leased = held !== undefined;
  if ('problem' in look) {
    const { problem } = look;
    return [{ ...name, status: problem.expected ? 'unreachable' : 'failed', problem, leased, notices: [] }];
  }
  // Whoever asks for a lease back wants nothing begun, on a node whose lease has ended in the meantime least of all.
  const isWatched = options.mode === 'watch' || (options.release !== undefined && !leased);
  if (isWatched || typeof state === 'string') return [watched(look, state, options)];
  try {
    const visit = visitOf(look, state, ports, options);
    if (held) {
      // Under the name that the node had when the lease was taken.
      const memory = state.memoryOf(held.lease.instance, held.lease.node);
      return await tendLeased(visit, look.observation, memory, held, options.release);
    }
    const memory = state.memoryOf(name.instance, name.node);
    return [await tendFree(visit, look.observation, memory, acting === name.node ? undefined : acting)];
  } catch (error) {
    const problem = problemOf(error);
    if (!problem.expected) ports.log.error('unexpected failure', { ...name, error });
    const status = error instanceof NodeFailure ? 'unreachable' : 'failed';
    return [{ ...name, status, problem, leased, observation: look.observation, notices: [] }];
  }
}

function watched({ instance, node, observation }: Seen, state: State | string, { mode }: Scope): Outcome {
  const learned =
    typeof state === 'string' ? undefined : memoryFor(observation, state.memoryOf(instance.id, node.id)).learned;
  return {
    instance: instance.id,
    node: node.id,
    status: 'observed',
    observation,
    diagnosis: diagnose(observation, instance, learned),
    ...(mode !== 'watch' && typeof state === 'string' && { plan: { kind: 'skip', reason: 'state-unavailable' } }),
    notices: [],
  };
}

function visitOf({ instance, node, session }: Seen, state: State, ports: Ports, options: Scope): Visit {
  const obstacle = state.obstacle(instance.id, node.id);
  const fallen = fallenPeer(instance, node.id, state);
  return {
    ports,
    stage: options.stage,
    holder: options.holder,
    instance,
    node: node.id,
    session,
    ...(obstacle !== undefined && { obstacle }),
    ...(fallen && { fallen }),
    pauses: state.pauses,
    remaining: options.remaining,
    dryRun: options.mode === 'plan',
    interrupted: options.interrupted ?? (() => false),
  };
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
