import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Lease, Progress } from '../domain/lease.ts';

/** How long a lease stands beyond its end, in case its server comes back. */
const STANDS_BEYOND: Milliseconds = 24 * HOUR;

export function isOverdue({ expiresAt }: Pick<Lease, 'expiresAt'>, now: number): boolean {
  return now > expiresAt + STANDS_BEYOND;
}

/** Of a lease that has nothing to measure. `at`: epoch ms. */
export function noProgress(at: number): Progress {
  return {
    at,
    hits: 0,
    misses: 0,
    fragmentation: 0,
    latencyAt: 0,
    latencyMax: 0,
    worstStall: 0,
    stallStrikes: 0,
    idleLooks: 0,
  };
}
