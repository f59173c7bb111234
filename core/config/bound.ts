import { scalar } from './scalar.ts';
import type { Percent } from './units.ts';

/** So many at once: a number, or a share of all. */
export type Bound = number | { readonly percent: Percent };

const MOST = 100;

/** `4`, or `10%` of all. */
export function bound() {
  return scalar<Bound>({
    accepted: `a whole number from 1 to ${MOST}, or a whole percentage from 1% to 100%`,
    json: {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: MOST },
        { type: 'string', pattern: '^(100|[1-9]\\d?)\\s?%$' },
      ],
    },
    read(raw) {
      if (typeof raw === 'number' && Number.isInteger(raw))
        return raw >= 1 && raw <= MOST ? { value: raw } : { refused: `is outside 1 to ${MOST}` };
      const percent = typeof raw === 'string' ? /^(100|[1-9]\d?)\s?%$/.exec(raw)?.[1] : undefined;
      return percent === undefined
        ? { refused: 'is neither a whole number nor a percentage' }
        : { value: { percent: Number(percent) } };
    },
  });
}

/** How many of `all` that is: rounded down, and at least one. */
export function boundIn(bound: Bound, all: number): number {
  return typeof bound === 'number' ? bound : Math.max(1, Math.floor((all * bound.percent) / 100));
}
