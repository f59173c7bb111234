import * as z from 'zod/mini';
import { nearest } from './nearest.ts';
import { type Reading, scalar } from './scalar.ts';

/** As ISO 8601 counts them. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** A day of the week, the one on which a window opens. */
export type Weekday = (typeof WEEKDAYS)[number];

const SHORTHANDS: ReadonlyMap<unknown, readonly Weekday[]> = new Map<unknown, readonly Weekday[]>([
  ['daily', WEEKDAYS],
  ['weekdays', WEEKDAYS.slice(0, 5)],
  ['weekends', WEEKDAYS.slice(5)],
]);

/** `daily`, `weekdays`, `weekends` or a list of days, each once; always a list when read. */
export function days() {
  return scalar<readonly Weekday[]>({
    accepted: `daily, weekdays, weekends, or a list of ${WEEKDAYS.join(', ')}, each at most once`,
    json: {
      anyOf: [
        { enum: [...SHORTHANDS.keys()].map(String) },
        { type: 'array', items: { enum: [...WEEKDAYS] }, minItems: 1, uniqueItems: true },
      ],
    },
    read: readDays,
  });
}

function readDays(raw: unknown): Reading<readonly Weekday[]> {
  const listed = SHORTHANDS.get(raw);
  if (listed !== undefined) return { value: listed };
  if (!Array.isArray(raw)) return { refused: 'is neither daily, weekdays, weekends nor a list of days' };
  if (raw.length === 0) return { refused: 'names no day' };
  if (!raw.every(isWeekday)) return { refused: refuseDay(raw.find((day) => !isWeekday(day))) };
  return new Set(raw).size === raw.length ? { value: [...raw] } : { refused: 'names a day twice' };
}

function isWeekday(day: unknown): day is Weekday {
  return WEEKDAYS.some((known) => known === day);
}

function refuseDay(day: unknown): string {
  if (typeof day !== 'string') return 'holds something that is not a day';
  const meant = WEEKDAYS.find((known) => day.toLowerCase().startsWith(known));
  return meant === undefined ? 'holds something that is not a day' : `holds a day that is written ${meant} here`;
}

/** A zone of the IANA database, which knows its daylight-saving changes; a fixed offset does not. */
export function timezone() {
  return scalar<string>({
    accepted: 'an IANA time zone, like Europe/Berlin or UTC',
    json: { type: 'string' },
    read(raw) {
      if (typeof raw !== 'string' || !/^[A-Za-z]/.test(raw)) return { refused: 'is not a time zone' };
      if (isKnownZone(raw)) return { value: raw };
      const meant = nearest(raw, Intl.supportedValuesOf('timeZone'));
      return { refused: `is not a time zone${meant === undefined ? '' : `: did you mean ${meant}?`}` };
    },
  });
}

/** A thousand instances have a handful of zones, and Intl takes a tenth of a millisecond for each answer. */
const knownZones = new Set<string>();

function isKnownZone(zone: string): boolean {
  if (knownZones.has(zone)) return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    knownZones.add(zone);
    return true;
  } catch {
    return false; // RangeError is the only way in which Intl says no.
  }
}

/** Days on which no window opens, the first and the last included. */
export interface Holiday {
  /** `YYYY-MM-DD`, by the clock of the instance's zone. */
  readonly first: string;
  /** The same as `first` for a single day; never before it. */
  readonly last: string;
}

/** Years of weekends and holidays fit; a longer list is a mistake of a generator. */
const MOST_HOLIDAYS = 400;
/** A longer range is a mistake in the year; to stop for good, set `windows: []`. */
const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

const DATE = '20\\d\\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
const ENTRY = `^${DATE}(/${DATE})?$`;

const holiday = scalar<Holiday>({
  accepted: `a date from 2000 to 2099, like 2026-12-24, or a range of at most ${MOST_DAYS} days, like 2026-12-24/2027-01-01 (both included)`,
  json: { type: 'string', pattern: ENTRY },
  read: readHoliday,
});

const list = `a list of at most ${MOST_HOLIDAYS} dates or ranges, like [2026-12-24, 2026-12-31/2027-01-01]`;

/** `2026-12-24` or `2026-12-24/2027-01-01`, at most 400 of them. */
export function holidays() {
  return z.array(holiday, { error: list }).check(z.maxLength(MOST_HOLIDAYS, { error: list }));
}

function readHoliday(raw: unknown): Reading<Holiday> {
  if (typeof raw !== 'string' || !new RegExp(ENTRY).test(raw)) return { refused: 'is neither a date nor a range' };
  const [first = '', last = first] = raw.split('/');
  if (![first, last].every(isOfCalendar)) return { refused: 'names a day that is not in the calendar' };
  const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
  if (days < 1) return { refused: 'ends before it begins' };
  return days > MOST_DAYS ? { refused: `has ${days} days` } : { value: { first, last } };
}

/** Not every such text is a day: Date.parse reads the 31st of February as the 3rd of March. */
function isOfCalendar(date: string): boolean {
  return new Date(Date.parse(date)).toISOString().startsWith(date);
}
