import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labRecipe } from '../../../../../cli/lab/trial/recipes.ts';
import { roomFor, waves } from '../../../../../cli/lab/trial/room.ts';
import { MIB } from '../../../../../core/config/units.ts';

const GIB = 1024 * MIB;
const OPTIONS = { scale: 1, seed: 1, isLarge: false };

describe('waves', () => {
  test('what fits runs at once, in the order given', () => {
    const tasks = [{ peak: 3 }, { peak: 5 }, { peak: 4 }, { peak: 2 }];
    expect(waves(tasks, 9)).toEqual([
      [{ peak: 3 }, { peak: 5 }],
      [{ peak: 4 }, { peak: 2 }],
    ]);
  });

  test('all tasks, each once, and no wave takes more than there is', () => {
    const peaks = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 12 });
    fc.assert(
      fc.property(peaks, fc.integer({ min: 100, max: 500 }), (all, room) => {
        const planned = waves(
          all.map((peak) => ({ peak })),
          room,
        );
        expect(
          planned
            .flat()
            .map(({ peak }) => peak)
            .toSorted(),
        ).toEqual(all.toSorted());
        for (const wave of planned) expect(wave.reduce((sum, { peak }) => sum + peak, 0)).toBeLessThanOrEqual(room);
      }),
    );
  });
});

describe('the memory that a recipe takes', () => {
  test('the article at its own size, and each of its arms, fit into 8 GB', () => {
    const { table, peak } = labRecipe('article', OPTIONS);
    for (const bytes of [table?.peak({}), peak({}), peak({ isPadded: true })]) expect(bytes).toBeLessThan(7 * GIB);
  });

  test('too little: says how much it takes, how much there is, and a scale that fits', async () => {
    const most = process.availableMemory();
    await expect(roomFor([{ peak: most * 2 }], 1)).rejects.toThrow(
      /^this takes [\d.]+ [GT]iB of memory, and [\d.]+ [MG]iB are free: --scale 0\.\d fits$/,
    );
  });

  test('far too little: no scale is promised', async () => {
    await expect(roomFor([{ peak: process.availableMemory() * 1000 }], 1)).rejects.toThrow(/use a larger machine$/);
  });
});
