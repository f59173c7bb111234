import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Holiday, Weekday } from '../../../../core/config/calendar.ts';
import type { MaintenanceWindow } from '../../../../core/config/schema.ts';
import { windowAt } from '../../../../core/guards/window.ts';
import { runs } from '../../../fuzz/runs.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

const BERLIN = 'Europe/Berlin';
const NEW_YORK = 'America/New_York';
const LORD_HOWE = 'Australia/Lord_Howe';
const SAO_PAULO = 'America/Sao_Paulo';
const NUUK = 'America/Nuuk';
const APIA = 'Pacific/Apia';

/** `sat,sun 23:00 +6h` (or `+90m`), as a person would note it. */
function noted(text: string): MaintenanceWindow {
  const [days = '', start = '', length = ''] = text.split(' ');
  const unit = length.endsWith('h') ? HOUR : MINUTE;
  return {
    days: WEEK.filter((day) => days === 'daily' || days.includes(day)),
    start,
    duration: parseInt(length, 10) * unit,
  };
}

function stateAt(windows: readonly string[], zone: string, now: number) {
  return windowAt(windows.map(noted), zone, now);
}

describe('one window, at both of its edges', () => {
  test.each([
    // rule, zone, window, opens, closes
    ['belongs to the day on which it opens', BERLIN, 'thu 23:00 +6h', '2026-01-15T22:00Z', '2026-01-16T04:00Z'],
    ['lasts a minute at least', 'UTC', 'mon 23:59 +1m', '2026-01-12T23:59Z', '2026-01-13T00:00Z'],
    ['lasts a day at most', 'UTC', 'wed 00:00 +24h', '2026-01-14T00:00Z', '2026-01-15T00:00Z'],
    ['reads a zone of odd minutes', 'Asia/Kathmandu', 'mon 02:00 +1h', '2026-01-11T20:15Z', '2026-01-11T21:15Z'],
    // 2026-03-29, 02:00 → 03:00 at 01:00Z
    ['does not live the skipped hour', BERLIN, 'sat 23:00 +6h', '2026-03-28T22:00Z', '2026-03-29T03:00Z'],
    ['lasts 23 h on the spring day', BERLIN, 'sun 00:00 +24h', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['opens at the end of the skipped hour', BERLIN, 'sun 02:30 +1h', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
    ['opens there from its first minute on', BERLIN, 'sun 02:00 +30m', '2026-03-29T01:00Z', '2026-03-29T01:30Z'],
    ['closes at the start of the skipped hour', BERLIN, 'sun 01:30 +1h', '2026-03-29T00:30Z', '2026-03-29T01:00Z'],
    ['opens at the end of it', 'Europe/London', 'sun 01:15 +45m', '2026-03-29T01:00Z', '2026-03-29T01:45Z'],
    ['opens at the end of it', NEW_YORK, 'sun 02:30 +1h', '2026-03-08T07:00Z', '2026-03-08T08:00Z'],
    // 2026-10-25, 03:00 → 02:00 at 01:00Z
    ['counts the repeated hour once', BERLIN, 'sat 23:00 +6h', '2026-10-24T21:00Z', '2026-10-25T04:00Z'],
    ['lasts 25 h on the autumn day', BERLIN, 'sun 00:00 +24h', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ['opens in the first of two such hours', BERLIN, 'sun 02:30 +1h', '2026-10-25T00:30Z', '2026-10-25T02:30Z'],
    ['does not open in the second', BERLIN, 'sun 02:00 +30m', '2026-10-25T00:00Z', '2026-10-25T00:30Z'],
    ['closes in the first of two', BERLIN, 'sun 01:30 +1h', '2026-10-24T23:30Z', '2026-10-25T00:30Z'],
    ['ends with the second at 03:00', BERLIN, 'sun 02:30 +30m', '2026-10-25T00:30Z', '2026-10-25T02:00Z'],
    ['counts the repeated hour once', NEW_YORK, 'sun 01:30 +1h', '2026-11-01T05:30Z', '2026-11-01T07:30Z'],
    // half an hour: 2026-10-04, 02:00 → 02:30 at 15:30Z; 2026-04-05, 02:00 → 01:30 at 15:00Z
    ['opens at the end of a half-hour', LORD_HOWE, 'sun 02:10 +1h', '2026-10-03T15:30Z', '2026-10-03T16:30Z'],
    ['closes at the start of a half-hour', LORD_HOWE, 'sun 01:45 +30m', '2026-10-03T15:15Z', '2026-10-03T15:30Z'],
    ['counts a half-hour once', LORD_HOWE, 'sun 01:45 +30m', '2026-04-04T14:45Z', '2026-04-04T15:45Z'],
    // at midnight: 2017-10-15, 00:00 → 01:00 at 03:00Z; 2018-02-18, 00:00 → 23:00 of the 17th at 02:00Z
    ['opens at 01:00 where no midnight is', SAO_PAULO, 'sun 00:00 +1h', '2017-10-15T03:00Z', '2017-10-15T04:00Z'],
    ['closes at a skipped midnight', SAO_PAULO, 'sat 23:00 +60m', '2017-10-15T02:00Z', '2017-10-15T03:00Z'],
    ['opens in the first 23:30 of two', SAO_PAULO, 'sat 23:30 +1h', '2018-02-18T01:30Z', '2018-02-18T03:30Z'],
    ['opens at the only 00:00', SAO_PAULO, 'sun 00:00 +1h', '2018-02-18T03:00Z', '2018-02-18T04:00Z'],
    // 2026-03-28, 23:00 → 00:00 of the 29th at 01:00Z: the skipped hour is the last one of its day
    ['opens at midnight when its hour is skipped', NUUK, 'sat 23:30 +1h', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
    // 2011-12-29 24:00 → 2011-12-31 00:00 at 10:00Z
    ['closes where the day after is left out', APIA, 'thu 23:00 +6h', '2011-12-30T09:00Z', '2011-12-30T10:00Z'],
    ['opens after a day that was left out', APIA, 'sat 00:00 +1h', '2011-12-30T10:00Z', '2011-12-30T11:00Z'],
  ])('%s: %s, %s opens %s, closes %s', (_rule, zone, window, opens, closes) => {
    const [opensAt, closesAt] = [Date.parse(opens), Date.parse(closes)];
    expect(stateAt([window], zone, opensAt - 1)).toEqual({ open: false, nextOpening: opensAt });
    expect(stateAt([window], zone, opensAt)).toEqual({ open: true, opensAt, closesAt });
    expect(stateAt([window], zone, closesAt - 1)).toEqual({ open: true, opensAt, closesAt });
    expect(stateAt([window], zone, closesAt)).toMatchObject({ open: false });
  });
});

describe('several windows', () => {
  const now = Date.parse('2026-01-14T12:00Z'); // a Wednesday
  test.each([
    ['that overlap are one', ['wed 10:00 +3h', 'wed 12:30 +2h'], '2026-01-14T10:00Z', '2026-01-14T14:30Z'],
    ['that touch are one', ['wed 10:00 +2h', 'wed 12:00 +1h'], '2026-01-14T10:00Z', '2026-01-14T13:00Z'],
    ['that hold one another are one', ['wed 09:00 +9h', 'wed 10:00 +3h'], '2026-01-14T09:00Z', '2026-01-14T18:00Z'],
    ['that are the same are one', ['wed 11:00 +2h', 'wed 11:00 +2h'], '2026-01-14T11:00Z', '2026-01-14T13:00Z'],
    ['a minute apart stay apart', ['wed 10:00 +119m', 'wed 12:00 +1h'], '2026-01-14T12:00Z', '2026-01-14T13:00Z'],
    ['a minute apart stay apart', ['wed 11:00 +2h', 'wed 13:01 +1h'], '2026-01-14T11:00Z', '2026-01-14T13:00Z'],
    ['that chain over nights are one', ['tue 20:00 +8h', 'wed 04:00 +24h'], '2026-01-13T20:00Z', '2026-01-15T04:00Z'],
    ['that never end are followed 8 days either way', ['daily 00:00 +24h'], '2026-01-06T00:00Z', '2026-01-23T00:00Z'],
  ])('%s: %j', (_rule, windows, opens, closes) => {
    const union = { open: true, opensAt: Date.parse(opens), closesAt: Date.parse(closes) };
    expect(stateAt(windows, 'UTC', now)).toEqual(union);
  });

  test.each([
    ['the earliest ahead', ['fri 02:00 +1h', 'thu 03:00 +1h'], 'UTC', '2026-01-14T12:00Z', '2026-01-15T03:00Z'],
    ['later today', ['wed 02:00 +1h', 'wed 13:00 +1h'], 'UTC', '2026-01-14T12:00Z', '2026-01-14T13:00Z'],
    ['a week on, once today’s has closed', ['wed 11:00 +1h'], 'UTC', '2026-01-14T12:00Z', '2026-01-21T11:00Z'],
    ['not in the repeated hour again', ['sun 02:00 +30m'], BERLIN, '2026-10-25T01:00Z', '2026-11-01T01:00Z'],
    ['two weeks on, when its day is left out', ['fri 02:00 +1h'], APIA, '2011-12-23T13:00Z', '2012-01-05T12:00Z'],
  ])('open next at %s: %j', (_rule, windows, zone, at, opens) => {
    expect(stateAt(windows, zone, Date.parse(at))).toEqual({ open: false, nextOpening: Date.parse(opens) });
  });

  test('of which there are none never open', () => {
    expect(windowAt([], 'UTC', now)).toEqual({ open: false, nextOpening: undefined });
  });
});

/** `2026-12-24` or `2026-12-24/2027-01-01`, as in the config. */
function off(text: string): Holiday[] {
  return text.split(' ').map((entry) => {
    const [first = '', last = first] = entry.split('/');
    return { first, last };
  });
}

describe('a holiday', () => {
  const closed = (next: string | undefined, holiday: boolean) => ({
    open: false,
    nextOpening: next === undefined ? undefined : Date.parse(next),
    ...(holiday && { holiday: true }),
  });
  const open = (opens: string, closes: string) => ({
    open: true,
    opensAt: Date.parse(opens),
    closesAt: Date.parse(closes),
  });
  // 2026-12-24 is a Thursday.
  test.each<readonly [rule: string, windows: string[], zone: string, holidays: string, at: string, state: object]>([
    [
      'keeps its window closed, and says so',
      ['daily 02:00 +3h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T02:00Z',
      closed('2026-12-25T02:00Z', true),
    ],
    [
      'says so to the last minute of it',
      ['daily 02:00 +3h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T04:59Z',
      closed('2026-12-25T02:00Z', true),
    ],
    [
      'and no longer: then it is outside of every window anyway',
      ['daily 02:00 +3h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T05:00Z',
      closed('2026-12-25T02:00Z', false),
    ],
    [
      'is skipped by the next opening, a range of them as well',
      ['daily 02:00 +3h'],
      'UTC',
      '2026-12-24/2026-12-27 2026-12-28',
      '2026-12-23T06:00Z',
      closed('2026-12-29T02:00Z', false),
    ],
    [
      'lets the window of the evening before run on to its end',
      ['daily 23:00 +6h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T04:59Z',
      open('2026-12-23T23:00Z', '2026-12-24T05:00Z'),
    ],
    [
      'keeps its own evening closed, the morning after included',
      ['daily 23:00 +6h'],
      'UTC',
      '2026-12-24',
      '2026-12-25T01:00Z',
      closed('2026-12-25T23:00Z', true),
    ],
    [
      'ends a chain of windows where its own would have begun',
      ['daily 00:00 +24h'],
      'UTC',
      '2026-12-20 2026-12-24',
      '2026-12-22T12:00Z',
      open('2026-12-21T00:00Z', '2026-12-24T00:00Z'),
    ],
    [
      'of an overlapping pair takes away only the one that opens on it',
      ['wed 22:00 +6h', 'thu 02:00 +5h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T03:00Z',
      open('2026-12-23T22:00Z', '2026-12-24T04:00Z'),
    ],
    [
      'that the rest of is then held back',
      ['wed 22:00 +6h', 'thu 02:00 +5h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T04:00Z',
      closed('2026-12-30T22:00Z', true),
    ],
    [
      'is a day of the zone, not of UTC',
      ['daily 00:30 +1h'],
      BERLIN,
      '2026-12-24',
      '2026-12-23T23:45Z',
      closed('2026-12-24T23:30Z', true),
    ],
    [
      'is the day on which a window opens by rule, though the change opens it on the next',
      ['sat 23:30 +1h'],
      NUUK,
      '2026-03-28',
      '2026-03-29T01:30Z',
      closed('2026-04-05T00:30Z', true),
    ],
    [
      'on a day without a window changes nothing',
      ['fri 02:00 +3h'],
      'UTC',
      '2026-12-24',
      '2026-12-24T03:00Z',
      closed('2026-12-25T02:00Z', false),
    ],
    [
      'range of a year is looked beyond',
      ['thu 02:00 +3h'],
      'UTC',
      '2026-12-24/2027-12-24',
      '2026-12-24T03:00Z',
      closed('2027-12-30T02:00Z', true),
    ],
    [
      'range after range leaves nothing ahead',
      ['thu 02:00 +3h'],
      'UTC',
      '2026-12-24/2027-12-24 2027-12-25/2028-12-01',
      '2026-12-24T03:00Z',
      closed(undefined, true),
    ],
  ])('%s: %j in %s without %s at %s', (_rule, windows, zone, holidays, at, state) => {
    expect(windowAt(windows.map(noted), zone, Date.parse(at), off(holidays))).toEqual(state);
  });
});

// The oracle never computes with zones: it watches a wall clock, minute by minute, through Intl alone.

const WALK = 3 * DAY;
// A window that opened before the walk began is invisible to it: at most 24 h by the clock, 27 h lived (Casey, 2010).
const SETTLED_MINUTES = 30 * 60;

function wallClock(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (at) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = (format.format(at).match(/\d+/g) ?? []).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) / MINUTE;
  };
}

/** An instant of the year, to the minute, at which the zone's clock changes; mid-year where it never does. */
function changeIn(zone: string, year: number, pick: number): number {
  const clock = wallClock(zone);
  const offset = (at: number) => clock(at) - at / MINUTE;
  const days = Array.from({ length: 365 }, (_, day) => Date.UTC(year, 0, 1 + day));
  const changing = days.filter((at) => offset(at) !== offset(at + DAY));
  let before = changing[pick % Math.max(changing.length, 1)] ?? Date.UTC(year, 6, 1);
  for (let step = DAY / 2; step >= MINUTE; step = Math.floor(step / 2 / MINUTE) * MINUTE) {
    while (offset(before + step) === offset(before) && changing.length > 0) before += step;
  }
  return before + MINUTE;
}

const isoDate = (date: number) => new Date(date * DAY).toISOString().slice(0, 10);

/** For each minute of the walk, whether somebody who watches the clock would call one of the windows open. */
function watched(
  shown: readonly number[],
  windows: readonly MaintenanceWindow[],
  isOff: (date: string) => boolean,
): boolean[] {
  const dates = [...new Set(shown.map((minute) => Math.floor(minute / 1440)))].filter((date) => !isOff(isoDate(date)));
  const open = shown.map(() => false);
  for (const window of windows) {
    const [hour = 0, minute = 0] = window.start.split(':').map(Number);
    for (const date of dates) {
      if (!window.days.includes(WEEK[(date + 3) % 7] ?? 'mon')) continue; // 1970-01-01 was a Thursday
      const opens = shown.findIndex((now) => now >= date * 1440 + hour * 60 + minute);
      if (opens < 1) continue;
      const end = (shown[opens] ?? 0) + window.duration / MINUTE;
      const closes = shown.findIndex((now, index) => index > opens && now >= end);
      open.fill(true, opens, closes < 0 ? open.length : closes);
    }
  }
  return open;
}

const clockMinutes = fc.oneof(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 239 }));
const anyWindow: fc.Arbitrary<MaintenanceWindow> = fc.record({
  days: fc.subarray([...WEEK], { minLength: 1 }),
  start: clockMinutes.map((at) => new Date(at * MINUTE).toISOString().slice(11, 16)),
  duration: fc
    .oneof(fc.integer({ min: 1, max: 180 }), fc.integer({ min: 1, max: 1440 }))
    .map((length) => length * MINUTE),
});
/** Some days around the change, each with how many more follow it; often none. */
const daysOff = fc.oneof(
  fc.constant<[number, number][]>([]),
  fc.array(fc.tuple(fc.integer({ min: -4, max: 3 }), fc.nat({ max: 3 })), { minLength: 1, maxLength: 3 }),
);

/** The same days as the config has them, and one by one. */
function daysAround(middle: number, off: readonly [day: number, length: number][]) {
  const holidays = off.map(([day, length]) => ({
    first: isoDate(middle + day),
    last: isoDate(middle + day + length),
  }));
  const dates = off.flatMap(([day, length]) =>
    Array.from({ length: length + 1 }, (_, index) => isoDate(middle + day + index)),
  );
  return { holidays, isOff: (date: string) => dates.includes(date) };
}

const someWindows = fc.array(anyWindow, { minLength: 1, maxLength: 3 });
const anyZone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC');
const aroundChange = fc.oneof(fc.integer({ min: -3 * HOUR, max: 3 * HOUR }), fc.integer({ min: -DAY, max: DAY }));

describe('any windows, in any zone, around its clock changes', () => {
  test('are open when a person who watches the wall clock says so, and open and close when it shows', () => {
    const looks = fc.array(fc.tuple(someWindows, aroundChange, daysOff), { minLength: 6, maxLength: 6 });
    const year = fc.integer({ min: 1990, max: 2037 });
    const check = (zone: string, inYear: number, pick: number, cases: readonly Look[]) => {
      const change = changeIn(zone, inYear, pick);
      const walk = Array.from({ length: (2 * WALK) / MINUTE }, (_, minute) => change - WALK + minute * MINUTE);
      const shown = walk.map(wallClock(zone));
      for (const look of cases) compare(look, zone, change, shown);
    };
    fc.assert(fc.property(anyZone, year, fc.nat({ max: 3 }), looks, check), { numRuns: runs(0.05) });
  });

  type Look = [windows: MaintenanceWindow[], offset: number, off: [day: number, length: number][]];

  function compare([windows, offset, off]: Look, zone: string, change: number, shown: readonly number[]) {
    const { holidays, isOff } = daysAround(Math.floor((shown[shown.length / 2] ?? 0) / 1440), off);
    const open = watched(shown, windows, isOff);
    const timeOf = (minute: number) => change - WALK + minute * MINUTE;
    const minute = Math.floor((WALK + offset) / MINUTE);
    const state = windowAt(windows, zone, change + offset, holidays);
    const turns = open.indexOf(!open[minute], minute);
    const turnsAt = turns < 0 ? undefined : timeOf(turns);
    expect(state.open).toBe(open[minute]);
    if (!state.open) {
      if (turnsAt === undefined) expect(state.nextOpening).toBeGreaterThanOrEqual(timeOf(open.length));
      else expect(state.nextOpening).toBe(turnsAt);
      // What opened before the walk is invisible to the oracle, here as below.
      const wouldBe = watched(shown, windows, () => false)[minute];
      if (minute > SETTLED_MINUTES) expect(state.holiday === true).toBe(wouldBe);
      return;
    }
    const began = open.lastIndexOf(false, minute) + 1;
    if (began > SETTLED_MINUTES) expect(state.opensAt).toBe(timeOf(began));
    else expect(state.opensAt).toBeLessThanOrEqual(timeOf(SETTLED_MINUTES));
    if (turnsAt === undefined) expect(state.closesAt).toBeGreaterThanOrEqual(timeOf(open.length));
    else expect(state.closesAt).toBe(turnsAt);
  }

  test('open before they close, and stay open from their opening to their closing, which they exclude', () => {
    const anyTime = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2037, 0) });
    const check = (windows: MaintenanceWindow[], zone: string, now: number, off: readonly Holiday[]) => {
      const windowThen = (at: number) => windowAt(windows, zone, at, off);
      const state = windowThen(now);
      if (state.open) {
        expect(state.opensAt).toBeLessThanOrEqual(now);
        expect(state.closesAt).toBeGreaterThan(now);
        expect(windowThen(state.opensAt).open).toBe(true);
        expect(windowThen(state.closesAt - 1).open).toBe(true);
      } else {
        const next = state.nextOpening ?? Number.NaN;
        expect(next).toBeGreaterThan(now);
        expect(windowThen(next)).toMatchObject({ open: true, opensAt: next });
        expect(windowThen(next - 1).open).toBe(false);
      }
    };
    const anyOff = fc.tuple(anyTime, fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 90 })), { maxLength: 8 }));
    const around = anyOff.map(([now, ranges]) => ({
      now,
      off: ranges.map(([from, length]) => ({
        first: isoDate(Math.floor(now / DAY) - 3 + from),
        last: isoDate(Math.floor(now / DAY) - 3 + from + length),
      })),
    }));
    fc.assert(
      fc.property(someWindows, anyZone, around, (windows, zone, { now, off }) => check(windows, zone, now, off)),
      { numRuns: runs(0.4) },
    );
  });
});
