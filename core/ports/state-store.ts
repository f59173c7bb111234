/**
 * A JSON document and the version under which it is stored.
 *
 * Versions only grow while a key exists. A removed key may start again, but never with a version that it had before, so
 * that a late conditional write of an old holder cannot change a new document.
 */
export interface Stored {
  readonly value: unknown;
  readonly version: number;
}

/**
 * What the job stores between invocations: leases, and what it learned of each node.
 *
 * Every change is conditional on the version that the caller has seen, so two invocations that overlap cannot both take
 * a lease, and neither undoes what the other wrote. Every read sees each write that was answered before it. What comes
 * out is the caller's own copy. Every method rejects with {@link StateUnavailable} when the state is unknown.
 */
export interface StateStore {
  /** The documents whose key starts with `prefix`, character by character: `lease#a` also finds `lease#ab`. */
  list(prefix: string): Promise<ReadonlyMap<string, Stored>>;

  read(key: string): Promise<Stored | undefined>;

  /** Those of these documents that exist, by key. Each is as it was at some moment of the call. A key that is named twice is read once. */
  readAll(keys: readonly string[]): Promise<ReadonlyMap<string, Stored>>;

  /**
   * Stores a copy of `value` as it is at the call. `stored: false` means that another job was first: read again.
   *
   * @param expected the version that must be there now; undefined: the key must not exist.
   * @throws TypeError, with nothing written, for a value that JSON would lose or change (functions, NaN, cycles, dates,
   *   properties that are undefined).
   */
  write(
    key: string,
    value: unknown,
    expected: number | undefined,
  ): Promise<{ readonly stored: true; readonly version: number } | { readonly stored: false }>;

  /** False, and nothing removed, unless the key exists under exactly this version. */
  remove(key: string, expected: number): Promise<boolean>;
}

/**
 * The state is unreadable, corrupt, locked by a running process, or not writable: then no action is allowed.
 * The message names the place and what to do.
 */
export class StateUnavailable extends Error {
  override readonly name = 'StateUnavailable';
}

/** What comes of `work`, or of `otherwise` where the state is unavailable. Any other error goes on. */
export async function unlessUnavailable<T, U>(work: Promise<T>, otherwise: (why: string) => U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    return otherwise(error.message);
  }
}

/** A store that also keeps the leases that it last returned, for use while it is unavailable. */
export interface JobStore extends StateStore {
  /** Of nodes; with another `prefix`, those whose keys begin with it. */
  lastKnownLeases?(prefix?: string): ReadonlyMap<string, Stored>;
}
