import pLimit from 'p-limit';
import type { Config } from '../shared/config/schema.ts';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { DIMENSION, JOB_METRICS, type Metric } from '../shared/contracts/metrics.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import type { Outcome } from './decide/outcome.ts';
import type { StopReason } from './decide/plan.ts';
import { report } from './decide/report.ts';
import { isIdle } from './decide/turns.ts';
import { lastKnownLeases } from './known-leases.ts';
import { lookAtAll } from './look.ts';
import { dropExpired } from './pauses.ts';
import type { Ports } from './ports.ts';
import { publish } from './publish.ts';
import { readState, type State } from './state.ts';
import { dropUnstarted, homesOf, orphanedLeases } from './stranded.ts';
import { tendInstance } from './tend-instance.ts';

/** How a tick is run; what it is run on is the config, what it is run with are the ports. */
export interface TickOptions {
  /** `watch`: look and diagnose. `plan`: decide as well, look twice where it matters. `act`: carry it out, and tell. */
  readonly mode: 'watch' | 'plan' | 'act';
  /** This invocation's name in leases. */
  readonly holder: string;
  /** Time left to the invocation. */
  readonly remaining: () => Milliseconds;
  /** For how long a defrag that is started now can be looked after; without it, until its window closes. */
  readonly attended?: () => Milliseconds;
  readonly interrupted?: () => boolean;
  /** Give every lease back, whatever speaks for carrying on. */
  readonly release?: StopReason;
  /** Only these nodes; all by default. */
  readonly only?: readonly NodeName[];
  /** `only` names every node that we hold a lease on: what is left of them is all that is held. */
  readonly follows?: boolean;
}

export interface NodeName {
  readonly instance: string;
  readonly node: string;
}

export interface Tick {
  readonly at: number;
  readonly stage: string;
  readonly outcomes: readonly Outcome[];
  /** Nodes on which our lease stands after this tick. */
  readonly leased: readonly NodeName[];
  /** Nothing is under way, and nothing is left to do that another tick soon could do. */
  readonly idle: boolean;
  /** Why the state could not be read: nothing was planned. */
  readonly problem?: string;
  /** Metrics and alerts that could not be delivered. */
  readonly undelivered: number;
}

/** Tending is mostly waiting; what is done at once is bounded by the sockets that are open anyway. */
const INSTANCES_AT_ONCE = 64;

/** What `remaining` keeps back suffices for so much of telling, and then for the time-outs of a dead endpoint. */
const LATE: Milliseconds = 3 * SECOND;

/**
 * One tick: looks at every node first, so that no node's trouble and no node's cure keeps another from being seen; then
 * tends each instance, one node at a time; then tells.
 */
export async function tick(config: Config, ports: Ports, options: TickOptions): Promise<Tick> {
  const at = ports.clock.now();
  const isChosen = (node: string) => options.only?.some((name) => name.node === node) ?? true;
  // In this order: a look that is older than the lease would take what another job has just switched on for switched off.
  const state = await stateOrProblem(ports);
  const looks = await lookAtAll(config, ports, isChosen);
  const homes = homesOf(typeof state === 'string' ? lastKnownLeases(ports.store) : state, looks);
  try {
    const limit = pLimit(INSTANCES_AT_ONCE);
    const tended = await Promise.all(
      config.instances.map((instance) =>
        limit(() =>
          tendInstance(
            looks.filter((look) => look.instance === instance),
            instance,
            state,
            ports,
            { ...options, stage: config.stage, homes },
          ),
        ),
      ),
    );
    if (options.mode === 'act' && typeof state !== 'string') {
      await dropExpired(ports.store, state.pauses, at, ports.log);
      await dropUnstarted(ports, state, homes, looks);
    }
    const orphans =
      typeof state === 'string' ? [] : await orphanedLeases(config, { state, homes }, ports, options.mode);
    return await conclude(config, ports, options, { at, outcomes: [...tended.flat(), ...orphans], state });
  } finally {
    for (const look of looks) if ('session' in look) look.session.close();
  }
}

/** Published first, judged afterwards: a failed run has told what it saw. */
async function conclude(
  config: Config,
  ports: Ports,
  { mode, holder, only, follows, remaining }: TickOptions,
  {
    at,
    outcomes,
    state,
  }: { readonly at: number; readonly outcomes: readonly Outcome[]; readonly state: State | string },
): Promise<Tick> {
  const { stage, instances } = config;
  const problem = typeof state === 'string' ? { why: state } : undefined;
  const finishedAt = ports.clock.now();
  const { metrics, alerts } = report({
    stage,
    startedAt: at,
    finishedAt,
    outcomes,
    instances,
    ...(problem && { problem }),
  });
  // A tick of some nodes says nothing about the job as a whole, but for the leases when it was those.
  const isSayable = ({ name, dimensions }: Metric) =>
    !only || DIMENSION.node in dimensions || (follows === true && name === JOB_METRICS.leasesHeld.name);
  const sayable = metrics.filter(isSayable);
  const hasTime = () => remaining() > -LATE;
  const undelivered =
    mode === 'act'
      ? await publish(ports, { holder, outcomes, metrics: sayable, alerts, isBlind: problem !== undefined, hasTime })
      : 0;
  const leased = outcomes.filter((outcome) => outcome.leased).map(({ instance, node }) => ({ instance, node }));
  const idle = leased.length === 0 && outcomes.every(isIdle);
  return { at, stage, outcomes, leased, idle, undelivered, ...(problem && { problem: problem.why }) };
}

/** Whatever keeps the state from being read keeps the job from acting, never from looking and telling. */
async function stateOrProblem({ store, log }: Ports): Promise<State | string> {
  try {
    return await readState(store);
  } catch (error) {
    if (!(error instanceof StateUnavailable)) log.error('unexpected failure of the state store', { error });
    return error instanceof Error ? error.message : String(error);
  }
}
