import { expect, test } from 'vitest';
import { fixed, markdownTable, median, quantile, spread } from '../../../bench/statistics.ts';

test.each([
  { values: [7], expected: 7 },
  { values: [9, 1], expected: 5 },
  { values: [30, 10, 20], expected: 20 },
  { values: [4, 100, 2, 1], expected: 3 },
  { values: [], expected: Number.NaN },
])('the median of $values is $expected', ({ values, expected }) => {
  expect(median(values)).toBe(expected);
});

test('a quantile is one of the values, the last one at the end', () => {
  const values = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  expect([0.5, 0.99, 0.999, 1].map((share) => quantile(values, share))).toEqual([501, 991, 1000, 1000]);
  expect(quantile([], 0.5)).toBeNaN();
});

test('a spread goes from the lowest to the highest by number, not by text', () => {
  expect(spread([10, 9, 100, 1.5])).toEqual({ lowest: 1.5, median: 9.5, highest: 100 });
});

test.each([
  { value: -0.004, text: '0.00' },
  { value: -0.006, text: '-0.01' },
  { value: -10, text: '-10.00' },
  { value: 0, text: '0.00' },
])('$value is $text', ({ value, text }) => {
  expect(fixed(value, 2)).toBe(text);
});

test('a table in Markdown has words to the left and figures to the right', () => {
  const rows = [
    ['', 'action', 'ms'],
    ['strings', 'purge', '1.0'],
  ];
  expect(markdownTable(rows, 2)).toBe('|  | action | ms |\n| --- | --- | --: |\n| strings | purge | 1.0 |');
});
