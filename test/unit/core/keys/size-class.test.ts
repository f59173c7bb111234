import fc from 'fast-check';
import { expect, test } from 'vitest';
import { classBelow, quantumOf, rawBytes, sizeClass, slabPlaces } from '../../../../core/keys/size-class.ts';

test('the classes of Redis’ own jemalloc, as MEMORY MALLOC-STATS lists its bins', () => {
  const bins = [
    8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280,
    1536, 1792, 2048, 2560,
  ];
  const seen = new Set(Array.from({ length: 2560 }, (_, index) => sizeClass(index + 1, 8)));
  expect([...seen]).toEqual(bins);
});

test('a distribution’s jemalloc has steps of 16 below 128', () => {
  const seen = new Set(Array.from({ length: 160 }, (_, index) => sizeClass(index + 1, 16)));
  expect([...seen]).toEqual([8, 16, 32, 48, 64, 80, 96, 112, 128, 160]);
});

test('a class holds what it is for, wastes a fifth at most, and the one below is too small', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.constantFrom(8 as const, 16 as const), (bytes, quantum) => {
      const size = sizeClass(bytes, quantum);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(sizeClass(size, quantum)).toBe(size);
      expect(classBelow(bytes, quantum)).toBeLessThan(bytes);
      if (bytes > 128) expect(size - bytes).toBeLessThan(size / 5);
    }),
  );
});

test.each([
  [8, 512],
  [48, 256],
  [1280, 16],
  [5120, 4],
  [14_336, 2],
])('a slab of class %i has %i places, as jemalloc has them', (size, places) => expect(slabPlaces(size)).toBe(places));

test('a string has a header by its length, and a zero', () => {
  expect([45, 255, 256, 65_535, 65_536].map((length) => rawBytes(length) - length)).toEqual([4, 4, 6, 6, 10]);
});

test('the quantum shows in the sizes; of too few, it is that of Redis’ own build', () => {
  expect(quantumOf([56, 72, 88, 104, 120, 56])).toBe(16);
  expect(quantumOf([56, 64, 72, 80, 88])).toBe(8);
  expect(quantumOf([56, 72])).toBe(8);
});
