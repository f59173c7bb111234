import { Temporal } from 'temporal-polyfill';
import type { MaintenanceWindow, Weekday } from '../domain/window.ts';

/** From a window's opening to its closing, in epoch milliseconds. */
export interface Span {
  readonly opensAt: number;
  readonly closesAt: number;
}

const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
// Temporal also takes offsets and whole timestamps for a zone; neither follows daylight saving, so both are mistakes here.
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+\-/]*$/;

/** @throws {RangeError} naming an unknown zone, or a `now` that is not a whole number. */
export function localDate(timezone: string, now: number): Temporal.PlainDate {
  const instant = Temporal.Instant.fromEpochMilliseconds(now);
  try {
    if (ZONE_NAME.test(timezone)) return instant.toZonedDateTimeISO(timezone).toPlainDate();
  } catch (cause) {
    throw unknownZone(timezone, cause);
  }
  throw unknownZone(timezone);
}

function unknownZone(timezone: string, cause?: unknown): RangeError {
  return new RangeError(`time zone "${timezone}" is not known; accepted: an IANA name, like Europe/Berlin`, { cause });
}

/** The windows that open on `day`. */
export function spansOn(day: Temporal.PlainDate, windows: readonly MaintenanceWindow[], timezone: string): Span[] {
  const weekday = WEEKDAYS[day.dayOfWeek - 1];
  if (!weekday || !existsIn(timezone, day)) return [];
  return windows.filter(({ days }) => days.includes(weekday)).map((window) => spanOn(day, window, timezone));
}

function existsIn(timezone: string, day: Temporal.PlainDate): boolean {
  return day.toZonedDateTime(timezone).toPlainDate().equals(day);
}

function spanOn(day: Temporal.PlainDate, { start, duration }: MaintenanceWindow, timezone: string): Span {
  const opening = firstShowing(day.toPlainDateTime(start), timezone);
  const closing = firstShowing(opening.toPlainDateTime().add({ milliseconds: duration }), timezone);
  return { opensAt: opening.epochMilliseconds, closesAt: closing.epochMilliseconds };
}

/** The first instant at which the local clock shows `local`, or, where a change skips that time, the change itself. */
function firstShowing(local: Temporal.PlainDateTime, timezone: string): Temporal.ZonedDateTime {
  const earlier = local.toZonedDateTime(timezone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(local)) return earlier;
  // For a skipped time Temporal answers with one as far before the change, so the next change is the one that skips.
  return earlier.getTimeZoneTransition('next') ?? local.toZonedDateTime(timezone, { disambiguation: 'later' });
}
