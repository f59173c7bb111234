import type { InstanceConfig } from '../config/schema.ts';
import { HOUR, type Milliseconds } from '../config/units.ts';
import { windowAt } from './window.ts';

/** Windows that are less far apart belong to the same night. */
const BETWEEN_NIGHTS: Milliseconds = 6 * HOUR;

/**
 * Whether no window of any instance is open, and none opens within six hours: the last window of the night has closed. So it is by day, too, and
 * always where no instance has a window.
 */
export function isNightOver(
  instances: readonly Pick<InstanceConfig, 'windows' | 'timezone' | 'holidays'>[],
  now: number,
): boolean {
  return instances.every(({ windows, timezone, holidays }) => {
    if (timezone === undefined || windows.length === 0) return true;
    const state = windowAt(windows, timezone, now, holidays);
    return !state.open && (state.nextOpening === undefined || state.nextOpening - now > BETWEEN_NIGHTS);
  });
}
