import type { Estimate, KeyFacts, KeySpace } from '../domain/keys.ts';
import { total } from './estimate.ts';
import { LEAST_KEYS } from './patterns.ts';
import type { Quantum } from './size-class.ts';

/** One draw, with the pattern of its name. */
export interface Sampled extends KeyFacts {
  readonly pattern: string;
}

/** What every finding is made from. */
export interface Ground {
  readonly draws: readonly Sampled[];
  /** Those of vanished keys included. */
  readonly drawn: number;
  readonly population: number;
  readonly space: KeySpace;
  /** Undefined where the allocator is not jemalloc. */
  readonly quantum?: Quantum;
  /** `maxmemory-policy` */
  readonly policy?: string;
}

/** What one draw is worth, between two bounds. */
interface Worth {
  readonly low: number;
  readonly high: number;
  readonly name: string;
}

/** The bytes at stake and how many different keys say so; undefined where too few do. */
export function stakeOf(
  worths: readonly Worth[],
  { drawn, population }: Pick<Ground, 'drawn' | 'population'>,
): { readonly bytes: Estimate; readonly sampled: number } | undefined {
  const counting = worths.filter(({ high }) => high > 0).map((one) => ({ ...one, low: Math.max(0, one.low) }));
  const sampled = new Set(counting.map(({ name }) => name)).size;
  return sampled < LEAST_KEYS ? undefined : { bytes: total(counting, drawn, population), sampled };
}

export function exactly(name: string, value: number): Worth {
  return { name, low: value, high: value };
}
