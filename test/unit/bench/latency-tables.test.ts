import { expect, test } from 'vitest';
import { floorText, type Medians, type Row, tablesOf } from '../../../bench/latency/results.ts';
import { NOTHING, OWN, offpeak, type Variant } from '../../../bench/latency/variants.ts';
import { MIB } from '../../../core/config/units.ts';

const CELL: Medians = {
  ...{ p50: 0.1, p99: 1, p999: 3, max: 6, count: 8000 },
  ...{ defragging: 0, cpu: 0.2, lasted: 10, before: 300 * MIB, after: 290 * MIB, floor: 200 * MIB },
  ...{ returned: 10 * MIB, share: 0.1, ended: [] },
};
const DEFRAG = { defragging: 4, cpu: 1.4, lasted: 20, returned: 80 * MIB, share: 0.8 };
const RESTED = { because: 'came to rest', isWhole: true };
const GOAL = { because: 'goal-met', isWhole: true };
const SPENT = { because: 'stall-spent', isWhole: false };

function row(variant: Variant, cell: Partial<Medians> = {}): Row {
  return { variant, cell: { ...CELL, ...cell } };
}

/** The cells of the last variant: figures by their heads, then the ratios. */
function lastOf(rows: readonly Row[]): readonly Readonly<Record<string, string>>[] {
  const cells = (line = '') =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  return tablesOf(rows)
    .split('\n\n')
    .map((table) => table.split('\n'))
    .map((lines) => {
      const values = cells(lines.at(-1));
      return Object.fromEntries(cells(lines[0]).map((head, column) => [head, values[column] ?? '']));
    });
}

const BASE = [row(NOTHING), row(OWN, { ...DEFRAG, p999: 30, ended: [RESTED] })];

test('a run that came to its own end is told with what it is of (a), its processor time without what serving takes', () => {
  const [figures, ratios] = lastOf([
    ...BASE,
    row(offpeak(2), { ...DEFRAG, p999: 6, cpu: 0.9, defragging: 3, ended: [GOAL] }),
  ]);
  expect(figures).toMatchObject({ requests: '8000', 'defrag s': '3.0', ended: 'goal-met', 'CPU s': '0.50' });
  expect(ratios).toMatchObject({ p50: '1.00', 'p99.9': '0.20', time: '0.75', CPU: '0.50', 'RSS returned': '1.00' });
});

test.each([
  { ended: [SPENT], text: 'stall-spent' },
  { ended: [GOAL, SPENT, GOAL], text: 'goal-met 2, stall-spent 1' },
])('runs of which one was cut off ($text) have no ratio of time', ({ ended, text }) => {
  const [figures, ratios] = lastOf([...BASE, row(offpeak(2), { ...DEFRAG, ended })]);
  expect(figures?.ended).toBe(text);
  expect(ratios?.time).toBe('');
});

test.each([
  { p999: 8.9, text: '5.9 of 5' },
  { p999: 9.1, text: '**6.1 of 5: over**' },
  { p999: 2.9, text: '-0.1 of 5' },
])('a tail of $p999 ms where the idle one has 3 is $text', ({ p999, text }) => {
  expect(lastOf([...BASE, row(offpeak(5), { p999 })])[0]?.['beyond idle p99.9']).toBe(text);
});

test('where (a) did not even begin, there is no ratio of its time', () => {
  const own = row(OWN, { ended: [{ because: 'below its thresholds', isWhole: false }] });
  expect(lastOf([row(NOTHING), own, row(offpeak(2), { ...DEFRAG, ended: [GOAL] })])[1]?.time).toBe('');
});

test('the floor is told beside what there was', () => {
  expect(floorText([CELL, { before: 310 * MIB, floor: 202 * MIB }])).toBe(
    'RSS 305 MiB before, 201 MiB of a fresh server with the same data',
  );
});
