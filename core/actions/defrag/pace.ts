import { type Milliseconds, SECOND } from '../../config/units.ts';
import { HARD_BOUND } from '../../diagnosis/cycle.ts';
import type { Lease, Pace, Progress } from '../../domain/lease.ts';
import type { DefragState, Observation } from '../../domain/observation.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { GENTLEST } from './ladder.ts';

/**
 * How gently a run works. `maxStall` is a promise for 99.9 % of the time in which defrag is on: the time by which cycles are longer than it
 * is paid out of an allowance that fills at this rate. A long cycle is everyday life (a neighbour's time slice, a throttled container, a
 * page fault), so that one of them costs nothing but allowance; when it is used up, the run becomes gentler, and only the gentlest
 * settings that still overrun for long end it.
 */
const PROMISED_SHARE = 0.001;
/** Of how much time the allowance may hold: what was calm an hour ago excuses nothing now. */
const ALLOWANCE_OF: readonly [least: Milliseconds, most: Milliseconds] = [10 * SECOND, 60 * SECOND];
/** Calm for so long, and the run takes one step up; after each fall it takes twice as long. */
const CALM: Milliseconds = 20 * SECOND;
const MAX_DOUBLINGS = 5;
/** The gentlest settings may overrun for so long. */
export const LONGEST_OVERRUN: Milliseconds = 60 * SECOND;
/** After so many steps down it stays where it is: on engines that begin their scan anew with each, none would come to its end. */
const MAX_FALLS = 5;
/** More than this share of the time is not taken for the machine's noise, whatever was seen before the run. */
const NOISE_AT_MOST = 0.01;

/** The pace of a run that begins. */
export function beginningPace({ duration }: Pick<Prediction, 'duration'>): Pace {
  return { level: 0, allowance: PROMISED_SHARE * clamp(duration ?? 0, ALLOWANCE_OF), falls: 0 };
}

/** The pace after one more check. `stalls`: the cycles that this check has seen for the first time. */
export function paced(
  lease: Pick<Lease, 'promisedStall' | 'predicted' | 'noise' | 'progress' | 'acquiredAt' | 'ladder'>,
  at: number,
  stalls: readonly Milliseconds[],
): Pace {
  const { progress, promisedStall, predicted, noise = 0 } = lease;
  const before = progress.pace ?? beginningPace(predicted);
  // A lease of 0.1 has no steps.
  if (!lease.ladder) return before;
  const unforeseen = unannounced(lease, stalls);
  const excess = excessOf(unforeseen, promisedStall);
  const earned = (PROMISED_SHARE + Math.min(noise, NOISE_AT_MOST)) * Math.max(0, at - progress.at);
  const allowance = Math.min(before.allowance + earned - excess, PROMISED_SHARE * ALLOWANCE_OF[1]);
  const isHard = unforeseen.some((stall) => stall > HARD_BOUND * promisedStall);
  if (allowance < 0 || isHard) return gentler(before, at, allowance < 0);
  const { overSince: _, ...pace } = { ...before, allowance };
  if (pace.level === 0) return pace;
  if (excess > earned) return { ...pace, changedAt: at };
  if (pace.falls > MAX_FALLS) return pace;
  const needed = CALM * 2 ** Math.min(pace.falls - 1, MAX_DOUBLINGS);
  return at - (pace.changedAt ?? at) >= needed ? { ...pace, level: pace.level - 1, changedAt: at } : pace;
}

/** Half the work of a cycle; at the gentlest step, the time is noted since which even that overruns. */
function gentler({ level, falls, overSince }: Pace, at: number, isSpent: boolean): Pace {
  const isGentlest = level === GENTLEST;
  return {
    level: isGentlest ? level : level + 1,
    allowance: 0,
    falls: isGentlest ? falls : falls + 1,
    changedAt: at,
    ...(isGentlest && isSpent && { overSince: overSince ?? at }),
  };
}

/** Whether even the gentlest settings have overrun for too long. */
export function isOverrunLasting({ pace, at }: Pick<Progress, 'pace' | 'at'>): boolean {
  return pace?.overSince !== undefined && at - pace.overSince >= LONGEST_OVERRUN;
}

/** By how much cycles were longer than promised, in ms. */
export function excessOf(stalls: readonly Milliseconds[], promised: Milliseconds): Milliseconds {
  return stalls.reduce((sum, stall) => sum + Math.max(0, stall - promised), 0);
}

/** serverCron begins within a second of the switch, and INFO's own clock has whole seconds. */
const FIRST_SECONDS: Milliseconds = 3 * SECOND;

/** Whether what this check sees for the first time may have the first cycle in it. */
export function isFirstCycleDue({ progress, acquiredAt }: Pick<Lease, 'progress' | 'acquiredAt'>): boolean {
  return progress.firstCycle === undefined && progress.at - acquiredAt < FIRST_SECONDS;
}

/** The first cycle after the switch takes what was predicted of it, once: a gentler pace would not change that. */
function unannounced(
  lease: Pick<Lease, 'progress' | 'predicted' | 'acquiredAt'>,
  stalls: readonly Milliseconds[],
): readonly Milliseconds[] {
  const first = lease.predicted.firstCycle ?? 0;
  if (stalls.length === 0 || !isFirstCycleDue(lease)) return stalls;
  const longest = stalls.indexOf(Math.max(...stalls));
  return stalls.map((stall, index) => (index === longest ? Math.max(0, stall - first) : stall));
}

/**
 * The cycles that the server has recorded since the last check, the longest of each second, by LATENCY HISTORY; by LATENCY LATEST where
 * the history is refused. The server's times are compared with each other only, never with the job's clock.
 */
export function stallsSince(
  { latencyAt, latencyMax, latencyLast = 0 }: Progress,
  defrag: DefragState,
): readonly Milliseconds[] {
  const { cycles, latency } = defrag;
  if (cycles) {
    // The second of the last check may have gone on, and its longest cycle may have come afterwards.
    const seen = cycles.flatMap(({ at, took }) =>
      at > latencyAt || (at === latencyAt && took > latencyLast) ? [took] : [],
    );
    // The history holds 160 seconds: after a longer gap, the longest of them is known by LATENCY LATEST alone.
    const longest = latency?.max ?? 0;
    return longest > latencyMax && cycles.every(({ took }) => took < longest) ? [...seen, longest] : seen;
  }
  if (!latency) return [];
  const latest = latency.at > latencyAt ? latency.latest : 0;
  const longest = Math.max(latest, latency.max > latencyMax ? latency.max : 0);
  return longest > 0 ? [longest] : [];
}

/** What the next check has to know of this one's events. */
export function latencySeen({ defrag: { latency, cycles } }: Observation): Partial<Progress> {
  const last = cycles?.at(-1);
  return {
    ...(latency && { latencyAt: latency.at, latencyMax: latency.max }),
    ...(last && { latencyAt: last.at, latencyLast: last.took }),
  };
}

/**
 * What the machine adds, before anything is switched on: a neighbour that takes the processor away, a stopped or throttled container, a
 * network that stutters. An idle server answers PING at once, so that whatever a PING has waited for beyond the usual is not the
 * server's own doing.
 *
 * @param waits for how long each PING of a series waited, in ms
 * @param lasted how long the series took, in ms
 * @returns the share of that time in which a client would have waited for longer than `promised`, 0 to 1
 */
export function noiseOf(waits: readonly Milliseconds[], lasted: Milliseconds, promised: Milliseconds): number {
  if (waits.length === 0 || lasted <= 0) return 0;
  const usual = waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
  const beyond = waits.map((wait) => Math.max(0, wait - usual));
  // One late answer may be the job's own hiccup: what the machine does it does more than once.
  const lasting = beyond.toSorted((a, b) => a - b).slice(0, -1);
  return Math.min(1, excessOf(lasting, promised) / lasted);
}

function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}
