import { describe, expect, test } from 'vitest';
import { endOf } from '../../../../../cli/lab/trial/acts.ts';
import { resultOf, returnedBy, shareOfRestart, sumOf } from '../../../../../cli/lab/trial/result.ts';
import { MIB } from '../../../../../core/config/units.ts';
import { reasonText } from '../../../../../core/reporting/wording/plan.ts';
import { anOutcome, aPlan } from '../../../../support/builders.ts';
import { ALL_ARMS, anArm, aReading } from '../../../../support/trials.ts';

describe('the share of a restart', () => {
  test('is what came back of what a restart with the same data returns', () => {
    const offpeak = resultOf(ALL_ARMS, 'offpeak') ?? anArm('offpeak');
    expect(returnedBy(offpeak)).toBe(97 * MIB);
    expect(shareOfRestart(offpeak, ALL_ARMS)).toBeCloseTo(0.97);
  });

  test('is unknown without a restart, and where a restart returns next to nothing', () => {
    expect(shareOfRestart(anArm('offpeak'), [])).toBeUndefined();
    const tidy = anArm('purge', { before: aReading(100, 1) });
    expect(shareOfRestart(tidy, [anArm('restart', { after: aReading(100) })])).toBeUndefined();
  });
});

test('two servers of one arm count together', () => {
  expect(sumOf([aReading(10, 2, 1), aReading(30, 4, 3)])).toEqual({ ...aReading(40, 6, 4, 2), keys: 2000 });
});

describe('how Offpeak ended', () => {
  const skipped = anOutcome({ plan: { kind: 'skip', reason: 'healthy' } });

  test('nothing done: why, in words, and nothing predicted', () => {
    expect(endOf([skipped, skipped])).toEqual({ ended: reasonText({ kind: 'skip', reason: 'healthy' }) });
  });

  test('what its first plan predicted, not the sum of all', () => {
    const planned = (reclaim: number) =>
      anOutcome({ plan: aPlan({ predicted: { reclaim, stall: 1, firstCycle: 1, duration: 1, isLearned: false } }) });
    expect(endOf([skipped, planned(90), planned(40)]).predicted).toBe(90);
  });
});
