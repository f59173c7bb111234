import { describe, expect, test } from 'vitest';
import { configOf, fileWith, instanceWith, problemsOf } from './build.ts';

const ACCEPTED =
  'a date from 2000 to 2099, like 2026-12-24, or a range of at most 366 days, like 2026-12-24/2027-01-01 (both included)';
const LIST = 'a list of at most 400 dates or ranges, like [2026-12-24, 2026-12-31/2027-01-01]';
const day = (first: string, last = first) => ({ first, last });

describe('holidays', () => {
  test.each([
    ['[]', []],
    ['[2026-12-24]', [day('2026-12-24')]],
    ['["2026-12-24"]', [day('2026-12-24')]],
    ['[2026-12-24/2027-01-01, 2027-05-01]', [day('2026-12-24', '2027-01-01'), day('2027-05-01')]],
    ['[2028-02-29]', [day('2028-02-29')]],
    ['[2027-05-01/2027-05-01]', [day('2027-05-01')]],
    ['[2027-01-01/2028-01-01]', [day('2027-01-01', '2028-01-01')]],
    ['[2026-12-24, 2026-12-20/2026-12-31]', [day('2026-12-24'), day('2026-12-20', '2026-12-31')]],
  ])('%s', (written, holidays) => {
    expect(instanceWith(`holidays: ${written}`).holidays).toEqual(holidays);
  });

  test.each([
    ['2026-02-29', '"2026-02-29" names a day that is not in the calendar'],
    ['2026-12-24/2026-11-31', '"2026-12-24/2026-11-31" names a day that is not in the calendar'],
    ['2026-13-01', '"2026-13-01" is neither a date nor a range'],
    ['2026-1-1', '"2026-1-1" is neither a date nor a range'],
    ['24.12.2026', '"24.12.2026" is neither a date nor a range'],
    ['1999-12-31', '"1999-12-31" is neither a date nor a range'],
    ['2026-12-24T00:00', '"2026-12-24T00:00" is neither a date nor a range'],
    ['2026-12-24 2026-12-26', '"2026-12-24 2026-12-26" is neither a date nor a range'],
    ['2026-12-24/2026-12-26/2026-12-27', '"2026-12-24/2026-12-26/2026-12-27" is neither a date nor a range'],
    ['2026-12-26/2026-12-24', '"2026-12-26/2026-12-24" ends before it begins'],
    ['2027-01-01/2028-01-02', '"2027-01-01/2028-01-02" has 367 days'],
    ['20261224', '20261224 is neither a date nor a range'],
    ['christmas', '"christmas" is neither a date nor a range'],
    ['~', 'has no value'],
    ['[2026-12-24]', 'a list is neither a date nor a range'],
  ])('an entry %s is refused, with its place and line', (entry, message) => {
    expect(problemsOf(fileWith(`holidays: [2026-12-25, ${entry}]`))).toEqual([
      { path: 'instances[0].holidays[1]', value: expect.any(String), message, accepted: ACCEPTED, line: 4 },
    ]);
  });

  test.each([
    ['2026-12-24', '"2026-12-24" is not a list'],
    ['', 'has no value'],
    ['{ 2026-12-24: xmas }', 'a mapping is not a list'],
    [`[${'2026-12-24, '.repeat(401)}]`, 'a list has more than 400 entries'],
  ])('holidays: %s is refused', (written, message) => {
    expect(problemsOf(fileWith(`holidays: ${written}`))).toMatchObject([
      { path: 'instances[0].holidays', message, accepted: LIST },
    ]);
  });

  test('400 entries are accepted', () => {
    expect(instanceWith(`holidays: [${'2026-12-24, '.repeat(400)}]`).holidays).toHaveLength(400);
  });

  test('YAML 1.1, which makes a date of it, is refused rather than misread', () => {
    const file = `%YAML 1.1\n---\n${fileWith('holidays: [2026-12-24]')}`;
    expect(problemsOf(file)).toMatchObject([{ path: 'instances[0].holidays[0]', accepted: ACCEPTED }]);
  });

  test("an instance's own list stands in place of that of defaults", () => {
    const { instances } = configOf(`
defaults: { holidays: [2026-12-24/2026-12-26] }
instances:
  - { id: inherits, url: redis://a }
  - { id: overrides, url: redis://b, holidays: [2027-01-06] }
  - { id: never, url: redis://c, holidays: [] }
`);
    expect(instances.map(({ holidays }) => holidays)).toEqual([
      [day('2026-12-24', '2026-12-26')],
      [day('2027-01-06')],
      [],
    ]);
  });
});
