import { problemIn, stepsOf } from '../core/domain/outcome.ts';
import { isoText } from '../core/format/units.ts';
import type { Tick } from '../core/reconcile/scope.ts';

/**
 * 0 fine; 1 a node failed, was unreachable, not reached or not found, or something could not be sent; 2 usage or config; 3 fine so far, but a defrag is
 * left on (`offpeak run` alone); 130 interrupted.
 */
export const EXIT = { fine: 0, failed: 1, usage: 2, leased: 3, interrupted: 130 } as const;

export function exitCodeOf(ticks: readonly Tick[]): number {
  const isBad = ({ outcomes, problem, undelivered, undiscovered, troubles }: Tick) =>
    problem !== undefined ||
    troubles.length > 0 ||
    undelivered > 0 ||
    undiscovered.length > 0 ||
    outcomes.flatMap(stepsOf).some((step) => problemIn(step) !== undefined);
  return ticks.some(isBad) ? EXIT.failed : EXIT.fine;
}

/** Of a run that has ended: what went wrong comes first, then what it leaves on. */
export function exitCodeOfRun(worst: number, latest: Tick | undefined): number {
  return worst === EXIT.fine && latest !== undefined && latest.leased.length > 0 ? EXIT.leased : worst;
}

/** Of a run whose last tick went well: which one did not. Else the last words would be of success, and the exit status 1. */
export function earlierFailureText(firstBad: Tick | undefined, latest: Tick | undefined): string {
  if (!firstBad || !latest || exitCodeOf([latest]) !== EXIT.fine) return '';
  return `offpeak: the exit status is 1 for an earlier tick, of ${isoText(firstBad.at)}: a node failed, did not answer or was not reached, or something could not be found or sent\n`;
}
