import { expect, test } from 'vitest';
import { type ActionRun, intervalRows, type Night, singleRows } from '../../../bench/prediction/night.ts';
import { MIB } from '../../../core/config/units.ts';

function purge(predicted: number, returned: number, predictedMs = 10, measuredMs = 5): ActionRun {
  return { name: 'purge', predicted: predicted * MIB, returned: returned * MIB, predictedMs, measuredMs };
}

function night(actions: readonly ActionRun[], run = 'first'): Night {
  return { shape: 'strings', run, actions, reasons: 'healthy' };
}

function rowsOf(table: string): readonly string[] {
  return table.split('\n').slice(2);
}

test('one run is shown as it is, and one without an action with its reason', () => {
  expect(rowsOf(singleRows([night([purge(100, 90)]), night([], 'second')], 1))).toEqual([
    '| strings | first | purge | 100 | 90 | 0.90 | 10.0 | 5.0 |  |  |',
    '| strings | second | none: healthy |  |  |  |  |  |  |  |',
  ]);
});

test('of repeats the medians, with the lowest and the highest, and how many there were', () => {
  const nights = [night([purge(100, 90)]), night([purge(104, 104)]), night([])];
  expect(rowsOf(singleRows(nights, 3))).toEqual([
    '| strings | first | purge (2 in 3) | 102 [100 to 104] | 97 [90 to 104] | 0.95 [0.90 to 1.00] | 10.0 [10.0 to 10.0] | 5.0 [5.0 to 5.0] |  |  |',
  ]);
});

test('a defrag that was cut off stands by itself; in the interval only its stall counts', () => {
  const whole: ActionRun = { ...purge(100, 98, 2, 3), name: 'defrag', predictedSeconds: 10, lastedSeconds: 12 };
  const nights = [night([whole]), night([{ ...whole, returned: -1, measuredMs: 45, cutOff: 'stall-spent' }])];
  expect(rowsOf(singleRows(nights, 2))).toEqual([
    '| strings | first | defrag (1 in 2) | 100 | 98 | 0.98 | 2.0 | 3.0 | 10.0 | 12.0 |',
    '| strings | first | defrag, stall-spent (1 in 2) | 100 | 0 |  | 2.0 | 45.0 | 10.0 | 12.0 |',
  ]);
  expect(rowsOf(intervalRows(nights))[0]).toBe(
    '| defrag | 2 | 1 | 0.98 | 0.98 | 0.98 | 1.50 | 12.00 | 22.50 | 1.20 | 1.20 | 1.20 |',
  );
});

test('an interval for each action, without what could not be seen', () => {
  const { measuredMs: _, ...unseen } = purge(40, 40);
  const nights = [night([purge(10, 15, 4, 5), purge(100, 90)]), night([unseen], 'second')];
  expect(rowsOf(intervalRows(nights))).toEqual([
    '| defrag | 0 | 0 |  |  |  |  |  |  |  |  |  |',
    '| defrag, from the second night on | 0 | 0 |  |  |  |  |  |  |  |  |  |',
    '| purge | 3 | 0 | 0.90 | 1.00 | 1.50 | 0.50 | 0.88 | 1.25 |  |  |  |',
    '| purge, of 20 MiB and more | 2 | 0 | 0.90 | 0.95 | 1.00 | 0.50 | 0.50 | 0.50 |  |  |  |',
  ]);
});
