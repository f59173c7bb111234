import type { Milliseconds } from '../config/units.ts';
import type { KeyFacts, KeySpace } from '../domain/keys.ts';

/** What one round of commands has brought. */
export interface Draw {
  readonly facts: readonly KeyFacts[];
  /** Draws of keys that were gone again, or that the server would not say enough about. */
  readonly vanished: number;
  /** How long each batch of the round took, from its write to its last reply. */
  readonly waits: readonly Milliseconds[];
}

/** Draws keys of one node. Reads only, and leaves no trace for eviction. Throws NodeFailure. */
export interface KeyReader {
  readonly space: KeySpace;
  /** The quickest answer to a PING: what the way takes without work. */
  readonly way: Milliseconds;
  /** RANDOMKEY, this many times, and what is known of each key. Fewer where the database has become empty. */
  draw(database: number, count: number, options: { readonly readValues: boolean }): Promise<Draw>;
  /** What the server says that these commands have taken of its main thread since the last call; undefined where it does not say. */
  spent(): Promise<Milliseconds | undefined>;
  /** Commands so far. */
  readonly sent: number;
}
