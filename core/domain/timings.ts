import { MINUTE, type Milliseconds, SECOND } from '../config/units.ts';

// The times that depend on one another: of one invocation, of the leases that it takes, and of the checks before and after. Times that
// matter in one place only stand there.

/** While a lease is being confirmed, no other job touches its node for this long. Round trips and a write fit into it several times. */
export const BUSY: Milliseconds = 15 * SECOND;

/** The longest end of a defrag: restore, purge or decay, publish. No other job touches the node; an invocation reserves this time. */
export const CLOSING: Milliseconds = 60 * SECOND;

/** A job in the middle of a step keeps the others off for `CLOSING`, and may have taken a new lease by then. */
export const RELEASE_WAIT: Milliseconds = CLOSING + BUSY;

/** An alert that its writer may still be about to send is not sent by another job: longer than any lease is busy. */
export const ALERT_HELD: Milliseconds = 2 * CLOSING;

/** For the clocks of two jobs. */
export const CLOCK_SKEW: Milliseconds = 5 * SECOND;

/** How often a running defrag is checked: its stalls are judged, and its end is noticed, this soon. */
export const POLL: Milliseconds = 5 * SECOND;

/** A defrag that no invocation would check for longer than this is ended instead. */
export const UNWATCHED: Milliseconds = 5 * MINUTE;

/** What an invocation keeps for publishing: ten seconds for a dead endpoint, the rest for closing connections. */
export const RESERVED: Milliseconds = 15 * SECOND;

/** Of `RESERVED`, what suffices to begin one more message. */
export const LATE: Milliseconds = 3 * SECOND;

/** The shortest invocation that can monitor a defrag to its end, and the longest that Lambda allows. */
export const INVOCATION: { readonly shortest: Milliseconds; readonly longest: Milliseconds } = {
  shortest: 2 * CLOSING,
  longest: 15 * MINUTE,
};

/** jemalloc's `dirty_decay_ms` is 10 s: free pages that are still there after this do not leave by themselves. */
export const DECAY: Milliseconds = 12 * SECOND;

/** Between the two checks before a defrag: long enough to measure the CPU, the traffic and the machine's noise. */
export const SHORT_WAIT: Milliseconds = 2 * SECOND;

/** RSS is sampled every 100 ms (server.c cronUpdateMemoryStats); an observation sooner than this shows the time before a purge. */
export const AFTER_PURGE: Milliseconds = 1 * SECOND;

/** What a step needs beside its own time: observing, waiting for rest, publishing. */
export const ROUND_TRIPS: Milliseconds = 10 * SECOND;

/** A node or group that a guard has ended a run on (`cools: 'briefly'`) is not begun anew for this long: what ended it may soon be over. */
export const BRIEF_REST: Milliseconds = 15 * MINUTE;
