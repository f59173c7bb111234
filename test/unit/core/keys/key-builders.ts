import type { EncodingLimits, KeyFacts, KeySample, KeySpace } from '../../../../core/domain/keys.ts';

const LIMITS: EncodingLimits = {
  hashEntries: 128,
  hashValue: 64,
  zsetEntries: 128,
  zsetValue: 64,
  setEntries: 128,
  setValue: 64,
  intsetEntries: 512,
};

export function aSpace(over: Partial<KeySpace> = {}): KeySpace {
  return {
    databases: [{ index: 0, keys: 100_000, expires: 0 }],
    stale: 0,
    limits: LIMITS,
    assumed: [],
    hasLengths: true,
    ...over,
  };
}

/** So many draws of different keys. */
export function draws(count: number, factOf: (index: number) => Partial<KeyFacts>): readonly KeyFacts[] {
  return Array.from({ length: count }, (_, index) => ({ name: `item:${index}`, type: 'string', ...factOf(index) }));
}

export function aSample(facts: readonly KeyFacts[], space: Partial<KeySpace> = {}): KeySample {
  return {
    space: aSpace(space),
    drawn: facts.length,
    facts,
    cost: { took: 1000, busy: 10, by: 'commandstats', share: 0.01, budget: 0.02, longest: 1, commands: 100 },
    end: { kind: 'enough' },
  };
}
