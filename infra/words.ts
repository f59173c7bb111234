import type { InstanceConfig, MaintenanceWindow } from '../core/config/schema.ts';
import { MINUTE, type Milliseconds } from '../core/config/units.ts';

const DAYS_OF_A_WEEK = 7;

/** `90 minutes`, `1 minute`. */
export function minutesText(duration: Milliseconds): string {
  const minutes = Math.round(duration / MINUTE);
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/** `mon tue 02:00 for 180 minutes (Europe/Berlin)`, one for each window. */
export function windowsText({ windows, timezone }: Pick<InstanceConfig, 'windows' | 'timezone'>): readonly string[] {
  return windows.map((window) => `${windowText(window)} (${timezone})`);
}

function windowText({ days, start, duration }: MaintenanceWindow): string {
  return `${days.length === DAYS_OF_A_WEEK ? 'daily' : days.join(' ')} ${start} for ${minutesText(duration)}`;
}
