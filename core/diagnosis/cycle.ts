import type { InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Engine } from '../domain/engine.ts';
import type { Observation, Settings } from '../domain/observation.ts';
import type { Prediction } from '../domain/prediction.ts';

// For how long clients wait for active defrag: what a policy makes of an engine.

/** DEFRAG_CYCLE_US of Redis 8, the default `active-defrag-cycle-us` of Valkey 8.1, which an operator may have raised. */
export const SLICE: Milliseconds = 0.5;

/** A cycle of so many times the promise makes a run gentler at once: two in a row are not to be met. */
export const HARD_BOUND = 10;

/** CONFIG_MAX_HZ and CONFIG_DEFAULT_HZ (server.h). */
export const MAX_HZ = 500;

const DEFAULT_HZ = 10;

/** Valkey 8.1 looks at its clock after 512 hits (valkey#2421); a hit copies its value: 2 µs, and 2 ns for each byte. */
const HITS_BETWEEN_CLOCKS = 512;

const HIT_MS = 0.002;

const HIT_MS_PER_BYTE = 0.000002;

/** jemalloc's hint asks only for allocations of small bins to be moved. */
const LARGEST_MOVED = 14 * 1024;

/** With these settings, as CONFIG GET prints them. `valueBytes`: of a value on average; 0 where it is not known. */
export function cycleOf(
  policy: InstanceConfig['defrag'],
  current: Settings,
  engine: Pick<Engine, 'slicedDefrag' | 'coarseClock'>,
  valueBytes: number,
): Cycle {
  return engine.slicedDefrag ? sliced(policy, engine, valueBytes) : inOneBlock(policy, Number(current.hz));
}

/** Its cycles, or the one wait as it begins: that may be as long as a purge may block. */
export function isStallTooLong(
  { stall, firstCycle = 0 }: Pick<Prediction, 'stall' | 'firstCycle'>,
  { defrag, purge }: Pick<InstanceConfig, 'defrag' | 'purge'>,
): boolean {
  return stall > defrag.maxStall || firstCycle > Math.max(HARD_BOUND * defrag.maxStall, purge.maxBlock);
}

/** How the defragger works under a policy. */
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
