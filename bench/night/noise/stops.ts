import { setTimeout as wait } from 'node:timers/promises';
import { realtime } from '../../support/main.ts';
import { hold, type Noise } from './hold.ts';

/** Stops the process at random, by the seed. It continues when the stopper ends, also where the stopper was killed during a stop. */
export async function startStops(pid: number, seed: number): Promise<Noise> {
  const held = hold('stops', await realtime([process.execPath, import.meta.filename, `${pid}`, `${seed}`]));
  return {
    async [Symbol.asyncDispose]() {
      try {
        await held[Symbol.asyncDispose]();
      } finally {
        send(pid, 'SIGCONT');
      }
    },
  };
}

/** Whether the process is there. */
function send(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

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

/**
 * Stops a process now and then, as a hypervisor does that gives the processor to another guest, until SIGTERM or without the process. In a
 * process of its own (`node stops.ts <pid> <seed>`), so that its stops last as long as planned, independent of the bench.
 */
async function stopNowAndThen(pid: number, seed: number): Promise<void> {
  process.on('exit', () => send(pid, 'SIGCONT'));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit());
  for (const { after, lasts } of stopPlan(seed)) {
    await wait(after);
    if (!send(pid, 'SIGSTOP')) process.exit();
    await wait(lasts);
    if (!send(pid, 'SIGCONT')) process.exit();
  }
}

if (import.meta.main) {
  const [pid = 0, seed = 0] = process.argv.slice(2).map(Number);
  if (!(pid > 1)) throw new Error('stops.ts <pid> <seed>');
  await stopNowAndThen(pid, seed);
}
