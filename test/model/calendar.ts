import { HOUR, MINUTE } from '../../core/config/units.ts';

/** When the local clock of a zone shows something: asked of the platform minute by minute, not of the code under test. */
export function isWindowOpen(now: number, { zone, start, hours }: WindowOfModel): boolean {
  // The window has opened in the last 25 hours, if it is open: look back to its opening, and count the clock's advance from there.
  const [hour = 0, minutes = 0] = start.split(':').map(Number);
  const opening = hour * HOUR + minutes * MINUTE;
  for (let minute = floorToMinute(now), back = 0; back <= 25 * 60; back++, minute -= MINUTE) {
    if (!opensIn(minute, zone, opening)) continue;
    return wallAt(floorToMinute(now), zone) - wallAt(minute, zone) < hours * HOUR;
  }
  return false;
}

export interface WindowOfModel {
  readonly zone: string;
  readonly start: string;
  /** On the local clock: what it skips is counted, what it repeats is not. */
  readonly hours: number;
}

function floorToMinute(now: number): number {
  return Math.floor(now / MINUTE) * MINUTE;
}

const DAY = 24 * HOUR;
const dateOf = (wall: number) => Math.floor(wall / DAY);
const timeOf = (wall: number) => wall - dateOf(wall) * DAY;

/** The first minute of its date at which the clock shows `start` or later. */
function opensIn(minute: number, zone: string, start: number): boolean {
  const here = wallAt(minute, zone);
  if (timeOf(here) < start) return false;
  const before = wallAt(minute - MINUTE, zone);
  if (dateOf(before) !== dateOf(here)) return true;
  return timeOf(before) < start && !hasShown(minute - MINUTE, zone, start, dateOf(here));
}

/** In a repeated hour the clock shows `start` twice: only the first time counts. */
function hasShown(from: number, zone: string, start: number, date: number): boolean {
  for (let minute = from, back = 0; back < 180; back++, minute -= MINUTE) {
    const seen = wallAt(minute, zone);
    if (dateOf(seen) !== date) return false;
    if (timeOf(seen) >= start) return true;
  }
  return false;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** By the quarter of an hour: no clock of today changes within one. */
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

/** What the wall clock shows at this minute, in milliseconds as if it were UTC. */
function wallAt(minute: number, zone: string): number {
  const { format, offsets } = zones.get(zone) ?? zoneOf(zone);
  const quarter = Math.floor(minute / (15 * MINUTE));
  let offset = offsets.get(quarter);
  if (offset === undefined) {
    const at = quarter * 15 * MINUTE;
    offset = Date.parse(`${format.format(at).replace(' ', 'T')}:00Z`) - at;
    offsets.set(quarter, offset);
  }
  return minute + offset;
}

function zoneOf(zone: string): Zone {
  const options = { timeZone: zone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' } as const;
  const made = { format: new Intl.DateTimeFormat('sv-SE', options), offsets: new Map<number, number>() };
  zones.set(zone, made);
  return made;
}
