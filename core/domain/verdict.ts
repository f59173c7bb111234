import type { Bytes, Milliseconds } from '../config/units.ts';

/** What an action returned and what it cost, measured by an observation after the server came to rest. */
export interface Verdict {
  readonly action: 'purge' | 'defrag';
  readonly kind: 'improved' | 'unchanged' | 'worse';
  readonly rssBefore: Bytes;
  readonly rssAfter: Bytes;
  /** How much the data has grown meanwhile (negative: expired, deleted): not the action's effect, and not counted. */
  readonly dataGrowth: Bytes;
  /** RSS beyond the data, before − after; negative when it grew. */
  readonly reclaimed: Bytes;
  readonly predicted: Bytes;
  /** reclaimed ÷ predicted; absent where nothing was predicted. */
  readonly share?: number;
  /** The longest single time for which clients waited, and the promise. */
  readonly stall: Milliseconds;
  readonly promisedStall: Milliseconds;
  /** Set where the server refused the figures: `stall` then says nothing. */
  readonly unmeasured?: true;
  /** Of a defrag: the share of its time by which cycles were longer than promised, 0 to 1. The promise is 0.001. */
  readonly beyond?: number;
  /** Of a defrag: how long it was on. */
  readonly lasted?: Milliseconds;
  /** Free pages that are still to be returned: the measurement was before the server came to rest. */
  readonly leaving?: Bytes;
}
