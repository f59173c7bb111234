import { MIB } from '../../core/config/units.ts';
import { fixed, markdownTable, median } from '../statistics.ts';
import type { Predicted } from './cli-lines.ts';
import type { Cell } from './measure.ts';
import type { Waits } from './waits.ts';

/** The runs of one arm. */
export interface Row {
  readonly title: string;
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

function lineOf({ title, cells }: Row): readonly string[] {
  const of = (digits: number, figure: (cell: Cell) => number) => text(median(cells.map(figure)), digits);
  return [
    title,
    of(0, ({ before }) => before / MIB),
    of(0, ({ after }) => after / MIB),
    of(2, ({ before, after, floor }) => (before - after) / (before - floor)),
    of(1, ({ seconds }) => seconds),
    of(2, ({ cpu }) => cpu),
    ...waitsText(cells.flatMap(({ action }) => action ?? [])),
    ...waitsText(cells.map(({ idle }) => idle)),
    countedText(cells.flatMap(({ ended }) => ended ?? [])),
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

/** `goal-met`; of runs that ended differently, `goal-met 2, stall-spent 1`. */
function countedText(words: readonly string[]): string {
  const counts = [...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length] as const);
  return counts.length === 1 ? (words[0] ?? '') : counts.map(([word, count]) => `${word} ${count}`).join('; ');
}

function predictedText(predictions: readonly Predicted[]): string {
  if (predictions.length === 0) return '';
  const durations = predictions.flatMap(({ duration }) => duration ?? []);
  const seconds = durations.length === 0 ? '' : `, ${fixed(median(durations) / 1000, 0)} s`;
  return `${fixed(median(predictions.map(({ bytes }) => bytes)) / MIB, 0)} MiB${seconds}`;
}
