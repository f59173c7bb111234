import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion, levelBar, stackedBar } from '../../../../cli/render/bars.ts';
import { colourPaint, plainPaint } from '../../../../cli/render/style.ts';

const blocks = { paint: plainPaint, unicode: true };
const ascii = { paint: plainPaint, unicode: false };
const segments = (...values: readonly number[]) =>
  values.map((value, index) => ({ value, glyph: 'abcd'[index] ?? '?', tone: 'data' as const }));

describe('apportion', () => {
  test.each([
    ['in proportion', [451, 357, 18, 15], 60, [32, 26, 1, 1]],
    ['the largest remainder first', [1, 1, 1], 4, [2, 1, 1]],
    ['a negative value takes no room', [90, -30, 10], 10, [9, 0, 1]],
    ['nothing to show', [0, 0], 10, [0, 0]],
    ['no room', [1, 2], 0, [0, 0]],
    ['one takes all', [7], 60, [60]],
  ])('%s', (_, values, cells, counts) => expect(apportion(values, cells)).toEqual(counts));

  test('always fills the cells exactly, and is off by less than one cell', () => {
    const values = fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 200 }), (parts, cells) => {
        const total = parts.reduce((sum, part) => sum + Math.max(0, part), 0);
        fc.pre(total > 0);
        const counts = apportion(parts, cells);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(cells);
        for (const [index, count] of counts.entries()) {
          expect(Math.abs(count - (Math.max(0, parts[index] ?? 0) / total) * cells)).toBeLessThan(1);
        }
      }),
    );
  });
});

describe('a stacked bar', () => {
  test.each([
    ['fills its cells', segments(5, 3, 2), 10, 0, 'aaaaabbbcc'],
    ['on a larger scale it stops short and is padded', segments(5, 5), 10, 20, 'aaabb     '],
    ['a scale below the sum does not stretch it', segments(5, 5), 10, 5, 'aaaaabbbbb'],
    ['empty', segments(0, 0), 5, 0, '     '],
  ])('%s', (_, parts, cells, scale, bar) => expect(stackedBar(parts, cells, blocks, scale)).toBe(bar));
});

describe('a level', () => {
  test.each([
    [0, '··········', '----------'],
    [0.5, '█████·····', '#####-----'],
    [0.54, '█████▍····', '#####-----'],
    [1, '██████████', '##########'],
    [1.7, '██████████', '##########'],
    [-1, '··········', '----------'],
    [Number.NaN, '··········', '----------'],
  ])('%d', (share, block, plain) => {
    expect(levelBar(share, 10, blocks, 'good')).toBe(block);
    expect(levelBar(share, 10, ascii, 'good')).toBe(plain);
  });

  test('in colour it is the same text', () => {
    const painted = levelBar(0.5, 10, { paint: colourPaint, unicode: true }, 'good');
    expect(painted).toContain('\u001b[32m');
    expect(stripVTControlCharacters(painted)).toBe('█████·····');
  });
});
