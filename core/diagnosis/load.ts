import { type Milliseconds, type Percent, SECOND } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';

/**
 * Two looks closer than this measure the clock, not the traffic. The same holds for CPU time: Redis 4 prints it in hundredths of a second,
 * and some kernels count in ticks of 10 ms. Two counters, user and system, are then up to 20 ms off: 4 % of this interval, which only
 * looks at a run may have (`DEFRAG_MARGIN` covers it), and 1 % of the two seconds that always pass before a start.
 */
const SHORTEST_INTERVAL: Milliseconds = 500;

/** What an earlier look has counted, to measure a rate against. */
export interface LoadCounters {
  readonly at: number;
  /** Only of a look of this process: what another one has stored has none. */
  readonly monotonic?: Milliseconds;
  readonly commands?: number;
  /** How many of those the *same* connection had sent; for an earlier connection see `OTHER_CONNECTION`. */
  readonly own: number;
  readonly cpuSeconds?: number;
  /** Our own active defrag has run since, and may have taken this much of the main thread. */
  readonly ownDefrag?: Percent;
}

/**
 * For a count that another connection took, and closed after it: all that it had sent came before, but for the INFO stats that
 * counted, which counts itself afterwards.
 */
export const OTHER_CONNECTION = -1;

/**
 * Commands per second of everybody else since `earlier`. `instantaneous_ops_per_sec` counts our own looks too, and on a quiet
 * server they are most of it. Undefined where it cannot be measured: not reported, counters reset, looks too close.
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
 * whole process with its background and I/O threads. A forked child is not in it (`used_cpu_*_children`). Our own looks are: 1 ms or so.
 * Undefined where it cannot be measured: not reported, looks too close, or a counter that went back (a restart, another process).
 */
export function mainThreadCpu(observation: Observation, earlier: LoadCounters): Percent | undefined {
  const { cpuSeconds } = observation.activity;
  const elapsed = elapsedSince(observation, earlier);
  if (cpuSeconds === undefined || earlier.cpuSeconds === undefined) return undefined;
  if (cpuSeconds < earlier.cpuSeconds || elapsed < SHORTEST_INTERVAL) return undefined;
  // A thread has one processor: more than that is the way of the replies, or threads beside it.
  return Math.min(100, ((cpuSeconds - earlier.cpuSeconds) / (elapsed / SECOND)) * 100);
}

/** A clock that is put forward by a minute between two looks would make a busy server look like a quiet one. */
function elapsedSince({ at, monotonic }: Observation, earlier: LoadCounters): Milliseconds {
  return monotonic === undefined || earlier.monotonic === undefined ? at - earlier.at : monotonic - earlier.monotonic;
}

/** What a later look of the same connection measures against. */
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
