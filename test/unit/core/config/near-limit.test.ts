import { describe, expect, test } from 'vitest';
import { isNearLimit, nearLimitFrom } from '../../../../core/config/near-limit.ts';
import { GIB } from '../../../../core/config/units.ts';
import { diagnose } from '../../../../core/diagnosis/diagnose.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';

/** 85 % of it is not a whole number of bytes. */
const limited = anInstance({ memoryLimit: 6 * GIB });
const FROM = 5_476_083_303;

describe('near the limit', () => {
  test('begins at the first whole byte of the share', () => {
    expect(nearLimitFrom(limited)).toBe(FROM);
    expect(0.85 * 6 * GIB).toBeGreaterThan(FROM - 1);
  });

  test.each([
    [FROM - 1, false],
    [FROM, true],
    [7 * GIB, true],
  ])('an RSS of %d bytes: %s, in the rule and in the finding', (usedMemoryRss, isNear) => {
    const { findings } = diagnose(anObservation({ memory: { usedMemoryRss } }), limited);
    expect([isNearLimit(usedMemoryRss, limited), findings.some(({ kind }) => kind === 'near-limit')]).toEqual([
      isNear,
      isNear,
    ]);
  });

  test('is nowhere without a limit or an RSS', () => {
    expect(isNearLimit(7 * GIB, anInstance())).toBe(false);
    expect(isNearLimit(undefined, limited)).toBe(false);
  });
});
