import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { infoLines } from '../../../../core/adapters/redis/info.ts';
import { memorySample } from '../../../../core/adapters/redis/memory-fields.ts';
import { MIB } from '../../../../core/config/units.ts';
import { diagnose } from '../../../../core/diagnosis/diagnose.ts';
import type { Diagnosis } from '../../../../core/domain/diagnosis.ts';
import type { MemorySample } from '../../../../core/domain/observation.ts';
import { aMemorySample, anInstance, anObservation } from '../../../support/builders.ts';
import { INFO_NAMES, infoText } from '../../../support/info-texts.ts';

/** Low floors, so that the captured servers of 60 MB are worth a word. */
const CURIOUS = anInstance({
  purge: { ...anInstance().purge, minReclaim: 4 * MIB },
  defrag: { ...anInstance().defrag, minReclaim: 8 * MIB },
});

const ofText = (name: string, policy = CURIOUS) =>
  diagnose({ ...anObservation(), memory: memorySample([infoLines(infoText(name))]) }, policy);
/** Exactly this sample: nothing of the builders'. */
const ofSample = (memory: MemorySample, policy = anInstance()) => diagnose({ ...anObservation(), memory }, policy);
const kinds = ({ findings }: Diagnosis) => findings.map(({ kind }) => kind);

describe('the layers, in bytes', () => {
  test.each([
    // name, allocated, active − allocated, seen by defrag, resident − active, RSS − resident
    ['redis-7.0.15', 16411576, 34878536, 34878536, 2342912, 3457024],
    ['redis-7.0.15-bgsave-in-progress', 277471432, 32775992, 32775992, 5414912, 3166208],
    ['redis-7.0.15-debian-system-jemalloc', 17025544, 35247608, 35247608, 3325952, 7942144],
    ['redis-7.0.15-defrag-running', 16695984, 34901328, 34901328, 2347008, 3145728],
    ['redis-7.0.15-empty', 1084368, 189488, 189488, 1261568, 3338240],
    ['redis-7.0.15-primary-with-replica', 1338320, 230448, 230448, 1261568, 3182592],
    ['redis-7.0.15-replica', 1129280, 197824, 197824, 1261568, 3518464],
    ['redis-8.2.3', 16525080, 34203880, 34083912, 3399680, 5156864],
    ['valkey-8.0.1-system-jemalloc', 16788552, 34579384, 34517944, 3284992, 8421376],
    ['valkey-8.1.1-system-jemalloc', 17025456, 33941072, 0, 1998848, 11296768],
    ['valkey-9.1.2-system-jemalloc', 17152664, 33944936, 0, 3280896, 10121216],
    ['written-elasticache-7.1.0', 2596542344, 839431492, 839431492, 107374183, 107374182],
    ['written-keydb-6.3.4-active-replica', 387624368, 254276432, 254276432, 48838400, 15296000],
  ])('%s', (name, allocated, externalFragmentation, seenByDefrag, freePages, overhead) => {
    expect(ofText(name).layers).toEqual({ allocated, externalFragmentation, seenByDefrag, freePages, overhead });
  });

  test.each(['written-redis-4.0.14', 'written-dragonfly-1.40.1', 'written-garnet-2.1.5'])('%s reports none', (name) => {
    const diagnosis = ofText(name);
    expect(diagnosis.layers).toBeUndefined();
    expect(diagnosis.reclaimable).toEqual({ defrag: 0, purge: { reclaim: 0, stall: 0 } });
    expect(diagnosis.findings).toContainEqual(expect.objectContaining({ kind: 'no-layers', why: 'not-reported' }));
  });

  test.each(['written-redis-7.0-libc', 'written-redis-7.0-libc-underflow'])(
    '%s has none: what libc builds print there is RSS once more',
    (name) => {
      const diagnosis = ofText(name);
      expect(diagnosis.layers).toBeUndefined();
      expect(diagnosis.reclaimable).toEqual({ defrag: 0, purge: { reclaim: 0, stall: 0 } });
      expect(diagnosis.findings).toContainEqual({
        kind: 'no-layers',
        why: 'not-jemalloc',
        memAllocator: 'libc',
        beyondUsed: expect.any(Number),
      });
    },
  );

  test('the holes are there although the defragger of Valkey 8.1 and 9.1 sees none of them', () => {
    for (const name of ['valkey-8.1.1-system-jemalloc', 'valkey-9.1.2-system-jemalloc']) {
      const { findings, reclaimable } = ofText(name);
      expect(findings).toContainEqual(expect.objectContaining({ kind: 'fragmented', bytes: expect.any(Number) }));
      expect(reclaimable.defrag).toBeLessThan(4 * MIB);
    }
  });

  test.each([['allocatorAllocated'], ['allocatorActive'], ['allocatorResident'], ['usedMemoryRss']] as const)(
    'without %s there are none, and nothing is predicted',
    (absent) => {
      const { [absent]: _, ...sample } = aMemorySample();
      const diagnosis = ofSample(sample);
      expect(diagnosis.layers).toBeUndefined();
      expect(diagnosis.reclaimable).toEqual({ defrag: 0, purge: { reclaim: 0, stall: 0 } });
      expect(kinds(diagnosis)).toContain('no-layers');
    },
  );

  test('overhead may be negative: pages of the allocator that were never touched', () => {
    const { layers } = ofSample(aMemorySample({ usedMemoryRss: 820 * MIB, allocatorResident: 826 * MIB }));
    expect(layers?.overhead).toBe(-6 * MIB);
  });

  test('samples of different instants never make a negative layer of the allocator', () => {
    const { layers } = ofSample(aMemorySample({ allocatorActive: 450 * MIB, allocatorResident: 449 * MIB }));
    expect(layers).toMatchObject({ externalFragmentation: 0, freePages: 0 });
  });
});

describe('the ratio', () => {
  test.each([
    ['redis-7.0.15', 3.49],
    ['redis-7.0.15-empty', 6.36],
    ['valkey-8.1.1-system-jemalloc', 3.9],
    ['written-redis-4.0.14', 1.7],
    ['written-redis-7.0-libc-underflow', 0.72],
  ])('of %s is about %d', (name, ratio) => {
    expect(ofText(name).ratio).toBeCloseTo(ratio, 2);
  });

  test.each([
    ['no RSS', { usedMemory: 1 }],
    ['no used_memory', { usedMemoryRss: 1 }],
    ['nothing used', { usedMemory: 0, usedMemoryRss: 1 }],
  ])('is absent with %s', (_what, memory) => {
    expect(ofSample(memory).ratio).toBeUndefined();
  });
});

describe('findings', () => {
  test('an idle empty server is healthy whatever its ratio', () => {
    const diagnosis = ofText('redis-7.0.15-empty', anInstance());
    expect(diagnosis.ratio).toBeGreaterThan(6);
    expect(diagnosis.findings).toEqual([{ kind: 'too-small', usedMemoryRss: 5_873_664, floor: 100 * MIB }]);
  });

  test('from the floor on a server is worth a look', () => {
    expect(kinds(ofSample(aMemorySample({ usedMemoryRss: 100 * MIB })))).not.toContain('too-small');
    expect(kinds(ofSample(aMemorySample({ usedMemory: 90 * MIB, usedMemoryRss: 100 * MIB - 1 })))).toContain(
      'too-small',
    );
  });

  test('the floor is the smaller one of the two reclaimable', () => {
    const policy = anInstance({ purge: { ...anInstance().purge, minReclaim: 842 * MIB } });
    expect(kinds(ofSample(aMemorySample(), policy))).not.toContain('too-small');
    const both = { ...policy, defrag: { ...policy.defrag, minReclaim: 900 * MIB } };
    expect(ofSample(aMemorySample(), both).findings).toEqual([
      { kind: 'too-small', usedMemoryRss: 841 * MIB, floor: 842 * MIB },
    ]);
  });

  test('holes are told from minReclaim on, with their share of the data', () => {
    const found = ofSample(aMemorySample());
    expect(found.findings).toEqual([
      {
        kind: 'fragmented',
        bytes: 357 * MIB,
        percentOfData: (357 / 451) * 100,
        closable: Math.round((357 - 0.015 * 451) * MIB),
        unproven: true,
      },
    ]);
    // A finished defrag leaves 1.5 % of the data as holes.
    const worth = Math.ceil(451 * MIB + (100 + 0.015 * 451) * MIB);
    expect(kinds(ofSample(aMemorySample({ allocatorActive: worth - 1 })))).not.toContain('fragmented');
    expect(kinds(ofSample(aMemorySample({ allocatorActive: worth })))).toContain('fragmented');
  });

  test('retained pages are told from minReclaim on', () => {
    // 6 MiB and 2 % of what is resident stay behind, whatever is done.
    const resident = Math.ceil(((808 + 128 + 6) / 0.98) * MIB);
    const memory = { allocatorResident: resident, usedMemoryRss: resident };
    expect(ofSample(aMemorySample(memory)).findings).toContainEqual({
      kind: 'free-pages',
      bytes: resident - 808 * MIB,
      returnable: 128 * MIB,
    });
    expect(kinds(ofSample(aMemorySample({ ...memory, allocatorResident: resident - 2 * MIB })))).not.toContain(
      'free-pages',
    );
  });

  test('overhead is told when it is a tenth of the rest and above the floor; Lua is not in it', () => {
    const memory = { usedMemoryRss: 926 * MIB, allocatorResident: 826 * MIB };
    const lua = { scriptsVm: 0, functionsVm: 0 };
    expect(ofSample(aMemorySample({ ...memory, ...lua })).findings).toContainEqual({
      kind: 'overhead',
      bytes: 100 * MIB,
      percent: (100 / 926) * 100,
    });
    expect(kinds(ofSample(aMemorySample({ ...memory, scriptsVm: MIB })))).not.toContain('overhead');
    expect(kinds(ofSample(aMemorySample({ ...memory, ...lua, usedMemoryRss: 908 * MIB })))).not.toContain('overhead');
    const large = { usedMemoryRss: 8_300 * MIB, allocatorActive: 8_000 * MIB, allocatorResident: 8_000 * MIB };
    expect(kinds(ofSample(aMemorySample(large)))).not.toContain('overhead');
  });

  test.each([
    [84.99, false],
    [85, true],
    [120, true],
  ])('RSS at %d %% of memoryLimit', (percent, isNear) => {
    const limit = 1000 * MIB;
    const diagnosis = ofSample(
      aMemorySample({ usedMemoryRss: limit * (percent / 100) }),
      anInstance({ memoryLimit: limit }),
    );
    const near = diagnosis.findings.find(({ kind }) => kind === 'near-limit');
    expect(near).toEqual(
      isNear
        ? {
            kind: 'near-limit',
            usedMemoryRss: limit * (percent / 100),
            limit,
            of: 'config',
            percent: expect.closeTo(percent, 6),
            returnable: expect.any(Number),
          }
        : undefined,
    );
  });

  test('without a memoryLimit nothing is near it', () => {
    expect(kinds(ofSample(aMemorySample({ usedMemoryRss: 10 ** 12 })))).not.toContain('near-limit');
  });

  test('near the limit is a finding also on a server that is too small for an action', () => {
    const memory = aMemorySample({ usedMemoryRss: 60 * MIB, usedMemory: 50 * MIB });
    expect(kinds(ofSample(memory, anInstance({ memoryLimit: 64 * MIB })))).toEqual([
      'near-limit',
      'maxmemory',
      'too-small',
    ]);
  });

  test('RSS below used is told with both figures', () => {
    const memory = aMemorySample({ usedMemory: 900 * MIB });
    expect(ofSample(memory).findings).toContainEqual({
      kind: 'rss-below-used',
      usedMemory: 900 * MIB,
      usedMemoryRss: 841 * MIB,
    });
    expect(kinds(ofSample(aMemorySample({ usedMemory: 841 * MIB })))).not.toContain('rss-below-used');
  });

  test('nothing known is nothing found, but for that', () => {
    expect(ofSample({}).findings).toEqual([{ kind: 'no-layers', why: 'not-reported', beyondUsed: 0 }]);
  });
});

describe('whatever a server reports', () => {
  const bytes = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
  const sample = fc.record(
    {
      usedMemory: bytes,
      usedMemoryRss: bytes,
      allocatorAllocated: bytes,
      allocatorActive: bytes,
      allocatorResident: bytes,
      allocatorFragBytes: bytes,
      maxmemory: bytes,
      scriptsVm: bytes,
      memAllocator: fc.constantFrom('jemalloc-5.3.0', 'libc', ''),
    },
    { requiredKeys: [] },
  );
  const learned = fc.record(
    {
      purgeMsPerGiB: fc.double({ min: 20, max: 4000, noNaN: true }),
      keptPages: bytes,
      defragShare: fc.double({ min: 0.1, max: 1.2, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  const limit = fc.option(fc.integer({ min: 1 }), { nil: undefined });

  test('every figure of the diagnosis is finite, and no cure promises less than nothing', () => {
    fc.assert(
      fc.property(sample, learned, limit, (memory, known, memoryLimit) => {
        const policy = { ...CURIOUS, ...(memoryLimit !== undefined && { memoryLimit }) };
        const diagnosis = diagnose({ ...anObservation(), memory }, policy, known);
        expect(figuresIn(diagnosis).filter((figure) => !Number.isFinite(figure))).toEqual([]);
        const { defrag, purge } = diagnosis.reclaimable;
        expect([defrag, purge.reclaim, purge.stall].every((figure) => figure >= 0)).toBe(true);
      }),
    );
  });

  test.each(INFO_NAMES)('%s as well', (name) => {
    expect(figuresIn(ofText(name)).filter((figure) => !Number.isFinite(figure))).toEqual([]);
  });
});

function figuresIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(figuresIn) : [];
}
