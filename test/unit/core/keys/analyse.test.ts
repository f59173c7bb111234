import { describe, expect, test } from 'vitest';
import type { KeyFacts, KeyFinding, KeySpace } from '../../../../core/domain/keys.ts';
import { analyse } from '../../../../core/keys/analyse.ts';
import { anObservation } from '../../../support/builders.ts';
import { aSample, draws } from './key-builders.ts';

const HOUR = 3_600_000;
const observation = anObservation({ memory: { memAllocator: 'jemalloc-5.2.1', maxmemoryPolicy: 'volatile-lru' } });

function findings(facts: readonly KeyFacts[], space: Partial<KeySpace> = {}, seen = observation) {
  return analyse(aSample(facts, space), seen).findings;
}

function one<Kind extends KeyFinding['kind']>(kind: Kind, all: readonly KeyFinding[]) {
  return all.find((finding): finding is Extract<KeyFinding, { kind: Kind }> => finding.kind === kind);
}

describe('the table', () => {
  const facts = [
    ...draws(300, (index) => ({ name: `a:${index}`, bytes: 100, encoding: 'raw', ttl: index * 10 })),
    ...draws(95, (index) => ({ name: `b:${index}`, bytes: 1000, encoding: 'raw' })),
    ...draws(5, (index) => ({ name: `rare:${index}`, bytes: 50, type: 'hash', encoding: 'listpack' })),
  ];
  const report = analyse(aSample(facts), observation);

  test('has keys and bytes for the whole population, most bytes first', () => {
    expect(report.patterns.map(({ pattern, keys, bytes }) => [pattern, keys, bytes.value])).toEqual([
      ['b:*', 23_750, 23_750_000],
      ['a:*', 75_000, 7_500_000],
    ]);
    expect(report.bytes.value).toBe(31_312_500);
    expect(report.bytes.low).toBeLessThan(31_312_500);
  });

  test('puts what few keys share into one line without a name', () => {
    expect(report.others).toMatchObject({ keys: 1250, bytes: { value: 62_500 } });
    expect(JSON.stringify(report)).not.toMatch(/rare|a:1/);
  });

  test('leaves out keys that have expired and are still counted', () => {
    const space = { databases: [{ index: 0, keys: 1000, expires: 500 }], stale: 0.2 };
    expect(analyse(aSample(facts, space), observation).population).toBe(900);
  });

  test('of nothing is nothing', () => {
    expect(analyse(aSample([], { databases: [] }), observation)).toMatchObject({
      population: 0,
      bytes: { value: 0 },
      patterns: [],
      others: { keys: 0 },
      findings: [],
    });
  });
});

describe('small strings that hashes would pack', () => {
  const small = (over: Partial<KeyFacts> = {}) =>
    draws(500, (index) => ({ name: `cfg:${index}`, encoding: 'embstr', length: 10, bytes: 72, ...over }));

  test('are worth what is left of them as fields', () => {
    const finding = one('pack', findings(small()));
    expect(finding).toMatchObject({ pattern: 'cfg:*', entries: 100, each: 72 });
    expect(finding?.bytes.low).toBeGreaterThan(48 * 100_000);
    expect(finding?.bytes.high).toBeLessThan(60 * 100_000);
  });

  test.each<readonly [why: string, over: Partial<KeyFacts>]>([
    ['they expire', { ttl: HOUR }],
    ['they are longer than a listpack takes', { length: 65 }],
    ['their length is not known', { length: undefined as never }],
    ['they are no strings', { type: 'list' }],
  ])('do not count where %s', (_, over) => expect(one('pack', findings(small(over)))).toBeUndefined());

  test('need a limit that lets several into one hash', () => {
    const limits = { ...aSample([]).space.limits, hashEntries: 1 };
    expect(one('pack', findings(small(), { limits }))).toBeUndefined();
  });
});

describe('encodings just beyond their limits', () => {
  // As Redis 7.0.15 measured: 600 fields of 9 bytes with values of 9.
  const hashes = (over: Partial<KeyFacts> = {}) =>
    draws(200, () => ({ type: 'hash', encoding: 'hashtable', length: 600, bytes: 41_896, ...over }));
  const limits = { ...aSample([]).space.limits, hashEntries: 512 };

  test('hashes: the saving that was measured is within the bounds', () => {
    const finding = one('encoding', findings(hashes(), { limits }));
    expect(finding).toMatchObject({
      type: 'hash',
      by: 'entries',
      setting: 'hash-max-listpack-entries',
      limit: 512,
      needed: 600,
    });
    expect(finding?.bytes.low).toBeLessThan((41_896 - 14_384) * 100_000);
    expect(finding?.bytes.high).toBeGreaterThan((41_896 - 14_384) * 100_000);
  });

  test('sorted sets and sets: the same', () => {
    const zsets = draws(200, () => ({ type: 'zset', encoding: 'skiplist', length: 600, bytes: 64_920 }));
    const sets = draws(200, () => ({ type: 'set', encoding: 'hashtable', length: 600, bytes: 27_496 }));
    const zset = one('encoding', findings(zsets, { limits: { ...limits, zsetEntries: 512 } }));
    expect(zset?.bytes.low).toBeLessThan((64_920 - 10_288) * 100_000);
    expect(zset?.bytes.high).toBeGreaterThan((64_920 - 10_288) * 100_000);
    expect(one('encoding', findings(sets, { limits }))).toMatchObject({
      setting: 'set-max-intset-entries',
      limit: 512,
    });
    const texts = { ...limits, setEntries: 256, intsetEntries: 100 };
    expect(one('encoding', findings(sets, { limits: texts }))).toMatchObject({ setting: 'set-max-listpack-entries' });
  });

  test('with few elements, it was one that is too long', () => {
    const finding = one('encoding', findings(hashes({ length: 20, bytes: 5000 }), { limits }));
    expect(finding).toMatchObject({ by: 'value', setting: 'hash-max-listpack-value', limit: 64 });
  });

  test.each<readonly [string, Partial<KeyFacts>]>([
    ['far beyond', { length: 5000, bytes: 350_000 }],
    ['packed already', { encoding: 'listpack', bytes: 14_384 }],
    ['with elements that are data', { length: 20, bytes: 20_000 }],
    ['empty', { length: 0, bytes: 100 }],
  ])('%s, they are none', (_, over) => expect(one('encoding', findings(hashes(over), { limits }))).toBeUndefined());
});

describe('rounding to the allocator’s classes', () => {
  const values = (lengthOf: (index: number) => number) =>
    draws(400, (index) => ({
      encoding: 'raw',
      length: lengthOf(index),
      bytes: lengthOf(index) + 100 + (index % 2) * 8,
    }));

  test('just above a class, says which one and by how much', () => {
    const finding = one('rounding', findings(values(() => 1030)));
    expect(finding).toMatchObject({ near: { fits: 1024, over: 12 }, bytes: { value: (1280 - 1036) * 100_000 } });
    expect(finding?.padding).toBe((2560 - 1280) * 100_000);
  });

  test('of spread sizes, names no class', () => {
    const finding = one('rounding', findings(values((index) => 100 + index * 20)));
    expect(finding?.near).toBeUndefined();
    expect(finding?.share).toBeGreaterThan(0.05);
  });

  test('is not known of another allocator', () => {
    const libc = anObservation({ memory: { memAllocator: 'libc' } });
    expect(
      one(
        'rounding',
        findings(
          values(() => 1030),
          {},
          libc,
        ),
      ),
    ).toBeUndefined();
  });
});

describe('values that compression would shrink', () => {
  const values = (deflated?: number) =>
    draws(400, () => ({ encoding: 'raw', length: 5000, bytes: 5200, ...(deflated !== undefined && { deflated }) }));

  test('are found where they were read', () => {
    expect(one('compressible', findings(values(0.2)))).toMatchObject({
      left: 0.2,
      size: 5000,
      bytes: { value: 409_600_000 },
    });
  });

  test('are none where they were not, and where little is to be gained', () => {
    expect(one('compressible', findings(values()))).toBeUndefined();
    expect(one('compressible', findings(values(0.9)))).toBeUndefined();
    expect(one('compressible', findings(values(1.1)))).toBeUndefined();
  });
});

describe('keys without a TTL', () => {
  test('are exceptions where the others of their pattern have one', () => {
    const mixed = draws(1000, (index) => ({ bytes: 100, ...(index % 10 > 0 && { ttl: HOUR * 5 }) }));
    expect(one('ttl-missing', findings(mixed))).toMatchObject({ share: 0.1, bytes: { value: 1_000_000 } });
    const few = draws(1000, (index) => ({ bytes: 100, ...(index % 10 === 0 && { ttl: HOUR * 5 }) }));
    expect(one('ttl-missing', findings(few))).toBeUndefined();
  });

  test('are a pattern that never expires, beside others that do', () => {
    const staying = draws(500, (index) => ({ name: `stay:${index}`, bytes: 100 }));
    const going = draws(500, (index) => ({ name: `go:${index}`, bytes: 100, ttl: 5 * HOUR }));
    expect(one('never-expires', findings([...staying, ...going]))).toMatchObject({
      pattern: 'stay:*',
      isEvictable: false,
    });
    const allkeys = anObservation({ memory: { maxmemoryPolicy: 'allkeys-lru' } });
    expect(one('never-expires', findings([...staying, ...going], {}, allkeys))?.isEvictable).toBe(true);
    expect(one('never-expires', findings(staying))).toBeUndefined();
  });
});

describe('external fragmentation to come', () => {
  const values = (ttlOf: (index: number) => number | undefined) =>
    draws(1000, (index) => {
      const ttl = ttlOf(index);
      return { encoding: 'raw', length: 1200, bytes: 1344, ...(ttl !== undefined && { ttl }) };
    });

  test('is what expires scattered among what stays', () => {
    const finding = one('uneven-expiry', findings(values((index) => (index % 2 ? 60_000 : undefined))));
    expect(finding).toMatchObject({ at: 60_000, expiring: 0.5 });
    // Half of all, nearly: 16 places of a slab are hardly ever free together.
    expect(finding?.bytes.value).toBeGreaterThan(0.98 * 0.5 * 1344 * 100_000);
  });

  test('is most some time before all has expired, and nothing where all expires at once', () => {
    const spread = one('uneven-expiry', findings(values((index) => 60_000 + index * 240)));
    expect(spread?.at).toBeGreaterThan(200_000);
    expect(spread?.at).toBeLessThan(300_000);
    expect(one('uneven-expiry', findings(values(() => 60_000)))).toBeUndefined();
  });

  test('is not said of what is hours away, nor of values with pages of their own', () => {
    expect(one('uneven-expiry', findings(values((index) => (index % 2 ? 5 * HOUR : undefined))))).toBeUndefined();
    const large = draws(1000, (index) => ({
      encoding: 'raw',
      length: 50_000,
      bytes: 57_400,
      ...(index % 2 && { ttl: 60_000 }),
    }));
    expect(one('uneven-expiry', findings(large))).toBeUndefined();
  });
});

test('of a small server, nothing is worth a change', () => {
  const small = draws(500, (index) => ({ name: `cfg:${index}`, encoding: 'embstr', length: 10, bytes: 72 }));
  expect(findings(small, { databases: [{ index: 0, keys: 5000, expires: 0 }] })).toEqual([]);
});

test('findings that few keys make, or that are little beside all bytes, are left out', () => {
  const some = draws(9, (index) => ({ name: `x:${index}`, encoding: 'raw', length: 1030, bytes: 1400 }));
  const huge = draws(500, (index) => ({ name: `y:${index}`, type: 'list', bytes: 10_000_000 }));
  expect(findings([...some, ...huge])).toEqual([]);
});
