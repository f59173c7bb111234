import { SECOND } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';
import type { Observation } from '../domain/observation.ts';
import type { StopReason } from '../domain/plan.ts';

export type Identity = 'same' | 'restarted' | 'another';

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
