import type { Config } from '../core/config/schema.ts';
import { MINUTE } from '../core/config/units.ts';
import { type AlarmSpec, periodsFor } from './alarm.ts';
import { ANCHORS } from './runbook.ts';

/** A server that restarts, or one lost packet, does not raise the alarm: it takes ten minutes, and two checks at least. */
const LASTING = 10 * MINUTE;
const FEWEST_CHECKS = 2;

/** In so many checks in a row. */
export function silentChecks(config: Config): number {
  return Math.max(FEWEST_CHECKS, periodsFor(LASTING, config));
}

/** What the alarms of one node and of a whole fleet have in common; `who` is `carts-1:6379 has` or `Nodes have`. */
export function unreachable(config: Config, who: string) {
  const periods = silentChecks(config);
  return {
    what: 'unreachable',
    severity: 'critical',
    means: `${who} not answered Offpeak in ${periods} checks in a row.`,
    next: 'Check whether the server is up, then the network, TLS and the credentials.',
    anchor: ANCHORS.unreachable,
    periods,
    missing: 'ignore',
  } as const satisfies Partial<AlarmSpec>;
}
