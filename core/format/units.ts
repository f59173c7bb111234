import { Temporal } from 'temporal-polyfill';
import { type Bytes, HOUR, MINUTE, type Milliseconds, SECOND } from '../config/units.ts';

/** Figures as people read them. ASCII only: they go into mail subjects and onto terminals of every kind. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const DAY = 24 * HOUR;

/** Binary units, three significant digits, the sign kept: `402 MiB`, `1.28 GiB`, `-12 MiB`. */
export function bytesText(bytes: Bytes): string {
  let value = bytes;
  let unit = 0;
  // What would round to 1024 belongs to the next unit.
  while (Math.abs(value) >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

/** `2.5 ms`, `12 s`, `4 min 10 s`, `28 min`, `3 h 05 min`, `4 d 3 h`. */
export function durationText(duration: Milliseconds): string {
  if (duration < 0) return `-${durationText(-duration)}`;
  if (duration < SECOND - 0.5) return `${rounded(duration, duration < 9.95 ? 1 : 0)} ms`;
  if (duration < MINUTE - SECOND / 2) return `${rounded(duration / SECOND, duration < 9950 ? 1 : 0)} s`;
  const minutes = Math.round(duration / MINUTE);
  if (minutes < 10) return inTwo(Math.round(duration / SECOND), 60, 'min', 's', 1);
  if (minutes < 60) return `${minutes} min`;
  return duration < 2 * DAY ? inTwo(minutes, 60, 'h', 'min', 2) : inTwo(Math.round(duration / HOUR), 24, 'd', 'h', 1);
}

/** Hundredths: `79 %`, `2.5 %`. */
export function percentText(percent: number): string {
  return `${rounded(percent, Math.abs(percent) < 9.95 ? 1 : 0)} %`;
}

/** `1,240`; a fraction only below ten. */
export function countText(count: number): string {
  return rounded(count, Math.abs(count) < 9.95 ? 1 : 0);
}

/** What RSS is to used_memory: `1.87`. */
export function ratioText(ratio: number): string {
  return ratio.toFixed(2);
}

/** Where and when a text is read. */
export interface Moment {
  /** An IANA name; UTC without it. */
  readonly timezone?: string | undefined;
  /** Epoch milliseconds. */
  readonly now?: number | undefined;
}

/**
 * A time of the instance's own clock, always with its zone. At a known moment it is `Tue 02:00 Europe/Berlin (in 5 h)`, with its date where the
 * weekday alone would not do; without one the reader may come days later: `Tue 2026-11-24 02:00 Europe/Berlin`.
 */
export function timeText(at: number, { timezone = 'UTC', now }: Moment = {}): string {
  const local = Temporal.Instant.fromEpochMilliseconds(Math.round(at)).toZonedDateTimeISO(timezone);
  const weekday = WEEKDAYS[local.dayOfWeek - 1];
  const clock = local.toPlainTime().toString({ smallestUnit: 'minute' });
  const dated = `${weekday} ${local.toPlainDate().toString()} ${clock}`;
  if (now === undefined) return `${dated} ${timezone}`;
  return `${Math.abs(at - now) < 6 * DAY ? `${weekday} ${clock}` : dated} ${timezone} (${distance(at - now)})`;
}

/** `2026-11-24T01:14:05.120Z`. */
export function isoText(at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.round(at)).toString({ fractionalSecondDigits: 3 });
}

/** With three dots in place of what is beyond `maxChars`. */
export function shortened(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 3).trimEnd()}...`;
}

/**
 * First words that keep their spelling: `used_memory`, `maxStall`, `defrag.enabled`, `cache-1:6379`, and Redis' settings, of which most have
 * nothing of that.
 */
const NAME =
  /^(?:[a-z][a-z\d-]*(?:_|[A-Z]|\.[a-z]|:\d)|(?:active-?defrag|aof-|appendonly|client-output|disable-thp|dynamic-hz|hz|jemalloc-|latency-monitor|maxclients|maxmemory|min-replicas|protected-mode|repl-|requirepass|tls-))/;

/** The text as a sentence: a capital, unless it begins with a name; a full stop. Lines below it are commands, which take none. */
export function sentence(text: string): string {
  const begin = NAME.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${begin}${text.slice(1)}${/[.?]$|\n/.test(text) ? '' : '.'}`;
}

function distance(ahead: Milliseconds): string {
  return ahead >= 0 ? `in ${durationText(ahead)}` : `${durationText(-ahead)} ago`;
}

function threeDigits(value: number): string {
  const size = Math.abs(value);
  return rounded(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** By how many digits may follow the point. Making one takes longer than all that it writes in a tick. */
const FORMATS = [0, 1, 2].map(
  (maximumFractionDigits) => new Intl.NumberFormat('en', { maximumFractionDigits, signDisplay: 'negative' }),
);

/** Without trailing zeros, and without a sign on zero. */
function rounded(value: number, digits: 0 | 1 | 2): string {
  return FORMATS[digits]?.format(value) ?? String(value);
}

/** A count of the smaller unit in both, the smaller one left out where it is zero. */
function inTwo(count: number, perLarge: number, large: string, small: string, digits: number): string {
  const rest = count % perLarge;
  const whole = `${Math.floor(count / perLarge)} ${large}`;
  return rest === 0 ? whole : `${whole} ${String(rest).padStart(digits, '0')} ${small}`;
}

/** A kind without words must fail at compile time; at run time its name is better than nothing. */
export function unworded(value: never): string {
  return JSON.stringify(value);
}
