import type { Estimate, Spread } from '../domain/keys.ts';

/** Two-sided 95 %. */
const Z = 1.96;

/**
 * A total over the population from a sample: the mean of all draws times the number of keys, with zero for each draw that does not count
 * (expansion estimator). The interval is made on the scale of logarithms (delta method): sizes have a long tail upwards, and a sum of
 * bytes is never negative.
 *
 * @param values of the draws that count; `low` and `high` bound what each is worth where that follows from a model
 * @param drawn all draws
 */
export function total(
  values: readonly { readonly low: number; readonly high: number }[],
  drawn: number,
  population: number,
): Estimate {
  if (drawn === 0 || values.length === 0) return { value: 0, low: 0, high: 0 };
  const lows = values.map(({ low }) => low);
  const highs = values.map(({ high }) => high);
  const lowest = meanOf(lows, drawn);
  const highest = meanOf(highs, drawn);
  return {
    value: Math.round(((lowest + highest) / 2) * population),
    low: Math.round(lowest * population * Math.exp(-Z * relativeError(lows, drawn))),
    high: Math.round(highest * population * Math.exp(Z * relativeError(highs, drawn))),
  };
}

/** The same where each value is known. */
export function exactTotal(values: readonly number[], drawn: number, population: number): Estimate {
  return total(
    values.map((value) => ({ low: value, high: value })),
    drawn,
    population,
  );
}

function meanOf(values: readonly number[], drawn: number): number {
  return values.reduce((sum, value) => sum + value, 0) / drawn;
}

/** Of the mean, the zeros of all other draws included. */
function relativeError(values: readonly number[], drawn: number): number {
  const mean = meanOf(values, drawn);
  if (mean <= 0 || drawn < 2) return 0;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) + (drawn - values.length) * mean ** 2;
  return Math.sqrt(squares / (drawn - 1) / drawn) / mean;
}

/** Undefined of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}
