import type { Bytes } from '../../../core/config/units.ts';
import type { Layers } from '../../../core/domain/diagnosis.ts';
import type { ArmName } from './arms.ts';

/** What INFO says of a server, or of several together, in bytes. */
export interface Reading {
  readonly keys: number;
  readonly used: Bytes;
  readonly rss: Bytes;
  readonly layers: Layers;
}

/** RSS ÷ used_memory, as Redis' mem_fragmentation_ratio. */
export function ratioOf({ used, rss }: Reading): number {
  return rss / used;
}

/** One arm on its site. */
export interface ArmResult {
  readonly arm: ArmName;
  /** At rest, before any arm of the site; of an arm that only waits: when the data had just become what they are. */
  readonly before: Reading;
  /** At rest again. */
  readonly after: Reading;
  /** Until the action was over; of an arm that only waits: until RSS was where it stayed; of a restart: from SAVE to the last key. */
  readonly seconds: number;
  /** Of the server's process, until the action was over. */
  readonly cpu: number;
  /** How it ended, where an arm says so. */
  readonly ended?: string;
  /** What Offpeak said before that it would return. */
  readonly predicted?: Bytes;
  /** With everything written, before anything expired. */
  readonly full?: Reading;
  /** Of the arm `decay`: whether `MALLOC_CONF`, as the article writes it, is read by this build. */
  readonly isMallocConfRead?: boolean;
}

/** A row of the article's table. */
export interface Moment {
  /** Seconds of the article's clock since everything was written; `swept`: all that has expired is removed; `rest`: and RSS has come to rest. */
  readonly when: number | 'swept' | 'rest';
  readonly reading: Reading;
}

/** A site that could not be measured, and why. */
export interface Failed {
  readonly arms: readonly ArmName[];
  readonly problem: string;
  /** This server does not have what the arm is about. */
  readonly isExpected?: true;
}

export interface TrialResult {
  /** As on the command line; absent: the smaller default. */
  readonly recipe?: string;
  readonly title: string;
  readonly server: { readonly version: string; readonly path: string };
  readonly scale: number;
  readonly seed: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Milliseconds. */
  readonly lasted: number;
  /** Of the arms' TTLs; absent without TTLs. */
  readonly clock?: number;
  /** The article's table. */
  readonly table?: { readonly title: string; readonly clock: number; readonly moments: readonly Moment[] };
  readonly arms: readonly ArmResult[];
  readonly failed: readonly Failed[];
}

/** What is wrong is the machine's or the server's, not Offpeak's: the words are enough. */
export class LabProblem extends Error {
  override readonly name = 'LabProblem';
}

export function sumOf(readings: readonly Reading[]): Reading {
  const of = (figure: (reading: Reading) => number) => readings.reduce((sum, reading) => sum + figure(reading), 0);
  return {
    keys: of(({ keys }) => keys),
    used: of(({ used }) => used),
    rss: of(({ rss }) => rss),
    layers: {
      allocated: of(({ layers }) => layers.allocated),
      externalFragmentation: of(({ layers }) => layers.externalFragmentation),
      freePages: of(({ layers }) => layers.freePages),
      overhead: of(({ layers }) => layers.overhead),
    },
  };
}

export function resultOf(arms: readonly ArmResult[], name: ArmName): ArmResult | undefined {
  return arms.find(({ arm }) => arm === name);
}

/** Bytes of RSS that came back. */
export function returnedBy({ before, after }: ArmResult): Bytes {
  return before.rss - after.rss;
}

/** What came back ÷ what a restart with the same data returns; undefined without a restart, or where that returns next to nothing. */
export function shareOfRestart(result: ArmResult, arms: readonly ArmResult[]): number | undefined {
  const floor = resultOf(arms, 'restart')?.after.rss;
  const whole = floor === undefined ? 0 : result.before.rss - floor;
  return whole > result.before.rss * 0.02 ? returnedBy(result) / whole : undefined;
}
