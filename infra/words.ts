import type { InstanceConfig, MaintenanceWindow } from '../core/config/schema.ts';
import { type Bytes, GIB, MIB, MINUTE, type Milliseconds } from '../core/config/units.ts';

/** `5.1 GiB`, `100 MiB`: for descriptions, one decimal at most. */
export function bytesText(bytes: Bytes): string {
  const [value, unit] = bytes >= GIB ? [bytes / GIB, 'GiB'] : [bytes / MIB, 'MiB'];
  return `${Number(value.toFixed(1))} ${unit}`;
}

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
  return `${days.join(' ')} ${start} for ${minutesText(duration)}`;
}
