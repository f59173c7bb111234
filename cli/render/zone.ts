import type { Config } from '../../core/config/schema.ts';

/** One zone for a whole page: that of all instances, where they have the same; else `otherwise`. */
export function zoneOf(instances: Config['instances'], otherwise = 'UTC'): string {
  const [first, ...others] = new Set(instances.map(({ timezone }) => timezone));
  return others.length === 0 && first !== undefined ? first : otherwise;
}

/** `2026-11-24 02:14:05 Europe/Berlin`. */
export function clockText(at: number, timeZone: string): string {
  return `${localClock(at, timeZone)} ${timeZone}`;
}

/** `2026-11-24 02:14:05`, where the zone stands above it. */
export function localClock(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
}
