import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';

/** How long a lease stands beyond its end, in case its server comes back. */
const STANDS_BEYOND: Milliseconds = 24 * HOUR;

export function isOverdue({ expiresAt }: Pick<Lease, 'expiresAt'>, now: number): boolean {
  return now > expiresAt + STANDS_BEYOND;
}
