import { expect, test } from 'vitest';
import { isNightOver } from '../../../../core/guards/night.ts';
import { anInstance } from '../../../support/builders.ts';

const daily = (start: string, hours: number, timezone = 'Europe/Berlin') =>
  anInstance({
    timezone,
    windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], start, duration: hours * 3_600_000 }],
  });

const NIGHT = [daily('01:00', 2), daily('02:00', 3), daily('23:00', 1)];
const at = (time: string) => Date.parse(`2026-11-24T${time}:00+01:00`);

test.each([
  ['before the first window', '22:00', false],
  ['between two windows', '00:30', false],
  ['inside of a window', '02:30', false],
  ['one minute before the last one closes', '04:59', false],
  ['when the last one has closed', '05:00', true],
  ['by day', '12:00', true],
  ['six hours before the next night', '17:00', false],
])('%s, at %s: over is %s', (_when, time, over) => {
  expect(isNightOver(NIGHT, at(time))).toBe(over);
});

test('a window of another zone belongs to the same night', () => {
  expect(isNightOver([...NIGHT, daily('05:00', 1, 'UTC')], at('05:30'))).toBe(false);
  expect(isNightOver([...NIGHT, daily('05:00', 1, 'UTC')], at('07:00'))).toBe(true);
});

test('without windows there is no night to wait for; windows that never close have no end', () => {
  expect(isNightOver([anInstance({ windows: [] })], at('02:00'))).toBe(true);
  expect(isNightOver([daily('00:00', 24)], at('02:00'))).toBe(false);
});
