import { MIB } from '../../core/config/units.ts';
import { countedText, fixed, markdownTable, median } from '../statistics.ts';
import type { Waits } from '../support/latencies.ts';
import type { Cell } from './measure.ts';

/** The runs of one arm. */
interface Row {
  readonly name: string;
  readonly cells: readonly Cell[];
}

const HEAD = [
  ...['', 'RSS before MiB', 'at rest', 'share of a restart', 's', 'CPU s'],
  ...['p99.9 ms', 'worst', 'over 5 ms', 'late'],
  ...['idle p99.9 ms', 'worst', 'over 5 ms', 'late'],
  ...['ended', 'predicted'],
];

/** Each figure by itself is the median of the runs: the median run of one figure is not that of another. */
export function nightTable(rows: readonly Row[]): string {
  return markdownTable([HEAD, ...rows.map(lineOf)]);
}

function lineOf({ name, cells }: Row): readonly string[] {
  const of = (digits: number, figure: (cell: Cell) => number) => text(median(cells.map(figure)), digits);
  return [
    name,
    of(0, ({ before }) => before / MIB),
    of(0, ({ after }) => after / MIB),
    of(2, ({ before, after, floor }) => (before - after) / (before - floor)),
    of(1, ({ seconds }) => seconds),
    of(2, ({ cpu }) => cpu),
    ...waitsText(cells.flatMap(({ action }) => action ?? [])),
    ...waitsText(cells.map(({ idle }) => idle)),
    countedText(
      cells.flatMap(({ ended }) => ended ?? []),
      '; ',
    ),
    predictedText(cells.flatMap(({ predicted }) => predicted ?? [])),
  ];
}

function waitsText(waits: readonly Waits[]): readonly string[] {
  const of = (figure: keyof Waits) => median(waits.map((one) => one[figure]));
  const over = of('over');
  return [
    ...(['p999', 'worst'] as const).map((figure) => text(of(figure), 1)),
    Number.isFinite(over) ? `${fixed(over * 100, 2)} %` : '',
    text(of('late'), 1),
  ];
}

/** Empty where there is nothing to show. */
function text(value: number, digits: number): string {
  return Number.isFinite(value) ? fixed(value, digits) : '';
}

function predictedText(predictions: readonly NonNullable<Cell['predicted']>[]): string {
  if (predictions.length === 0) return '';
  const durations = predictions.flatMap(({ duration }) => duration ?? []);
  const seconds = durations.length === 0 ? '' : `, ${fixed(median(durations) / 1000, 0)} s`;
  return `${fixed(median(predictions.map(({ bytes }) => bytes)) / MIB, 0)} MiB${seconds}`;
}
