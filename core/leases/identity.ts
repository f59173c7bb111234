import { HOUR, type Milliseconds, SECOND } from '../config/units.ts';
import type { Lease, Progress } from '../domain/lease.ts';
import type { Observation } from '../domain/observation.ts';
import type { StopReason } from '../domain/plan.ts';

type Identity = 'same' | 'restarted' | 'another';

/**
 * Whether the server that answers is the one that the lease is on. Another `run_id` alone does not mean that it restarted: behind a
 * name, a virtual address or a balancer another server may answer, and the first one still has Offpeak's settings. A restarted
 * process is younger than the lease.
 */
export function identify(lease: Pick<Lease, 'runId' | 'acquiredAt'>, { runId, uptime, at }: Observation): Identity {
  if (runId === undefined || runId === lease.runId) return 'same';
  // INFO's uptime is the difference of two whole seconds: up to one more than it is.
  return uptime !== undefined && uptime - SECOND < at - lease.acquiredAt ? 'restarted' : 'another';
}

/**
 * Whether a lease that ends for this reason is quarantined, although its server shows none of Offpeak's settings. A young process at the
 * address of a lease is nearly always the restarted server. If it is another server, the first may still come back. And a start that
 * has not arrived may still be on its way: TCP repeats a command for a quarter of an hour, even when no job waits for the answer.
 */
export function mayComeBack(because: StopReason): boolean {
  return because === 'server-restarted' || because === 'never-started';
}

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
