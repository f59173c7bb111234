import type { InstanceConfig } from '../shared/config/schema.ts';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import { type Brakes, isSilence } from './brakes.ts';
import { fallOf } from './decide/brakes.ts';
import { diagnose } from './decide/diagnose.ts';
import type { Lease, NodeHistory } from './decide/lease.ts';
import { commandsPerSecond, loadCounters, mainThreadCpu } from './decide/load.ts';
import type { Observation, Settings } from './decide/observation.ts';
import type { Notice, Outcome, Problem } from './decide/outcome.ts';
import type { Plan, Situation } from './decide/plan.ts';
import type { Peer } from './decide/replication-guards.ts';
import { report } from './decide/report.ts';
import type { Verdict } from './decide/verify.ts';
import { windowAt } from './decide/window.ts';
import { entrust } from './outbox.ts';
import type { Pauses } from './pauses.ts';
import type { Ports, Session } from './ports.ts';
import type { HeldRecord } from './records.ts';

/** One node in one tick: what a step needs to know and to use. */
export interface Visit {
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
  /** The node as which this server is tended: the config names it twice. */
  readonly doubleOf?: string;
  /** See `Situation.fallen`. */
  readonly fallen?: { readonly node: string; readonly at: number };
  /** See `Situation.peers`. */
  readonly peers?: readonly Peer[];
  /** Of the stage. */
  readonly brakes: Brakes;
  /** As they were when the state was read. */
  readonly pauses: Pauses;
  /** Time left to the invocation. */
  readonly remaining: () => Milliseconds;
  /** See `TickOptions.attended`. */
  readonly attended?: () => Milliseconds;
  /** Plan, but do nothing (`offpeak plan`). */
  readonly dryRun: boolean;
  readonly interrupted: () => boolean;
}

export interface Context {
  readonly memory: NodeHistory;
  readonly earlier?: Observation;
  readonly peer?: string;
  readonly noise?: number;
}

/** The facts of this moment: a fresh clock for every plan. */
export function situation(
  visit: Visit,
  observation: Observation,
  { memory, earlier, peer, noise }: Context,
): Situation {
  const { instance, ports, pauses, remaining } = visit;
  const now = ports.clock.now();
  const pause = pauses.pauseOf(instance, now);
  return {
    now,
    observation,
    diagnosis: diagnose(observation, instance, memory.learned, memory),
    policy: instance,
    window:
      instance.timezone === undefined
        ? { open: false, nextOpening: undefined }
        : windowAt(instance.windows, instance.timezone, now, instance.holidays),
    ...(pause && { pause }),
    memory,
    remaining: remaining(),
    ...(visit.attended && { attended: visit.attended() }),
    ...(earlier && { earlier }),
    ...(peer !== undefined && { peer }),
    ...(noise !== undefined && { noise }),
    ...(visit.fallen && { fallen: visit.fallen }),
    ...(visit.peers && { peers: visit.peers }),
    brakes: visit.brakes.seen(),
  };
}

/** The same facts after something was learned of the server: what is said has to know it, too. */
export function rediagnosed(facts: Situation): Situation {
  const { observation, policy, memory } = facts;
  return { ...facts, diagnosis: diagnose(observation, policy, memory.learned, memory) };
}

/**
 * Where our defrag is on and the server has just not answered: no other of its version is started before it does. What cannot be
 * stored holds for this tick, and the next one finds the lease and no answer.
 */
export async function noteSilence(
  { ports, brakes, instance, node }: Pick<Visit, 'ports' | 'brakes' | 'instance' | 'node'>,
  lease: Lease,
  error: unknown,
): Promise<void> {
  if (!(error instanceof NodeFailure) || !isSilence(error)) return;
  await brakes.note([fallOf(lease, 'silent', ports.clock.now())]).catch((failure: unknown) => {
    if (!(failure instanceof StateUnavailable)) throw failure;
    ports.log.warn('a fall not noted', { instance: instance.id, node, error: failure.message });
  });
}

/** Servers hang up on clients that are idle for longer than their `timeout`, which may be a few seconds. */
const KEEP_ALIVE: Milliseconds = 2 * SECOND;

/** A wait before something is done: ends early when the run is interrupted. */
export async function linger(visit: Visit, duration: Milliseconds): Promise<void> {
  await waitAwake(visit, duration, (left) => (visit.interrupted() ? undefined : visit.ports.clock.pause(left)));
}

/** A wait for what has to settle, whoever presses Ctrl-C. */
export async function sleepAwake(visit: Visit, duration: Milliseconds): Promise<void> {
  await waitAwake(visit, duration, (left) => visit.ports.clock.sleep(left));
}

/** Counts down and asks no clock: one that is set back by an hour would make twelve seconds an hour. */
async function waitAwake(
  { session }: Visit,
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

interface Extras {
  readonly status?: Outcome['status'];
  readonly notices?: readonly Notice[];
  readonly verdict?: Verdict;
  readonly problem?: Problem;
  readonly leased?: boolean;
  readonly settings?: Settings;
  readonly leftOn?: Settings;
  readonly episode?: number;
  /** The look before the action, where the action's own work would show as the server's. */
  readonly idleAt?: Observation;
}

/** What came of one plan. */
export function outcomeOf(
  visit: Visit,
  { observation, diagnosis, earlier }: Situation,
  plan: Plan,
  { idleAt = observation, ...extras }: Extras = {},
): Outcome {
  const since = earlier && loadCounters(earlier);
  const opsPerSecond = since && commandsPerSecond(observation, since);
  const cpu = since && mainThreadCpu(idleAt, since);
  return {
    instance: visit.instance.id,
    node: visit.node,
    status: plan.kind === 'act' ? 'acted' : 'observed',
    observation,
    diagnosis,
    plan,
    notices: [],
    ...(opsPerSecond !== undefined && { opsPerSecond }),
    ...(cpu !== undefined && { mainThreadCpu: cpu }),
    ...extras,
  };
}

/**
 * Into the outbox with what these outcomes tell: before the lease that explains them is dropped. False: not all of it was kept, so that
 * the lease has to stay.
 */
export async function entrustOutcomes(
  { ports, stage, holder, instance }: Pick<Visit, 'ports' | 'stage' | 'holder' | 'instance'>,
  outcomes: readonly Outcome[],
): Promise<boolean> {
  const at = ports.clock.now();
  const { alerts } = report({ stage, startedAt: at, finishedAt: at, outcomes, instances: [instance] });
  return (await entrust(ports, holder, alerts)).length === 0;
}
