import { describe, expect, test } from 'vitest';
import { fileWith, instanceWith, problemsOf } from './build.ts';

const BERLIN = 'timezone: Europe/Berlin';

describe('windows', () => {
  test.each([
    ['daily', ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']],
    ['weekdays', ['mon', 'tue', 'wed', 'thu', 'fri']],
    ['weekends', ['sat', 'sun']],
    ['[thu, mon]', ['thu', 'mon']],
  ])('days: %s is read as a list', (written, days) => {
    const { windows } = instanceWith(BERLIN, `windows: [{ days: ${written}, start: "23:30", duration: 6h }]`);
    expect(windows).toEqual([{ days, start: '23:30', duration: 21_600_000 }]);
  });

  test('start: 02:00 needs no quotes in YAML 1.2', () => {
    const [window] = instanceWith(
      BERLIN,
      'windows:',
      '  - days: daily',
      '    start: 02:00',
      '    duration: 5m',
    ).windows;
    expect(window?.start).toBe('02:00');
  });

  test('YAML 1.1, which reads 02:00 as the number 120, is refused rather than misread', () => {
    const file = `%YAML 1.1\n---\n${fileWith(BERLIN, 'windows: [{ days: daily, start: 02:00, duration: 3h }]')}`;
    expect(problemsOf(file)).toMatchObject([
      {
        path: 'instances[0].windows[0].start',
        value: '120',
        message: '120 is not text',
        accepted: 'a local time from "00:00" to "23:59", in quotes',
      },
    ]);
  });

  test.each([
    ['days: [mon, mon], start: "02:00", duration: 3h', 'days', 'a list names a day twice'],
    ['days: [], start: "02:00", duration: 3h', 'days', 'a list names no day'],
    ['days: [monday], start: "02:00", duration: 3h', 'days', 'a list holds a day that is written mon here'],
    ['days: [8], start: "02:00", duration: 3h', 'days', 'a list holds something that is not a day'],
    [
      'days: mon, start: "02:00", duration: 3h',
      'days',
      '"mon" is neither daily, weekdays, weekends nor a list of days',
    ],
    ['start: "02:00", duration: 3h', 'days', 'is required'],
    ['days: daily, start: "24:00", duration: 3h', 'start', '"24:00" does not have that form'],
    ['days: daily, start: "2:00", duration: 3h', 'start', '"2:00" does not have that form'],
    ['days: daily, start: "02:00", duration: 4m', 'duration', '"4m" is shorter than 5m'],
    ['days: daily, start: "02:00", duration: 25h', 'duration', '"25h" is longer than 24h'],
    ['days: daily, start: "02:00"', 'duration', 'is required'],
  ])('{ %s } is refused', (window, key, message) => {
    const problems = problemsOf(fileWith(BERLIN, `windows: [{ ${window} }]`));
    expect(problems).toMatchObject([{ path: `instances[0].windows[0].${key}`, message, line: 5 }]);
  });

  test.each(['', ' ~', ' null'])('an empty `windows:%s` is a slip, not "never"', (value) => {
    expect(problemsOf(fileWith(`windows:${value}`))).toMatchObject([
      {
        path: 'instances[0].windows',
        value: '(empty)',
        message: 'has no value',
        accepted: 'a list of windows; [] to observe only',
      },
    ]);
  });
});

describe('the time zone', () => {
  test('is required where there are windows', () => {
    expect(problemsOf(fileWith('windows: [{ days: daily, start: "02:00", duration: 3h }]'))).toMatchObject([
      { path: 'instances[0].timezone', value: '(missing)', accepted: 'an IANA time zone, like Europe/Berlin or UTC' },
    ]);
  });

  test('is not required where there are none', () => {
    expect(instanceWith()).not.toHaveProperty('timezone');
  });

  test.each(['Europe/Berlin', 'UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe'])('%s is known', (zone) => {
    expect(instanceWith(`timezone: ${zone}`).timezone).toBe(zone);
  });

  test.each([
    ['Europe/Berln', '"Europe/Berln" is not a time zone: did you mean Europe/Berlin?'],
    ['"+02:00"', '"+02:00" is not a time zone'],
    ['Mars/Olympus_Mons', '"Mars/Olympus_Mons" is not a time zone'],
    ['2', '2 is not a time zone'],
  ])('%s is refused, and told once', (zone, message) => {
    const file = fileWith(`timezone: ${zone}`, 'windows: [{ days: daily, start: "02:00", duration: 3h }]');
    expect(problemsOf(file)).toMatchObject([{ path: 'instances[0].timezone', message }]);
  });
});
