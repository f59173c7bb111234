import { type Bytes, type Milliseconds, SECOND } from '../../config/units.ts';
import type { Heap } from '../../diagnosis/first-cycle.ts';
import type { Learned } from '../../domain/prediction.ts';

/**
 * Main-thread time of a whole run, in ms: the scan goes over every key two to three times, whatever is moved, and what is moved is copied.
 * Measured on Redis 7.0.15: 9 µs for each key of 40 to 120 bytes (2.6 of them for a scan that moves nothing), and 1.25 ns more for each
 * byte of larger values; Redis 8 and Valkey 9 take two thirds of it.
 */
const WORK_MS_PER_KEY = 0.009;

const WORK_MS_PER_BYTE = 1.25e-6;

/**
 * Keys of more than this on average are collections: the scan goes over their elements, which no field of INFO counts. A hash of 700,000
 * fields of 60 bytes took 5.5 s of the main thread.
 */
const COLLECTION: Bytes = 16 * 1024;

const COLLECTION_MS_PER_BYTE = 4e-5;

function usualWork({ keys, allocated }: Heap): Milliseconds | undefined {
  if (keys === undefined) return undefined;
  const perByte = allocated > keys * COLLECTION ? COLLECTION_MS_PER_BYTE : WORK_MS_PER_BYTE;
  return keys * WORK_MS_PER_KEY + allocated * perByte;
}

/** Main-thread time, in ms, of so long a run at `cpu` %; undefined where one of them is not known. */
export function workOf(duration: Milliseconds | undefined, cpu: number | undefined): Milliseconds | undefined {
  return duration === undefined || cpu === undefined ? undefined : (duration * cpu) / 100;
}

/** From the switch to the end of the run, at `cpu` % of the main thread. */
export function predictDuration(heap: Heap, cpu: number, { defragWork = 1 }: Learned): Milliseconds | undefined {
  const work = usualWork(heap);
  return work === undefined ? undefined : Math.max(SECOND, (work * defragWork * 100) / cpu);
}
