/** One stop of the server: how long after the one before has ended, and for how long. Milliseconds. */
export interface Stop {
  readonly after: number;
  readonly lasts: number;
}

const SHORTEST_MS = 20;
const LONGEST_MS = 50;
/** From the start of one stop to that of the next, on average. */
const EVERY_MS = 1000;

/**
 * An endless sequence of stops, the same for the same seed, so that every arm has the same neighbours. They come at any time, as on a busy
 * host: the gaps are exponential, and two stops may follow each other closely.
 */
export function* stopPlan(seed: number): Generator<Stop, never> {
  const random = randomFrom(seed);
  for (;;) {
    const lasts = SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS);
    yield { after: -Math.log(1 - random()) * (EVERY_MS - (SHORTEST_MS + LONGEST_MS) / 2), lasts };
  }
}

/** Numbers from 0 to below 1 that only the seed decides (mulberry32): `Math.random` takes no seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
