/**
 * A person's order to start nothing on an instance for a time. A running defrag is ended; the nodes are still observed, and their metrics
 * published.
 */
export interface Pause {
  /** Epoch milliseconds; from then on it has no effect. */
  readonly until: number;
  /** In the words of the person who ordered it: 1 to 200 printable characters. */
  readonly reason: string;
  /** The person who ordered it. */
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The nodes that the instance had then: they stay paused when it is renamed, split or merged. */
  readonly nodes?: readonly string[];
}

/** An instance, as far as pauses know of it. */
export interface Paused {
  /** Of a discovered shard with the instance of the config before it: `sessions/0001`. */
  readonly id: string;
  readonly nodes: readonly { readonly id: string }[];
  readonly found?: { readonly pausedUntil?: number };
}

/** Every pause that is stored. */
export interface Pauses {
  /**
   * The pause that holds for `instance` at `now` (epoch ms): its own, that of all instances, or one that was set when a node of it
   * belonged to another instance. Of several, the one that ends last.
   */
  pauseOf(instance: Paused, now: number): Pause | undefined;
  /** By instance, or `*`; expired ones as well. */
  readonly stored: ReadonlyMap<string, { readonly pause: Pause; readonly version: number }>;
}

export const NO_PAUSES: Pauses = { stored: new Map(), pauseOf: () => undefined };

/** A pause that a tag of the resource orders; AWS does not say who set it, or when. */
export function pauseByTag({ found }: Paused): Pause | undefined {
  const { pausedUntil: until } = found ?? {};
  return until === undefined ? undefined : { until, reason: 'offpeak:pause-until', by: 'its tag', at: 0 };
}

/** Whether what is said of `scope` is said of the instance `id`: of itself, or of the one that has discovered it. */
export function covers(scope: string, id: string): boolean {
  return id === scope || id.startsWith(`${scope}/`);
}

/** Of the pauses of an instance, the one that lasts longest after `now`. */
export function longest(pauses: readonly (Pause | undefined)[], now: number): Pause | undefined {
  return pauses
    .filter((pause) => pause !== undefined)
    .filter(({ until }) => now < until)
    .toSorted((a, b) => b.until - a.until)[0];
}

/** No control characters, line breaks or direction marks: it is quoted in mails, logs and terminals. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*[\p{L}\p{M}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u;
const LONGEST_REASON = 200;

/** Whether a pause may carry this text: 1 to 200 printable characters, and not only spaces. */
export function isReason(text: string): boolean {
  return Array.from(text).length <= LONGEST_REASON && PRINTABLE.test(text);
}
