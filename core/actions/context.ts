import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import { commandsPerSecond, loadCounters, mainThreadCpu } from '../diagnosis/load.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Observed, Outcome, OutcomeParts, Seen } from '../domain/outcome.ts';
import type { Pauses } from '../domain/pause.ts';
import type { Facts, Plan } from '../domain/plan.ts';
import { present } from '../domain/present.ts';
import type { Peer } from '../domain/replication.ts';
import type { Group } from '../domain/stage.ts';
import type { WindowState } from '../domain/window.ts';
import { beforeAws } from '../guards/managed.ts';
import { outageOf } from '../guards/stage-limits.ts';
import { windowAt } from '../guards/window.ts';
import type { HeldRecord } from '../leases/records.ts';
import { NodeFailure, type Session } from '../ports/node-session.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { howUnseen } from './outages.ts';
import type { StageClaims } from './stage-claims.ts';

/** One node in one tick: what a step needs to know and to use. */
export interface NodeContext {
  readonly ports: Ports;
  readonly stage: string;
  /** This invocation's name in leases. */
  readonly holder: string;
  readonly instance: InstanceConfig;
  readonly node: string;
  readonly session: Session;
  /** Why nothing may be started here: see `State.obstacle`. */
  readonly obstacle?: string;
  /** What the last leases on this server, or at its address, have set. */
  readonly record?: HeldRecord;
  /** The config names this server twice: the node under which Offpeak acts on it. */
  readonly doubleOf?: string;
  /** See `Facts.fallen`. */
  readonly fallen?: { readonly node: string; readonly at: number };
  /** See `Facts.group`. */
  readonly group?: Group;
  /** See `Facts.peers`. */
  readonly peers?: readonly Peer[];
  /** Of the stage. */
  readonly claims: StageClaims;
  /** As they were when the state was read. */
  readonly pauses: Pauses;
  /** The time that the invocation has left. */
  readonly remaining: () => Milliseconds;
  /** See `TickOptions.attended`. */
  readonly attended?: () => Milliseconds;
  /** See `TickOptions.openUntil`. */
  readonly openUntil?: number;
  /** Plan, but do nothing (`offpeak plan`). */
  readonly dryRun: boolean;
  readonly interrupted: () => boolean;
  /**
   * Puts the alerts of these outcomes into the outbox: before the lease that explains them is dropped. False: not all of them were
   * stored, so that the lease has to stay.
   */
  readonly announce: (outcomes: readonly Outcome[]) => Promise<boolean>;
}

/** What is known of a node, without a connection to it. */
export type KnownContext = Omit<NodeContext, 'session' | 'announce'>;

export interface Recollection {
  readonly memory: NodeHistory;
  readonly earlier?: Observation;
  readonly peer?: string;
  readonly noise?: number;
}

/** The facts of this moment: a fresh clock for every plan. */
export function factsAt(
  context: KnownContext,
  observation: Observation,
  { memory, earlier, peer, noise }: Recollection,
): Facts {
  const { instance, ports, pauses, remaining } = context;
  const now = ports.clock.now();
  return {
    now,
    observation,
    diagnosis: diagnose(observation, instance, memory.learned, memory),
    policy: instance,
    window: beforeAws(windowOf(context, now), instance.found?.managed, now),
    memory,
    remaining: remaining(),
    ...present({ pause: pauses.pauseOf(instance, now), attended: context.attended?.(), earlier, peer, noise }),
    ...present({ fallen: context.fallen, group: context.group, peers: context.peers }),
    stage: context.claims.seen(),
  };
}

function windowOf({ instance, openUntil }: KnownContext, now: number): WindowState {
  if (openUntil !== undefined && now < openUntil) return { open: true, opensAt: now, closesAt: openUntil };
  if (instance.timezone === undefined) return { open: false, nextOpening: undefined };
  return windowAt(instance.windows, instance.timezone, now, instance.holidays);
}

/** The same facts after something was learned of the server: what is said has to know it, too. */
export function rediagnosed(facts: Facts): Facts {
  const { observation, policy, memory } = facts;
  return { ...facts, diagnosis: diagnose(observation, policy, memory.learned, memory) };
}

/**
 * Offpeak's defrag is on there, and the server has just not answered, or with an error: no other server of its version is started before a
 * check of it succeeds. What cannot be stored holds for this tick, and the next one finds the lease and no answer.
 */
export async function noteUnseen(
  { ports, claims, instance, node }: Pick<NodeContext, 'ports' | 'claims' | 'instance' | 'node'>,
  lease: Lease,
  error: unknown,
): Promise<void> {
  if (!(error instanceof NodeFailure)) return;
  const noted = claims.note([outageOf(lease, howUnseen(error), ports.clock.now())]);
  await unlessUnavailable(noted, (why) =>
    ports.log.warn('a fall not noted', { instance: instance.id, node, error: why }),
  );
}

/** Servers hang up on clients that are idle for longer than their `timeout`, which may be a few seconds. */
const KEEP_ALIVE: Milliseconds = 2 * SECOND;

/** A wait before something is done: ends early when the run is interrupted. */
export async function waitInterruptible(context: NodeContext, duration: Milliseconds): Promise<void> {
  await waitAwake(context, duration, (left) => (context.interrupted() ? undefined : context.ports.clock.pause(left)));
}

/** A wait for what has to settle. Ctrl-C does not end it. */
export async function waitKeepingAlive(context: NodeContext, duration: Milliseconds): Promise<void> {
  await waitAwake(context, duration, (left) => context.ports.clock.sleep(left));
}

/** Counts down and asks no clock: one that is set back by an hour would make twelve seconds an hour. */
async function waitAwake(
  { session }: NodeContext,
  duration: Milliseconds,
  wait: (left: Milliseconds) => Promise<void> | undefined,
): Promise<void> {
  for (let left = duration; left > 0; left -= KEEP_ALIVE) {
    const waited = wait(Math.min(left, KEEP_ALIVE));
    if (waited === undefined) return;
    await waited;
    if (left > KEEP_ALIVE) await session.keepAlive();
  }
}

/** What an observation says, by all that is known of the node. */
export function seenBy(
  { instance }: Pick<NodeContext, 'instance'>,
  observation: Observation,
  memory: NodeHistory,
): Seen {
  return { observation, diagnosis: diagnose(observation, instance, memory.learned, memory) };
}

/** The part of an outcome that comes from the observation behind its plan. */
export function partsOf({ instance, node }: NodeContext, { observation, diagnosis, earlier }: Facts): OutcomeParts {
  const since = earlier && loadCounters(earlier);
  return {
    instance: instance.id,
    node,
    before: { observation, diagnosis },
    leased: false,
    notices: [],
    ...(since && present({ opsPerSecond: commandsPerSecond(observation, since) })),
    ...(since && present({ mainThreadCpu: mainThreadCpu(observation, since) })),
  };
}

/** Nothing was done: what was planned, and what has to be said besides. */
export function outcomeOf<P extends Plan>(
  context: NodeContext,
  facts: Facts,
  plan: P,
  extras: Partial<Pick<Observed, 'leased' | 'notices'>> = {},
): Observed & { readonly plan: P } {
  return { ...partsOf(context, facts), kind: 'observed', plan, ...extras };
}

/** `leased`: Offpeak's settings may be on there, so that the node is checked again soon. */
export function peerActing(
  context: NodeContext,
  facts: Facts,
  { holder, busyUntil }: Lease,
  leased: boolean,
): Observed {
  const blockers = [{ kind: 'peer-acting', peer: holder }] as const;
  return outcomeOf(context, facts, { kind: 'skip', reason: 'peer-acting', blockers, until: busyUntil }, { leased });
}
