import type { InstanceConfig } from '../../config/schema.ts';
import { MIB, type Milliseconds, type Percent } from '../../config/units.ts';
import { cycleOf } from '../../diagnosis/cycle.ts';
import type { Engine } from '../../domain/engine.ts';
import type { Settings } from '../../domain/observation.ts';
import { SLICE_SETTING, sliceAt } from './ladder.ts';

/**
 * `maxStall` and `maxCpu` turned into Redis' own settings.
 *
 * Before the sliced defraggers (Redis ≤ 7.4, Valkey ≤ 8.0) every serverCron works for `1e6 · cpu / hz / 100` µs in one block
 * (defrag.c activeDefragCycle): the stall is cpu % × 10 / hz milliseconds, and held to the millisecond when measured at hz 10.
 * So a higher `hz` buys a shorter stall for the same work. The highest one also keeps neighbours out: with a CPU hog on each core,
 * 25 % at hz 100 (cycles of 2.5 ms) kept 3.4 % of the requests waiting for more than 5 ms, 25 % at hz 500 (0.5 ms) 0.13 %, for the
 * same work and CPU. A short burst is over before the kernel gives the processor to another process.
 */
interface DefragPlanSettings {
  /** What CONFIG SET will change; see `inTurns` for servers that take one setting at a time. */
  readonly settings: Settings;
  /** For how long one cycle keeps clients waiting, in ms. */
  readonly stall: Milliseconds;
  /** The share of the main thread, in %, that the run begins with. */
  readonly cpu: Percent;
}

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
  const { cpu, hz, stall } = cycleOf(policy, current, engine, valueBytes);
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
