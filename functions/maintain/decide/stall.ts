import type { InstanceConfig } from '../../shared/config/schema.ts';
import { MIB, type Milliseconds } from '../../shared/config/units.ts';
import type { Settings } from './observation.ts';

/**
 * `maxStall` and `maxCpu` turned into Redis' own settings.
 *
 * Before the sliced defraggers (Redis ≤ 7.4, Valkey ≤ 8.0) every serverCron works for `1e6 · cpu / hz / 100` µs in one block
 * (defrag.c activeDefragCycle): the stall is cpu % × 10 / hz milliseconds, and held to the millisecond when measured at hz 10.
 * So a higher `hz` buys a shorter stall for the same work: on Redis 7.0.15, 25 % at hz 10 gave the clients a p99.9 of 25 ms, the
 * same 25 % at hz 100 one of 4.9 ms, sooner, for the same CPU and the same bytes.
 */
export interface DefragPlanSettings {
  /** What CONFIG SET will change; see `inTurns` for servers that take one setting at a time. */
  readonly settings: Settings;
  /** The longest time for which one cycle keeps clients waiting, by that arithmetic. */
  readonly stall: Milliseconds;
}

/** CONFIG_MAX_HZ and CONFIG_DEFAULT_HZ (server.h). */
const MAX_HZ = 500;
const DEFAULT_HZ = 10;
/** From here on the machine's own noise covers the stall, and the work is done no slower. */
const COMFORTABLE_HZ = 100;
/** Half of the promise is planned for: a cycle looks at its clock only between values, and large ones overrun. */
const STALL_SHARE = 0.5;
/** DEFRAG_CYCLE_US of Redis 8, the default `active-defrag-cycle-us` of Valkey 8.1, which an operator may have raised. */
const SLICE: Milliseconds = 0.5;
const SLICE_SETTING = 'active-defrag-cycle-us';

/**
 * Low ones: Redis' defaults (100 MB, 10 %) stop at 0.85 of what a restart returns, these at 0.96.
 * The end of the run is then ours to notice (stop.ts), since a heap never gets below about 1.1 %.
 */
const IGNORE_BYTES = 1 * MIB;
const THRESHOLD_LOWER = 1;
/** Equal bounds divide by zero before Redis 8.10 (redis#15513). */
const THRESHOLD_UPPER_DEFAULT = 100;
/** `LATENCY LATEST` records nothing while the threshold is 0. */
const LATENCY_THRESHOLD_MS = 1;

export function defragSettings(
  policy: InstanceConfig['defrag'],
  current: Settings,
  engine: { readonly slicedDefrag: boolean },
): DefragPlanSettings {
  const { cpu, hz, stall } = engine.slicedDefrag ? sliced(policy) : inOneBlock(policy, Number(current.hz));
  const wanted: Settings = {
    'latency-monitor-threshold': latencyThreshold(current, policy.maxStall),
    hz: hz === undefined ? '' : String(hz),
    [SLICE_SETTING]: sliceLength(current),
    'active-defrag-cycle-max': String(cpu),
    'active-defrag-cycle-min': String(cpu),
    'active-defrag-ignore-bytes': String(IGNORE_BYTES),
    'active-defrag-threshold-upper': upperThreshold(current),
    'active-defrag-threshold-lower': String(THRESHOLD_LOWER),
    activedefrag: 'yes',
  };
  return { settings: changesOnly(wanted, current), stall };
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
  const highest = Number.isFinite(currentHz) ? MAX_HZ : DEFAULT_HZ;
  // At the highest hz there is, this much CPU still keeps the promise.
  const cpu = Math.max(1, Math.min(maxCpu, Math.floor((maxStall * highest) / 10)));
  const needed = Math.ceil((cpu * 10) / (maxStall * STALL_SHARE));
  const hz = Math.min(highest, Math.max(Number.isFinite(currentHz) ? currentHz : 0, COMFORTABLE_HZ, needed));
  return { cpu, hz: hz === currentHz ? undefined : hz, stall: (cpu * 10) / hz };
}

function sliced({ maxCpu }: InstanceConfig['defrag']): Cycle {
  return { cpu: maxCpu, hz: undefined, stall: SLICE };
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

function sliceLength(current: Settings): string {
  const microseconds = SLICE * 1000;
  return Number(current[SLICE_SETTING]) > microseconds ? String(microseconds) : '';
}

/** Only what the server knows (CONFIG GET printed it) and what would be different. */
function changesOnly(wanted: Settings, current: Settings): Settings {
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) => value !== '' && current[name] !== undefined && current[name] !== value,
    ),
  );
}

/**
 * What a lease gives back: each setting that still holds our value gets its prior one. A setting that holds neither was changed
 * by somebody else in the meantime, and stays theirs.
 */
export function restoration(
  lease: { readonly applied: Settings; readonly prior: Settings },
  current: Settings,
): { readonly restore: Record<string, string>; readonly leftAlone: Record<string, string> } {
  const restore: Record<string, string> = {};
  const leftAlone: Record<string, string> = {};
  // The switch first: with it off, the order of the others no longer matters.
  for (const name of Object.keys(lease.applied).reverse()) {
    const prior = lease.prior[name];
    const now = current[name];
    if (prior === undefined || now === prior) continue;
    if (now === undefined || now === lease.applied[name]) restore[name] = prior;
    else leftAlone[name] = now;
  }
  return { restore, leftAlone };
}
