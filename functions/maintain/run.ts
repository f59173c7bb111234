import pLimit from 'p-limit';
import type { Config, InstanceConfig } from '../shared/config/schema.ts';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { DIMENSION, JOB_METRICS, type Metric } from '../shared/contracts/metrics.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import { type Brakes, brakesOf, type Known } from './brakes.ts';
import { lookTime } from './decide/looking.ts';
import type { Outcome } from './decide/outcome.ts';
import type { StopReason } from './decide/plan.ts';
import { isIdle } from './decide/turns.ts';
import { strayPauseText } from './decide/words-pause.ts';
import { lastKnownLeases } from './known-leases.ts';
import { isLeaseKey } from './leases.ts';
import { doublesOf, lookAtAll, problemOf, runsOf } from './look.ts';
import { dropExpired, noteNodes, strayPauses } from './pauses.ts';
import type { Log, Ports } from './ports.ts';
import { publish } from './publish.ts';
import { followServers, type ReadState, readState, type State } from './state.ts';
import { dropUnstarted, homesOf, orphanedLeases } from './stranded.ts';
import { tellable } from './tellable.ts';
import { tendInstance, untended } from './tend-instance.ts';

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
  /** What somebody should know of the whole, in sentences: pauses of instances that the config does not have. */
  readonly remarks: readonly string[];
  /** Metrics and alerts that could not be delivered. */
  readonly undelivered: number;
  /** What has gone wrong in the job's own bookkeeping; all the rest was done and published. */
  readonly troubles?: readonly string[];
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
  const read = await stateOrProblem(ports);
  const leases = typeof read === 'string' ? lastKnownLeases(ports.store) : read;
  const looks = await lookAtAll(config, ports, isChosen, {
    leased: new Set([...leases.leases.values(), ...leases.aside].map(({ lease }) => lease.node)),
    duration: lookTime(options.remaining()),
  });
  const troubles: string[] = [];
  // A tick of some nodes sees a part of the servers only: it cannot know where the others are.
  const isKept = options.mode === 'act' && options.only === undefined;
  const state = typeof read === 'string' ? read : await followed(read, looks, ports, isKept, troubles);
  const homes = homesOf(leases, looks);
  const doubles = doublesOf(looks, homes);
  const brakes = brakesFor(config, ports, { state, homes, looks });
  try {
    // Before anything is started: what has befallen a server under our defrag holds in this tick already.
    if (options.mode === 'act' && typeof state !== 'string')
      await noted('what has befallen a server', fallsNoted(ports, brakes), troubles, ports.log);
    const limit = pLimit(INSTANCES_AT_ONCE);
    const tended = new Map<string, readonly Outcome[]>();
    const tend = async (instance: InstanceConfig) => {
      const own = looks.filter((look) => look.instance === instance);
      const scope = { ...options, stage: config.stage, homes, doubles, brakes };
      const outcomes = await tendInstance(own, instance, state, ports, scope).catch((error) =>
        own.map((look) => untended(look, error, homes.has(look.node.id), ports.log)),
      );
      tended.set(instance.id, outcomes);
    };
    await Promise.all(leasedFirst(config.instances, homes).map((instance) => limit(() => tend(instance))));
    const orphans: Outcome[] = [];
    if (typeof state !== 'string') {
      const keep = (what: string, work: Promise<unknown>) => noted(what, work, troubles, ports.log);
      if (options.mode === 'act') {
        await keep('expired pauses', dropExpired(ports.store, state.pauses, at, ports.log));
        await keep('nodes of pauses', noteNodes(ports.store, state.pauses, config.instances, ports.log));
        await keep('starts that have never come', dropUnstarted(ports, state, homes, looks));
      }
      const stranded = orphanedLeases(config, { state, homes }, ports, options.mode);
      await keep(
        'leases on nodes that the config no longer names',
        stranded.then((some) => orphans.push(...some)),
      );
    }
    const inOrder = config.instances.flatMap(({ id }) => tended.get(id) ?? []);
    return await conclude(config, ports, options, { at, outcomes: [...inOrder, ...orphans], state, troubles });
  } finally {
    for (const look of looks) if ('session' in look) look.session.close();
  }
}

async function followed(
  read: ReadState,
  looks: Awaited<ReturnType<typeof lookAtAll>>,
  { store, log }: Ports,
  isKept: boolean,
  troubles: string[],
): Promise<State> {
  let state: State = read;
  const work = followServers(read, runsOf(looks), { log, ...(isKept && { store }) });
  await noted(
    'histories of servers that have moved',
    work.then((moved) => {
      state = moved;
    }),
    troubles,
    log,
  );
  return state;
}

/** Bookkeeping that fails is said at once and fails the run in the end: what was seen is published all the same. */
async function noted(what: string, work: Promise<unknown>, troubles: string[], log: Log): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.error('unexpected failure of the bookkeeping', { what, error });
    troubles.push(`${what}: ${problemOf(error).message}`);
  }
}

interface Concluded {
  readonly at: number;
  readonly outcomes: readonly Outcome[];
  readonly state: State | string;
  readonly troubles: readonly string[];
}

function brakesFor(
  { maxDefragsAtOnce: limit }: Config,
  ports: Ports,
  { state, ...seen }: { readonly state: State | string } & Pick<Known, 'homes' | 'looks'>,
): Brakes {
  const { leases = new Map(), aside = [], unreadable = new Map(), brakes } = typeof state === 'string' ? {} : state;
  return brakesOf(ports, {
    ...seen,
    limit,
    // Where it cannot be read nothing is started: see `State.obstacle`.
    document: typeof brakes === 'object' ? brakes : { claims: [], falls: [] },
    leases: [...leases.values(), ...aside],
    unreadable: [...unreadable.keys()].filter(isLeaseKey),
  });
}

/** Leases stand until it is noted. */
async function fallsNoted({ log }: Ports, brakes: Brakes): Promise<void> {
  try {
    await brakes.note([]);
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    log.warn('falls not noted', { error: error.message });
  }
}

/** What is on is given back before anybody else has a turn. */
function leasedFirst(
  instances: readonly InstanceConfig[],
  homes: ReadonlyMap<string, unknown>,
): readonly InstanceConfig[] {
  const isLeased = ({ nodes }: InstanceConfig) => nodes.some(({ id }) => homes.has(id));
  return [...instances.filter(isLeased), ...instances.filter((instance) => !isLeased(instance))];
}

/** Published first, judged afterwards: a failed run has told what it saw. */
async function conclude(
  config: Config,
  ports: Ports,
  { mode, holder, only, follows, remaining }: TickOptions,
  { at, state, troubles, ...seen }: Concluded,
): Promise<Tick> {
  const { stage, instances } = config;
  const problem = typeof state === 'string' ? { why: state } : undefined;
  const finishedAt = ports.clock.now();
  const input = { stage, startedAt: at, finishedAt, instances, outcomes: seen.outcomes };
  const { outcomes, metrics, alerts } = tellable({ ...input, ...(problem && { problem }) }, ports.log);
  // A tick of some nodes says nothing about the job as a whole, but for the leases when it was those.
  const isSayable = ({ name, dimensions }: Metric) =>
    !only || DIMENSION.node in dimensions || (follows === true && name === JOB_METRICS.leasesHeld.name);
  const sayable = metrics.filter(isSayable);
  const hasTime = () => remaining() > -LATE;
  const undelivered =
    mode === 'act'
      ? await publish(ports, { holder, outcomes, metrics: sayable, alerts, isBlind: problem !== undefined, hasTime })
      : 0;
  const remarks = only || typeof state === 'string' ? [] : remarksOf(state, config, at);
  for (const remark of remarks) ports.log.warn(remark);
  const leased = outcomes.filter((outcome) => outcome.leased).map(({ instance, node }) => ({ instance, node }));
  const idle = leased.length === 0 && outcomes.every(isIdle);
  return {
    at,
    stage,
    outcomes,
    leased,
    idle,
    remarks,
    undelivered,
    ...(problem && { problem: problem.why }),
    ...(troubles.length > 0 && { troubles }),
  };
}

function remarksOf({ pauses }: State, { stage, instances, schedule }: Config, now: number): readonly string[] {
  const moment = { timezone: schedule.timezone, now, stage };
  return strayPauses(pauses, instances, now).map(({ scope, pause, covers }) =>
    strayPauseText(scope, pause, covers, moment),
  );
}

/** Whatever keeps the state from being read keeps the job from acting, never from looking and telling. */
async function stateOrProblem({ store, log }: Ports): Promise<ReadState | string> {
  try {
    return await readState(store);
  } catch (error) {
    if (!(error instanceof StateUnavailable)) log.error('unexpected failure of the state store', { error });
    return error instanceof Error ? error.message : String(error);
  }
}
