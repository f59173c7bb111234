import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GIB, MIB } from '../../../../core/config/units.ts';
import {
  defraggableFragmentation,
  keptPages,
  predictDefragReclaim,
  predictPurge,
} from '../../../../core/diagnosis/predict.ts';
import type { Learned } from '../../../../core/domain/prediction.ts';
import { stillValid } from '../../../../core/state/history-placement.ts';

describe('MEMORY PURGE', () => {
  test.each([
    // freePages, resident, what was measured to return and to block (Redis 7.0.15, scattered pages)
    [271, 725, 254, 94],
    [537, 990, 505, 159],
  ])('of %d MiB of %d is predicted near what was measured, %d MiB', (freePages, resident, returned, blocked) => {
    const { reclaim, stall } = predictPurge(freePages * MIB, resident * MIB, {});
    expect(reclaim / (returned * MIB)).toBeGreaterThan(0.95);
    expect(reclaim / (returned * MIB)).toBeLessThan(1.05);
    expect(stall).toBeGreaterThanOrEqual(blocked);
  });

  test('takes the pessimistic 400 ms/GiB for a node that is not known yet', () => {
    const { reclaim, stall } = predictPurge(1 * GIB, 1 * GIB, { keptPages: 0 });
    expect({ reclaim, stall }).toEqual({ reclaim: GIB, stall: 400 });
  });

  test.each([
    ['quick nights promise no quick one', 50, 400],
    ['slow ones a slow one, and a fifth more', 500, 600],
  ])('%s', (_what, purgeMsPerGiB, stall) => {
    expect(predictPurge(1 * GIB, 1 * GIB, { keptPages: 0, purgeMsPerGiB }).stall).toBe(stall);
  });

  test.each([
    [0, 1],
    [1, 1],
    [5 * MIB, 2],
  ])('of %d bytes returns nothing and still visits every arena', (freePages, stall) => {
    expect(predictPurge(freePages, 100 * MIB, {})).toEqual({ reclaim: 0, stall });
  });

  test.each<readonly [string, number, Learned]>([
    ['the usual share of it', 1.55, {}],
    ['nearly all of it, by what the node has kept before', 4, { keptPages: 3.9 * GIB }],
  ])('of a heap of 64 GiB is not promised to be short because %s may stay behind', (_what, freePages, learned) => {
    const { reclaim, stall } = predictPurge(freePages * GIB, 64 * GIB, learned);
    expect(reclaim).toBeLessThan(0.3 * freePages * GIB);
    // Were all but the least that stays to leave, at the slowest that was measured.
    expect(stall).toBeGreaterThanOrEqual((freePages - 0.005 * 64) * 380);
  });
});

describe('pages that never leave', () => {
  test.each([
    [246, 10, 13],
    [433, 13, 17],
    [882, 17, 24],
  ])('of a heap of %d MiB are %d to %d MiB', (resident, low, high) => {
    const kept = keptPages(resident * MIB, {}) / MIB;
    expect(kept).toBeGreaterThan(low);
    expect(kept).toBeLessThan(high);
  });

  test('jemalloc keeps the metadata of the most that the process has held', () => {
    expect(keptPages(400 * MIB, {}, 5382 * MIB) / MIB).toBeCloseTo(62.5, 1);
    expect(keptPages(400 * MIB, {}, 400 * MIB)).toBe(keptPages(400 * MIB, {}));
  });

  test('are what the node has shown', () => {
    expect(keptPages(800 * MIB, { keptPages: 30 * MIB })).toBe(30 * MIB);
    expect(keptPages(800 * MIB, { keptPages: 0 })).toBe(0);
  });

  test('are never believed to be all of them: what was freed during one purge does not forbid the next', () => {
    const { reclaim } = predictPurge(800 * MIB, 1200 * MIB, { keptPages: 900 * MIB });
    expect(reclaim).toBeGreaterThan(700 * MIB);
  });
});

describe('active defrag', () => {
  const layers = {
    allocated: 451 * MIB,
    externalFragmentation: 357 * MIB,
    seenByDefrag: 357 * MIB,
    freePages: 18 * MIB,
  };

  test('returns the holes but 1.5 % of the data, and the pages that are freePages already', () => {
    const reclaim = predictDefragReclaim(layers, {});
    expect(reclaim / MIB).toBeCloseTo(357 - 0.015 * 451 + (18 - 6 - 0.02 * 451), 0);
  });

  test.each([
    ['all of them', 357, 357 - 0.015 * 451],
    ['half of them', 178, 178 - 0.015 * 451],
    ['few of them', 6, 0],
    ['none of them', 0, 0],
    ['more than there are', 500, 357 - 0.015 * 451],
  ])('closes the holes that it sees: %s', (_what, seen, closed) => {
    expect(defraggableFragmentation({ ...layers, seenByDefrag: seen * MIB }) / MIB).toBeCloseTo(closed, 6);
  });

  test('sees all of them where the server does not say', () => {
    const { seenByDefrag: _, ...unsaid } = layers;
    expect(defraggableFragmentation(unsaid)).toBe(defraggableFragmentation(layers));
  });

  test('is scaled by what earlier runs have returned', () => {
    expect(predictDefragReclaim(layers, { defragShare: 0.5 })).toBe(Math.round(predictDefragReclaim(layers, {}) / 2));
  });

  test('never promises more than there is, on its own arithmetic', () => {
    const bytes = fc.maxSafeNat();
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, (allocated, externalFragmentation, seenByDefrag, freePages) => {
        const reclaim = predictDefragReclaim({ allocated, externalFragmentation, seenByDefrag, freePages }, {});
        expect(reclaim).toBeGreaterThanOrEqual(0);
        expect(reclaim).toBeLessThanOrEqual(externalFragmentation + freePages + 1);
      }),
    );
  });
});

test('what was learned is forgotten after a month, and with the version that it was learned on', () => {
  const learned = { defragShare: 0.5, at: 0, version: '7.0.15' };
  const month = 30 * 24 * 3_600_000;
  expect(stillValid(learned, { at: month, version: '7.0.15' })).toEqual(learned);
  expect(stillValid(learned, { at: month + 1, version: '7.0.15' })).toEqual({});
  expect(stillValid(learned, { at: 1, version: '7.2.6' })).toEqual({});
  // As earlier versions of Offpeak wrote it, without a date.
  expect(stillValid({ defragShare: 0.5 }, { at: month * 9, version: '7.2.6' })).toEqual({ defragShare: 0.5 });
});
