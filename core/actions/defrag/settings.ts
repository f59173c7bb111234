import type { InstanceConfig } from '../../config/schema.ts';
import { MIB, type Milliseconds, type Percent } from '../../config/units.ts';
import type { Engine } from '../../domain/engine.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import { SLICE, SLICE_SETTING, sliceAt } from './ladder.ts';

/**
 * `maxStall` and `maxCpu` turned into Redis' own settings.
 *
 * Before the sliced defraggers (Redis ≤ 7.4, Valkey ≤ 8.0) every serverCron works for `1e6 · cpu / hz / 100` µs in one block
 * (defrag.c activeDefragCycle): the stall is cpu % × 10 / hz milliseconds, and held to the millisecond when measured at hz 10.
 * So a higher `hz` buys a shorter stall for the same work. The highest one also keeps neighbours out: with a CPU hog on each core,
 * 25 % at hz 100 (cycles of 2.5 ms) kept 3.4 % of the requests waiting for more than 5 ms, 25 % at hz 500 (0.5 ms) 0.13 %, for the
 * same work and CPU. A short burst is over before the kernel gives the processor to another process.
 */
export interface DefragPlanSettings {
  /** What CONFIG SET will change; see `inTurns` for servers that take one setting at a time. */
  readonly settings: Settings;
  /** For how long one cycle keeps clients waiting, in ms. */
  readonly stall: Milliseconds;
  /** The share of the main thread, in %, that the run begins with. */
  readonly cpu: Percent;
}

/** CONFIG_MAX_HZ and CONFIG_DEFAULT_HZ (server.h). */
export const MAX_HZ = 500;

const DEFAULT_HZ = 10;

/** Valkey 8.1 looks at its clock after 512 hits (valkey#2421); a hit copies its value: 2 µs, and 2 ns for each byte. */
const HITS_BETWEEN_CLOCKS = 512;

const HIT_MS = 0.002;

const HIT_MS_PER_BYTE = 0.000002;

/** jemalloc's hint asks only for allocations of small bins to be moved. */
const LARGEST_MOVED = 14 * 1024;

/**
 * Low ones: Redis' defaults (100 MB, 10 %) stop at 0.85 of what a restart returns, these at 0.96.
 * The job then has to notice the end of the run (stop-rule.ts), since a heap never gets below about 1.1 %.
 */
export const IGNORE_BYTES = 1 * MIB;

export const THRESHOLD_LOWER = 1;

/** Equal bounds divide by zero before Redis 8.10 (redis#15513). */
const THRESHOLD_UPPER_DEFAULT = 100;

/** `LATENCY LATEST` records nothing while the threshold is 0. */
export const LATENCY_THRESHOLD_MS = 1;

export function defragSettings(
  policy: InstanceConfig['defrag'],
  current: Settings,
  engine: Pick<Engine, 'slicedDefrag' | 'coarseClock'>,
  valueBytes = 0,
): DefragPlanSettings {
  const { cpu, hz, stall } = engine.slicedDefrag
    ? sliced(policy, engine, valueBytes)
    : inOneBlock(policy, Number(current.hz));
  const wanted: Settings = {
    'latency-monitor-threshold': latencyThreshold(current, policy.maxStall),
    hz: hz === undefined ? '' : String(hz),
    [SLICE_SETTING]: sliceAt(current, 0),
    'active-defrag-cycle-max': String(cpu),
    'active-defrag-cycle-min': String(cpu),
    'active-defrag-ignore-bytes': String(IGNORE_BYTES),
    'active-defrag-threshold-upper': upperThreshold(current),
    'active-defrag-threshold-lower': String(THRESHOLD_LOWER),
    activedefrag: 'yes',
  };
  return { settings: changesOnly(wanted, current), stall, cpu };
}

/** What bounds a cycle has to stand before the first one runs; these may come right behind the switch. */
const AFTER_SWITCH: readonly string[] = [
  'latency-monitor-threshold',
  'active-defrag-ignore-bytes',
  'active-defrag-threshold-upper',
  'active-defrag-threshold-lower',
];

/**
 * The order for servers that take one setting at a time (before Redis 7.0): what bounds the stalls, then the switch, then the rest, which
 * proves that the switch was set. One write reaches the server as one, before its next cycle.
 */
export function inTurns({ activedefrag, ...others }: Settings): {
  readonly prepared: Settings;
  readonly switched: Settings;
} {
  const isAfter = ([name]: [string, string]) => AFTER_SWITCH.includes(name);
  const entries = Object.entries(others);
  return {
    prepared: Object.fromEntries(entries.filter((entry) => !isAfter(entry))),
    switched: {
      ...(activedefrag !== undefined && { activedefrag }),
      ...Object.fromEntries(entries.filter(isAfter)),
    },
  };
}

interface Cycle {
  readonly cpu: number;
  /** Undefined: as it is. */
  readonly hz: number | undefined;
  readonly stall: Milliseconds;
}

function inOneBlock({ maxCpu, maxStall }: InstanceConfig['defrag'], currentHz: number): Cycle {
  // An hz that CONFIG GET does not print cannot be raised either: the promise then has to hold at the default one.
  const hz = Number.isFinite(currentHz) ? MAX_HZ : DEFAULT_HZ;
  const cpu = Math.max(1, Math.min(maxCpu, Math.floor((maxStall * hz) / 10)));
  return { cpu, hz: hz === currentHz ? undefined : hz, stall: (cpu * 10) / hz };
}

/**
 * Slices of 0.5 ms. Two things make them longer: Valkey 8.1 looks at its clock only after 512 hits; and a server whose commands keep the
 * timer waiting makes up for it (duty cycle, `D = P · W / (100 − P)`): Redis 8 with 5 ms at most (defrag.c DEFRAG_CYCLE_US × 10), Valkey
 * without a bound, but never for longer than P / (100 − P) of what the command itself took.
 */
function sliced(
  { maxCpu }: InstanceConfig['defrag'],
  { coarseClock }: Pick<Engine, 'coarseClock'>,
  valueBytes: number,
): Cycle {
  const overrun = coarseClock
    ? HITS_BETWEEN_CLOCKS * (HIT_MS + HIT_MS_PER_BYTE * Math.min(valueBytes, LARGEST_MOVED))
    : 0;
  return { cpu: maxCpu, hz: undefined, stall: SLICE + overrun };
}

/** Bytes of a value on average, with what belongs to it; 0 where nothing says how many keys there are. */
export function valueBytesOf({ memory, keys = 0 }: Pick<Observation, 'memory' | 'keys'>): number {
  return keys > 0 ? (memory.allocatorAllocated ?? 0) / keys : 0;
}

function latencyThreshold(current: Settings, maxStall: Milliseconds): string {
  const threshold = Number(current['latency-monitor-threshold']);
  if (threshold > 0 && threshold <= maxStall) return '';
  // An operator's monitor keeps 160 events of each kind: no more of them than the promise needs.
  return String(threshold > maxStall ? Math.max(LATENCY_THRESHOLD_MS, Math.floor(maxStall)) : LATENCY_THRESHOLD_MS);
}

function upperThreshold(current: Settings): string {
  const upper = Number(current['active-defrag-threshold-upper']);
  return upper > THRESHOLD_LOWER ? '' : String(THRESHOLD_UPPER_DEFAULT);
}

/** What the pace may change later: in the lease from the start, also where it is as wanted already. */
const PACED: readonly string[] = ['active-defrag-cycle-max', 'active-defrag-cycle-min', SLICE_SETTING];

/** Only what the server knows (CONFIG GET printed it) and what would be different, or may become so. */
function changesOnly(wanted: Settings, current: Settings): Settings {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) =>
        value !== '' && current[name] !== undefined && (current[name] !== value || PACED.includes(name)),
    ),
  );
}
