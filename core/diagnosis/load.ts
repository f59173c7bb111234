import { type Milliseconds, type Percent, SECOND } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';

/**
 * Within a shorter time, two observations measure the clock and not the traffic. The same holds for CPU time: Redis 4 prints it in hundredths
 * of a second, and some kernels count in ticks of 10 ms. Two counters, user and system, are then up to 20 ms off: 4 % of this interval,
 * which only occurs during a run (`DEFRAG_MARGIN` covers it), and 1 % of the two seconds that always pass before a start.
 */
const SHORTEST_INTERVAL: Milliseconds = 500;

/** Counters of an earlier observation, with which a rate is measured. */
export interface LoadCounters {
  readonly at: number;
  /** Only of an observation of this process: stored ones have none. */
  readonly monotonic?: Milliseconds;
  readonly commands?: number;
  /** How many of those the *same* connection had sent; for an earlier connection see `OTHER_CONNECTION`. */
  readonly own: number;
  readonly cpuSeconds?: number;
  /** Offpeak's own active defrag has run since then, and may have taken this much of the main thread. */
  readonly ownDefrag?: Percent;
}

/**
 * `own` for counters of a connection that has closed since: all of its commands came before, except the INFO stats itself, which is counted
 * after it has answered.
 */
export const OTHER_CONNECTION = -1;

/**
 * Commands per second of all other clients since `earlier`. `instantaneous_ops_per_sec` counts Offpeak's own commands, too, and on a quiet
 * server they are most of it. Undefined where it cannot be measured: not reported, counters reset, too little time between.
 */
export function commandsPerSecond(observation: Observation, earlier: LoadCounters): number | undefined {
  const { totalCommandsProcessed: total, ownCommands } = observation.activity;
  const elapsed = elapsedSince(observation, earlier);
  if (total === undefined || earlier.commands === undefined) return undefined;
  if (total < earlier.commands || elapsed < SHORTEST_INTERVAL) return undefined;
  const others = total - earlier.commands - (ownCommands - earlier.own);
  return Math.max(0, others) / (elapsed / SECOND);
}

/**
 * The share of one processor that the main thread has used since `earlier`; before Redis 6.2, which does not report it apart, the
 * whole process with its background and I/O threads. Forked children are left out (`used_cpu_*_children`). Offpeak's own commands are in it: 1 ms
 * or so. Undefined where it cannot be measured: not reported, too little time between, or a counter that went back (a restart).
 */
export function mainThreadCpu(observation: Observation, earlier: LoadCounters): Percent | undefined {
  const { cpuSeconds } = observation.activity;
  const elapsed = elapsedSince(observation, earlier);
  if (cpuSeconds === undefined || earlier.cpuSeconds === undefined) return undefined;
  if (cpuSeconds < earlier.cpuSeconds || elapsed < SHORTEST_INTERVAL) return undefined;
  // A thread has one processor. More comes from the time that the replies took, or from other threads.
  return Math.min(100, ((cpuSeconds - earlier.cpuSeconds) / (elapsed / SECOND)) * 100);
}

/** A clock that is set forward by a minute between two observations would make a busy server seem quiet. */
function elapsedSince({ at, monotonic }: Observation, earlier: LoadCounters): Milliseconds {
  return monotonic === undefined || earlier.monotonic === undefined ? at - earlier.at : monotonic - earlier.monotonic;
}

/** For comparison with a later observation of the same connection. */
export function loadCounters({ at, monotonic, activity }: Observation): LoadCounters {
  const { totalCommandsProcessed: commands, cpuSeconds, ownCommands: own } = activity;
  return {
    at,
    own,
    ...(monotonic !== undefined && { monotonic }),
    ...(commands !== undefined && { commands }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
  };
}
