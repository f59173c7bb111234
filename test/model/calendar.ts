/** When the local clock of a zone shows something: asked of the platform minute by minute, not of the code under test. */
export function isWindowOpen(now: number, { zone, start, hours }: WindowOfModel): boolean {
  // The window has opened in the last 25 hours, if it is open: look back to its opening, and count the clock's advance from there.
  for (let minute = floorToMinute(now), back = 0; back <= 25 * 60; back++, minute -= 60_000) {
    if (!opensIn(minute, zone, start)) continue;
    return clockMinutes(now, zone, minute) < hours * 60;
  }
  return false;
}

export interface WindowOfModel {
  readonly zone: string;
  readonly start: string;
  /** On the local clock. */
  readonly hours: number;
}

function floorToMinute(now: number): number {
  return Math.floor(now / 60_000) * 60_000;
}

/** The first minute of its date at which the clock shows `start` or later. */
function opensIn(minute: number, zone: string, start: string): boolean {
  const here = local(minute, zone);
  if (here.time < start) return false;
  const before = local(minute - 60_000, zone);
  if (before.date === here.date) return before.time < start && !hasShown(minute - 60_000, zone, start, here.date);
  return true;
}

/** In a repeated hour the clock shows `start` twice: only the first time counts. */
function hasShown(from: number, zone: string, start: string, date: string): boolean {
  for (let minute = from, back = 0; back < 180; back++, minute -= 60_000) {
    const seen = local(minute, zone);
    if (seen.date !== date) return false;
    if (seen.time >= start) return true;
  }
  return false;
}

/** How far the clock has advanced since an opening: what it skips is counted, what it repeats is not. */
function clockMinutes(now: number, zone: string, opening: number): number {
  const from = local(opening, zone);
  const to = local(now, zone);
  const wall = Date.parse(`${to.date}T${to.time}:00Z`) - Date.parse(`${from.date}T${from.time}:00Z`);
  return wall / 60_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const shown = new Map<string, { readonly date: string; readonly time: string }>();

function local(minute: number, zone: string): { readonly date: string; readonly time: string } {
  const key = `${floorToMinute(minute)} ${zone}`;
  const known = shown.get(key);
  if (known) return known;
  let format = formats.get(zone);
  if (!format) {
    const options = { timeZone: zone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('sv-SE', options);
    formats.set(zone, format);
  }
  const [date = '', time = ''] = format.format(minute).split(' ');
  if (shown.size > 50_000) shown.clear();
  shown.set(key, { date, time });
  return { date, time };
}
