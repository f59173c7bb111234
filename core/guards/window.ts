import { Temporal } from 'temporal-polyfill';
import { type Holiday, WEEKDAYS } from '../config/calendar.ts';
import type { MaintenanceWindow } from '../config/schema.ts';
import type { WindowState } from '../domain/window.ts';

/** From a window's opening to its closing, in epoch milliseconds. */
interface Span {
  readonly opensAt: number;
  readonly closesAt: number;
}

// Windows that follow each other without a gap may never end (daily, 00:00 + 24h), so the search for their ends has to.
const CHAIN_DAYS = 8;

// A weekly window comes back after 7 days, or 14 when its day was left out (Samoa had no Friday 30 December 2011). Holidays
// may hold it back for as long as a range of them is allowed to be (366 days), and the week after.
const NEXT_OPENING_DAYS = 400;

const NO_HOLIDAYS: readonly Holiday[] = [];

/**
 * Whether one of the windows is open at `now` (epoch milliseconds), when it closes, or when the next one opens.
 *
 * Times are those of the local clock in `timezone` (an IANA name), since that is what traffic follows:
 * - A window belongs to the day on which it opens: Thursday 23:00 + 6h is open on Friday at 02:00.
 * - It opens the first time that the clock shows `start` or later. A start inside the hour that a change skips opens at
 *   the change, even where that is midnight; one inside a repeated hour opens the first time only. On a date that the
 *   zone left out altogether it does not open.
 * - It closes the first time after that that the clock has advanced by `duration`: 23:00 + 6h closes at 05:00 in every
 *   night, so the skipped hour is left out and the repeated hour counts once. An end inside the skipped hour closes at
 *   the change. A start inside it counts the duration from the change on.
 * - It is open when `opensAt <= now < closesAt`. Windows that overlap or touch are followed to the ends of their union,
 *   as far as they open within 8 days of today's local date on either side; `opensAt` and `closesAt` are always an
 *   opening and a closing of a configured window.
 * - On a holiday it does not open. One that has opened on the evening before goes on to its end.
 */
export function windowAt(
  windows: readonly MaintenanceWindow[],
  timezone: string,
  now: number,
  holidays: readonly Holiday[] = NO_HOLIDAYS,
): WindowState {
  const today = todayIn(timezone, now);
  const calendar = { windows, timezone, holidays };
  const near = spansNear(calendar, today);
  const current = unionAround(near.kept, now);
  if (current) return { open: true, ...current };
  const isHeldBack = near.left.some((span) => isWithin(span, now));
  const { next } = near;
  const isKnown = next !== undefined && next.askedAt <= now && (next.at === undefined || now < next.at);
  near.next = isKnown ? next : { askedAt: now, at: nextOpening(calendar, today, now) };
  return { open: false, nextOpening: near.next.at, ...(isHeldBack && { holiday: true }) };
}

/** The last answer: a tick asks for the same moment, nearly. */
const days = new Map<string, { readonly from: number; readonly until: number; readonly date: Temporal.PlainDate }>();

function todayIn(timezone: string, now: number): Temporal.PlainDate {
  const known = days.get(timezone);
  if (known && known.from <= now && now < known.until) return known.date;
  const moment = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timezone);
  const date = moment.toPlainDate();
  // A date may come twice (a change at midnight that sets back): only from now on.
  const until = date.add({ days: 1 }).toZonedDateTime(timezone).epochMilliseconds;
  days.set(timezone, { from: now, until, date });
  return date;
}

interface Calendar {
  readonly windows: readonly MaintenanceWindow[];
  readonly timezone: string;
  readonly holidays: readonly Holiday[];
}

interface SpansNear {
  /** In the order of their openings, those of holidays apart. */
  readonly kept: readonly Span[];
  readonly left: readonly Span[];
  /** The next opening, as it was found at an earlier moment of the same day. */
  next: { readonly askedAt: number; readonly at: number | undefined } | undefined;
}

/** The windows as a text: instances with the same calendar share what was computed for it, though each has a list of its own. */
const texts = new WeakMap<readonly MaintenanceWindow[], string>();

function textOf(windows: readonly MaintenanceWindow[]): string {
  const known = texts.get(windows);
  if (known !== undefined) return known;
  const text = JSON.stringify(windows);
  texts.set(windows, text);
  return text;
}

/** A tick asks for the same few calendars for each plan of each node, and each answer takes a hundred steps in the time zone. */
const calendars = new Map<string, SpansNear>();
/** More than a config has; a process that lives for months must not keep each of its days. */
const MOST_CALENDARS = 1_000;

/** The spans of the days around `today`. */
function spansNear(calendar: Calendar, today: Temporal.PlainDate): SpansNear {
  const { windows, timezone, holidays } = calendar;
  const date = today.toString();
  const key = `${date} ${timezone} ${textOf(windows)} ${holidays.length === 0 ? '' : JSON.stringify(holidays)}`;
  const known = calendars.get(key);
  if (known) return known;
  const days = Object.groupBy(daysFrom(today, -CHAIN_DAYS, CHAIN_DAYS), (day) =>
    isHoliday(day, holidays) ? 'left' : 'kept',
  );
  const spansOf = (some: readonly Temporal.PlainDate[] = []) =>
    some.flatMap((day) => spansOn(day, windows, timezone)).toSorted((a, b) => a.opensAt - b.opensAt);
  const near: SpansNear = { kept: spansOf(days.kept), left: spansOf(days.left), next: undefined };
  if (calendars.size >= MOST_CALENDARS) calendars.clear();
  calendars.set(key, near);
  return near;
}

function daysFrom(today: Temporal.PlainDate, first: number, last: number): Temporal.PlainDate[] {
  return Array.from({ length: last - first + 1 }, (_, index) => today.add({ days: first + index }));
}

function isHoliday(day: Temporal.PlainDate, holidays: readonly Holiday[]): boolean {
  // Dates of ISO 8601 sort as texts.
  const date = day.toString();
  return holidays.some(({ first, last }) => first <= date && date <= last);
}

function unionAround(spans: readonly Span[], now: number): Span | undefined {
  const unions: Span[] = [];
  for (const span of spans) {
    const last = unions.at(-1);
    if (!last || span.opensAt > last.closesAt) unions.push(span);
    else unions[unions.length - 1] = { ...last, closesAt: Math.max(last.closesAt, span.closesAt) };
  }
  return unions.find((union) => isWithin(union, now));
}

function isWithin({ opensAt, closesAt }: Span, now: number): boolean {
  return opensAt <= now && now < closesAt;
}

function nextOpening(
  { windows, timezone, holidays }: Calendar,
  today: Temporal.PlainDate,
  now: number,
): number | undefined {
  if (windows.length === 0) return undefined;
  // Every opening of a date comes before those of the next date, so the first date with one ahead has the earliest.
  for (let ahead = 0; ahead <= NEXT_OPENING_DAYS; ahead++) {
    const day = today.add({ days: ahead });
    if (isHoliday(day, holidays)) continue;
    const openings = spansOn(day, windows, timezone).filter(({ opensAt }) => opensAt > now);
    if (openings.length > 0) return Math.min(...openings.map(({ opensAt }) => opensAt));
  }
  return undefined;
}

/** The windows that open on `day`. */
function spansOn(day: Temporal.PlainDate, windows: readonly MaintenanceWindow[], timezone: string): Span[] {
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
