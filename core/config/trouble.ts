import type { InstanceConfig, Schedule } from './schema.ts';
import { MINUTE, type Milliseconds } from './units.ts';

/** A server that restarts, or one lost packet, is not trouble yet: it takes ten minutes, and two checks at least. */
const UNREACHABLE_FOR = 10 * MINUTE;

interface Trouble {
  readonly severity: 'warning' | 'critical';
  /** For how long it must have held. */
  readonly lasting: (instance: Pick<InstanceConfig, 'thresholds'>) => Milliseconds;
  readonly fewestChecks: number;
}

/**
 * The states of a node that need a person once they have lasted. Up to 25 nodes, CloudWatch's alarms watch them, one for each node and state; in a
 * larger fleet the job does, beside one alarm for each state. Both go by this table.
 */
export const TROUBLES = {
  'fragmentation-warning': {
    severity: 'warning',
    lasting: ({ thresholds }) => thresholds.fragmentationWarning.for,
    fewestChecks: 1,
  },
  'fragmentation-critical': {
    severity: 'critical',
    lasting: ({ thresholds }) => thresholds.fragmentationCritical.for,
    fewestChecks: 1,
  },
  'near-limit': { severity: 'critical', lasting: ({ thresholds }) => thresholds.rssCritical.for, fewestChecks: 1 },
  unreachable: { severity: 'critical', lasting: () => UNREACHABLE_FOR, fewestChecks: 2 },
} as const satisfies Readonly<Record<string, Trouble>>;

export type TroubleName = keyof typeof TROUBLES;

export const TROUBLE_NAMES = Object.keys(TROUBLES) as readonly TroubleName[];

/** How many checks make a duration: `for: 30m` with a check every 5 minutes is 6, and never less than 1. */
export function checksFor(lasting: Milliseconds, { every }: Pick<Schedule, 'every'>): number {
  return Math.max(1, Math.ceil(lasting / every));
}

/** In how many checks in a row, one for each tick, a trouble must have been found before it is reported. */
export function checksOf(
  name: TroubleName,
  instance: Pick<InstanceConfig, 'thresholds'>,
  schedule: Pick<Schedule, 'every'>,
): number {
  const { lasting, fewestChecks } = TROUBLES[name];
  return Math.max(fewestChecks, checksFor(lasting(instance), schedule));
}
