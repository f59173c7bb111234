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

function isKnownZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false; // RangeError is the only way in which Intl says no.
  }
}
