import type { Style, Tone } from './style.ts';

/** One part of a stacked bar. A part below zero takes no room: it is for the legend to say. */
export interface Segment {
  readonly value: number;
  readonly glyph: string;
  readonly tone: Tone;
}

/**
 * How many of the cells each value gets: whole cells in proportion, the largest remainders first, together exactly
 * `cells`, or none where all values are zero.
 */
export function apportion(values: readonly number[], cells: number): readonly number[] {
  const positive = values.map((value) => Math.max(0, value));
  const total = positive.reduce((sum, value) => sum + value, 0);
  if (!(total > 0) || cells <= 0) return positive.map(() => 0);
  const exact = positive.map((value) => (value / total) * cells);
  const counts = exact.map(Math.floor);
  const left = cells - counts.reduce((sum, count) => sum + count, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value % 1 }))
    .toSorted((a, b) => b.remainder - a.remainder)
    .slice(0, left)
    .map(({ index }) => index);
  return counts.map((count, index) => (byRemainder.includes(index) ? count + 1 : count));
}

/** The parts side by side; with a `scale` above their sum the bar stops short, padded to `cells`, so that two can be compared. */
export function stackedBar(segments: readonly Segment[], cells: number, { paint }: Style, scale = 0): string {
  const total = segments.reduce((sum, { value }) => sum + Math.max(0, value), 0);
  const filled = scale > total ? Math.round((total / scale) * cells) : cells;
  const counts = apportion(
    segments.map(({ value }) => value),
    filled,
  );
  const drawn = segments.map(({ glyph, tone }, index) => paint(tone, glyph.repeat(counts[index] ?? 0))).join('');
  const used = counts.reduce((sum, count) => sum + count, 0);
  return drawn + ' '.repeat(Math.max(0, cells - used));
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A level from 0 to 1 in a frame of `cells`; beyond either end it is drawn as the end. */
export function levelBar(share: number, cells: number, { paint, unicode }: Style, tone: Tone): string {
  const level = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const steps = unicode ? Math.round(level * cells * 8) : Math.round(level * cells) * 8;
  const full = Math.floor(steps / 8);
  const head = (unicode ? '█' : '#').repeat(full) + (EIGHTHS[steps % 8] ?? '');
  const rest = cells - full - (steps % 8 === 0 ? 0 : 1);
  return paint(tone, head) + paint('faint', (unicode ? '·' : '-').repeat(Math.max(0, rest)));
}
