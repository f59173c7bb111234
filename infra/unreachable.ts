import type { Config } from '../core/config/schema.ts';
import { checksFor, TROUBLES } from '../core/config/trouble.ts';
import { TROUBLE_NEXT } from '../core/format/trouble.ts';
import type { AlarmSpec } from './alarm.ts';
import { ANCHORS } from './runbook.ts';

/** In so many checks in a row. */
export function silentChecks({ schedule }: Pick<Config, 'schedule'>): number {
  const { fewestChecks, lasting } = TROUBLES.unreachable;
  return Math.max(fewestChecks, checksFor(lasting(), schedule));
}

/** What the alarms of one node and of a whole fleet have in common; `who` is `carts-1:6379 has` or `Nodes have`. */
export function unreachable(config: Config, who: string) {
  const periods = silentChecks(config);
  return {
    what: 'unreachable',
    severity: 'critical',
    means: `${who} not answered Offpeak in ${periods} checks in a row.`,
    next: TROUBLE_NEXT.unreachable,
    anchor: ANCHORS.unreachable,
    periods,
    missing: 'ignore',
  } as const satisfies Partial<AlarmSpec>;
}
