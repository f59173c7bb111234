import { describe, expect, test } from 'vitest';
import { initialProgress, nextProgress, restarted, underWayIn } from '../../../../../core/actions/defrag/progress.ts';
import { planLeased } from '../../../../../core/actions/defrag/stop-rule.ts';
import { MIB, SECOND } from '../../../../../core/config/units.ts';
import type { Lease, Progress } from '../../../../../core/domain/lease.ts';
import type { Observation } from '../../../../../core/domain/observation.ts';
import { aLease, anObservation, NOW } from '../../../../support/builders.ts';
import { aSituation } from '../../../../support/situations.ts';

const KEYS = 100_000;
const BEGUN = 200 * MIB;

/**
 * A look at a run that began at NOW: seconds, scans of all keys, MiB of holes that are left, and the share of the values that it has moved of
 * those that it has looked at so far.
 */
function look(seconds: number, scans: number, left: number, share = 0.3, over: Partial<Observation['defrag']> = {}) {
  return anObservation({
    at: NOW + seconds * SECOND,
    keys: KEYS,
    memory: { allocatorAllocated: 400 * MIB, allocatorActive: (400 + left) * MIB },
    defrag: {
      settings: { ...anObservation().defrag.settings, ...aLease().applied },
      running: 25,
      hits: Math.round(seconds * 50_000 * share),
      misses: Math.round(seconds * 50_000 * (1 - share)),
      scannedKeys: 7_000 + Math.round(scans * KEYS),
      ...over,
    },
  });
}

function leaseOf(progress: Progress, over: Partial<Lease> = {}): Lease {
  return aLease({
    cpu: 25,
    acquiredAt: NOW,
    before: { usedMemoryRss: 700 * MIB, allocated: 400 * MIB, fragmentation: BEGUN },
    ...over,
    progress,
  });
}

type Look = readonly [seconds: number, scans: number, left: number, moved: number];

/** Look after look, each with the values that it has seen moved (of 100,000 that were looked at); when the run would end, and why. */
function runOf(looks: readonly Look[], over: Partial<Lease> = {}) {
  let progress = initialProgress(look(0, 0, 200));
  let [hits, misses] = [0, 0];
  for (const [seconds, scans, left, moved] of looks) {
    hits += moved;
    misses += 100_000 - moved;
    const lease = leaseOf(progress, over);
    const observation = look(seconds, scans, left, 0, { hits, misses });
    const plan = planLeased(aSituation({ observation, now: observation.at }), lease);
    if (plan.kind === 'act') return [seconds, plan.reason];
    progress = nextProgress(lease, observation);
  }
  return undefined;
}

describe('a run that returns too little for its work', () => {
  test('ends with the first stretch that does', () => {
    expect(
      runOf([
        [2, 0.5, 150, 30_000],
        [4, 1, 60, 20_000],
        [6, 1.5, 20, 4_000],
        [8, 2, 19.5, 2_000],
        [10, 2.5, 19.4, 2_000],
      ]),
    ).toEqual([8, 'no-progress']);
  });

  test('not while it pays: 2 % of the average are enough', () => {
    expect(
      runOf([
        [2, 0.5, 150, 30_000],
        [4, 1, 60, 20_000],
        [6, 1.5, 20, 4_000],
        [8, 2, 18, 2_000],
        [10, 2.5, 16, 2_000],
      ]),
    ).toBeUndefined();
  });

  test('not while many values are moved: slabs of small ones are freed when the last of them has gone', () => {
    const late = Array.from({ length: 30 }, (_, index) => [2 + index * 2, 0.4 * index, 200, 5_000] as const);
    expect(runOf(late)).toBeUndefined();
  });

  test('a large collection makes the counter of keys run ahead: what is moved counts', () => {
    expect(
      runOf([
        [2, 5, 199, 60_000],
        [4, 10, 190, 60_000],
        [6, 15, 120, 60_000],
        [8, 20, 30, 40_000],
        [10, 25, 30, 500],
        [12, 30, 30, 500],
      ]),
    ).toEqual([12, 'no-progress']);
  });

  test('not before the scan has seen every key, and half of the predicted work is done', () => {
    const poor: readonly Look[] = [2, 4, 6, 8, 10, 12].map((seconds) => [seconds, seconds / 6, 200, 100]);
    expect(runOf(poor)).toEqual([6, 'no-progress']);
    // 40 s at 25 % are predicted: 5 s of the main thread are half of that, and 6 s at 25 % are not.
    const predicted = { reclaim: 190 * MIB, stall: 0.5, duration: 40 * SECOND };
    expect(runOf(poor, { predicted })).toBeUndefined();
  });
});

describe('a defragger that has nothing to look at', () => {
  const still = (seconds: number) => [seconds, 0, 5, 0] as const;

  test('is ended after a minute', () => {
    let progress = initialProgress(look(0, 0, 5));
    const ends: boolean[] = [];
    for (let seconds = 10; seconds <= 80; seconds += 10) {
      const lease = leaseOf(progress, { before: { usedMemoryRss: 1, allocated: 1, fragmentation: 5 * MIB } });
      const observation = look(...(still(seconds).slice(0, 3) as [number, number, number]), 0, { hits: 0, misses: 0 });
      ends.push(planLeased(aSituation({ observation, now: observation.at }), lease).kind === 'act');
      progress = nextProgress(lease, observation);
    }
    expect(ends.indexOf(true)).toBe(6);
  });
});

describe('scans', () => {
  const seenBy = (progress: Progress, observation: Observation) => nextProgress(leaseOf(progress), observation);

  test('are counted look by look, by the keys of that time', () => {
    const half = seenBy(initialProgress(look(0, 0, 200)), look(4, 0.5, 150));
    expect(half.scans).toBeCloseTo(0.5);
    // Most keys have expired since: half of them, and not five times all, were passed in this look.
    expect(seenBy(half, { ...look(8, 0.55, 150), keys: KEYS / 10 }).scans).toBeCloseTo(1);
  });

  test('do not go back with CONFIG RESETSTAT', () => {
    const before = seenBy(initialProgress(look(0, 3, 200)), look(4, 4, 150));
    expect(seenBy(before, look(8, -0.05, 150)).scans).toBeCloseTo(1);
  });

  test('begin anew with a run at another pace, and so does the wait for its beginning', () => {
    const before = seenBy(initialProgress(look(0, 0, 200)), look(10, 0.9, 150));
    const again = restarted(before, NOW + 11 * SECOND);
    expect(again).toMatchObject({ scans: 0, moved: before.moved });
    const resting = look(16, 0.9, 150, 0.3, { running: 0 });
    expect(planLeased(aSituation({ observation: resting, now: resting.at }), leaseOf(again)).kind).toBe('skip');
    expect(planLeased(aSituation({ observation: resting, now: resting.at }), leaseOf(before)).reason).toBe(
      'no-progress',
    );
  });

  test.each([
    ['keys', { ...look(4, 1, 150), keys: 0 }, 0],
    ['a counter', look(4, 1, 150, 0.3, { scannedKeys: Number.NaN }), 0],
  ])('without %s, none are counted', (_what, observation, scans) => {
    const { scannedKeys, ...defrag } = observation.defrag;
    const blind = Number.isNaN(scannedKeys) ? { ...observation, defrag } : observation;
    expect(seenBy(initialProgress(look(0, 0, 200)), blind).scans).toBe(scans);
  });

  test('a rest costs no work', () => {
    expect(seenBy(initialProgress(look(0, 0, 200)), look(10, 0, 200, 0, { running: 0 })).work).toBe(0);
    expect(seenBy(initialProgress(look(0, 0, 200)), look(10, 1, 100)).work).toBe(2500);
  });
});

describe('how far a run has come', () => {
  const predicted = { reclaim: 190 * MIB, stall: 0.5, duration: 40 * SECOND };
  const seen = (seconds: number, over: Partial<Lease> = {}) =>
    underWayIn(leaseOf(initialProgress(look(0, 0, 200)), { predicted, ...over }), look(seconds, 0.5, 150));

  test('goes by the work that was predicted', () => {
    expect(seen(10)).toEqual({
      elapsed: 10 * SECOND,
      moved: 150_000,
      closed: 50 * MIB,
      level: 0,
      share: 0.25,
      left: 30 * SECOND,
    });
  });

  test('says when that is used up, and no longer how much is left', () => {
    expect(seen(50)).toMatchObject({ isLate: true });
    expect(seen(50)).not.toHaveProperty('left');
  });

  test('a lease of 0.1 has only what was seen', () => {
    const { cpu: _, ...old } = leaseOf(initialProgress(look(0, 0, 200)), { predicted });
    expect(underWayIn(old, look(10, 0.5, 150))).toMatchObject({ elapsed: 10 * SECOND, moved: 150_000 });
    expect(underWayIn(old, look(10, 0.5, 150))).not.toHaveProperty('share');
  });
});
