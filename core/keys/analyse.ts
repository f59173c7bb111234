import { MIB } from '../config/units.ts';
import { isJemalloc } from '../diagnosis/layers.ts';
import type { CollectionType, KeyFinding, KeyPattern, KeyReport, KeySample } from '../domain/keys.ts';
import type { Observation } from '../domain/observation.ts';
import { present } from '../domain/present.ts';
import { exactTotal, spreadOf } from './estimate.ts';
import { unevenExpiry, withoutTtl } from './expiry.ts';
import type { Ground, Sampled } from './ground.ts';
import { encodingFinding, packFinding } from './packing.ts';
import { LEAST_KEYS, patternsOf } from './patterns.ts';
import { quantumOf } from './size-class.ts';
import { compressibleFinding, roundingFinding } from './sizes.ts';

/** Of the bytes of all keys: less than this is not worth a person's time. */
const WORTH_A_WORD = 0.005;
/** Whatever its share. */
const LEAST_BYTES = MIB / 2;
/** Lines of the table; the rest is in one. */
const MOST_PATTERNS = 40;

/** What a sample says of all keys of its node. */
export function analyse(
  { space, facts, drawn }: Pick<KeySample, 'space' | 'facts' | 'drawn'>,
  { memory }: Pick<Observation, 'memory'>,
): KeyReport {
  const ground = groundOf({ space, facts, drawn }, { memory });
  const { draws, population } = ground;
  const groups = Map.groupBy(draws, ({ pattern }) => pattern);
  const patterns = [...groups]
    .map(([pattern, group]) => patternOf(pattern, group, ground))
    .toSorted((a, b) => b.bytes.value - a.bytes.value);
  const shown = patterns.filter(({ sampled }) => sampled >= LEAST_KEYS).slice(0, MOST_PATTERNS);
  const names = new Set(shown.map(({ pattern }) => pattern));
  const others = draws.filter(({ pattern }) => !names.has(pattern));
  const bytes = exactTotal(bytesIn(draws), drawn, population);
  const { usedMemory, usedMemoryOverhead } = memory;
  return {
    population,
    drawn,
    distinct: new Set(draws.map(({ name }) => name)).size,
    bytes,
    ...present({
      dataset:
        usedMemory === undefined || usedMemoryOverhead === undefined ? undefined : usedMemory - usedMemoryOverhead,
      quantum: ground.quantum,
    }),
    patterns: shown,
    others: {
      keys: drawn === 0 ? 0 : Math.round((others.length / drawn) * population),
      bytes: exactTotal(bytesIn(others), drawn, population),
    },
    findings: findingsOf(groups, ground)
      .filter((finding) => finding.bytes.value >= Math.max(LEAST_BYTES, WORTH_A_WORD * bytes.value))
      .toSorted((a, b) => b.bytes.value - a.bytes.value),
  };
}

function groundOf(
  { space, facts, drawn }: Pick<KeySample, 'space' | 'facts' | 'drawn'>,
  { memory }: Pick<Observation, 'memory'>,
): Ground {
  const patterns = patternsOf(facts.map(({ name }) => name));
  const draws = facts.map((one, index): Sampled => ({ ...one, pattern: patterns[index] ?? '*' }));
  const keys = space.databases.reduce((sum, one) => sum + one.keys, 0);
  const expires = space.databases.reduce((sum, one) => sum + one.expires, 0);
  const strings = draws.filter(({ type }) => type === 'string');
  return {
    draws,
    drawn,
    population: Math.round(keys - expires * space.stale),
    space,
    ...present({
      quantum: isJemalloc(memory) ? quantumOf(bytesIn(strings)) : undefined,
      policy: memory.maxmemoryPolicy,
    }),
  };
}

function patternOf(pattern: string, group: readonly Sampled[], { drawn, population }: Ground): KeyPattern {
  const types = [...Map.groupBy(group, ({ type, encoding }) => (encoding ? `${type}/${encoding}` : type))];
  const ttls = group.flatMap(({ ttl }) => ttl ?? []);
  return {
    pattern,
    sampled: new Set(group.map(({ name }) => name)).size,
    types: types.toSorted(([, a], [, b]) => b.length - a.length).map(([type]) => type),
    keys: Math.round((group.length / drawn) * population),
    bytes: exactTotal(bytesIn(group), drawn, population),
    withTtl: ttls.length / group.length,
    ...present({ size: spreadOf(bytesIn(group)), ttl: spreadOf(ttls) }),
  };
}

const COLLECTIONS: readonly CollectionType[] = ['hash', 'zset', 'set'];

function findingsOf(groups: ReadonlyMap<string, readonly Sampled[]>, ground: Ground): readonly KeyFinding[] {
  const found = [...groups].flatMap(([pattern, group]) => [
    packFinding(pattern, group, ground),
    roundingFinding(pattern, group, ground),
    compressibleFinding(pattern, group, ground),
    withoutTtl(pattern, group, ground),
    ...COLLECTIONS.flatMap((type) => [
      encodingFinding(pattern, group, ground, { type, by: 'entries' }),
      encodingFinding(pattern, group, ground, { type, by: 'value' }),
    ]),
  ]);
  return [...found, unevenExpiry(ground)].filter((finding) => finding !== undefined);
}

function bytesIn(draws: readonly Sampled[]): readonly number[] {
  return draws.flatMap(({ bytes }) => bytes ?? []);
}
