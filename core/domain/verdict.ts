import type { Bytes, Milliseconds } from '../config/units.ts';

/** What an action gave back and what it cost, measured by a second observation after it had settled. */
export interface Verdict {
  readonly action: 'purge' | 'defrag';
  readonly kind: 'improved' | 'unchanged' | 'worse';
  readonly rssBefore: Bytes;
  readonly rssAfter: Bytes;
  /** What the data has grown by meanwhile (negative: expired, deleted): no action's doing, and not counted. */
  readonly dataGrowth: Bytes;
  /** RSS beyond the data, before − after; negative when it grew. */
  readonly reclaimed: Bytes;
  readonly predicted: Bytes;
  /** reclaimed ÷ predicted; absent where nothing was predicted. */
  readonly share?: number;
  /** The longest single time for which clients were kept waiting, and what had been promised. */
  readonly stall: Milliseconds;
  readonly promisedStall: Milliseconds;
  /** Set where the server did not let us see: `stall` then says nothing. */
  readonly unmeasured?: true;
  /** Of a defrag: the share of its time by which cycles were longer than promised, 0 to 1. The promise is 0.001. */
  readonly beyond?: number;
  /** Of a defrag: how long it was on. */
  readonly lasted?: Milliseconds;
  /** Free pages that still have to leave: measured before the server came to rest. */
  readonly leaving?: Bytes;
}
