import { describe, expect, test } from 'vitest';
import type { Lease, Progress } from '../../../../functions/maintain/decide/lease.ts';
import type { Observation } from '../../../../functions/maintain/decide/observation.ts';
import { advance, beginning, scansOf, underWayIn } from '../../../../functions/maintain/decide/progress.ts';
import { planLeased } from '../../../../functions/maintain/decide/stop.ts';
import { MIB, SECOND } from '../../../../functions/shared/config/units.ts';
import { aLease, anObservation, NOW } from '../../../support/builders.ts';
import { aSituation } from '../../../support/situations.ts';

const KEYS = 100_000;
const BEGUN = 200 * MIB;

/** A look at a run that began at NOW: seconds, scans of all keys, MiB of holes that are left. Everything moves all the time. */
function look(seconds: number, scans: number, left: number, over: Partial<Observation['defrag']> = {}): Observation {
  return anObservation({
    at: NOW + seconds * SECOND,
    keys: KEYS,
    memory: { allocatorAllocated: 400 * MIB, allocatorActive: (400 + left) * MIB },
    defrag: {
      settings: { ...anObservation().defrag.settings, ...aLease().applied },
      running: 25,
      hits: Math.round(seconds * 10_000),
      misses: Math.round(seconds * 40_000),
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

/** Look after look; when the run would end, and why. */
function runOf(looks: readonly (readonly [seconds: number, scans: number, left: number])[]) {
  let progress = beginning(look(0, 0, 200));
  for (const [seconds, scans, left] of looks) {
    const lease = leaseOf(progress);
    const observation = look(seconds, scans, left);
    const plan = planLeased(aSituation({ observation, now: observation.at }), lease);
    if (plan.kind === 'act') return [seconds, plan.reason];
    progress = advance(lease, observation);
  }
  return undefined;
}

describe('a run that returns too little for its work', () => {
  test('ends with the first half of a scan that does', () => {
    expect(
      runOf([
        [2, 0.5, 150],
        [4, 1, 60],
        [6, 1.5, 20],
        [8, 2, 19.5],
        [10, 2.5, 19.4],
      ]),
    ).toEqual([8, 'no-progress']);
  });

  test('not while it pays: 2 % of the average are enough', () => {
    expect(
      runOf([
        [2, 0.5, 150],
        [4, 1, 60],
        [6, 1.5, 20],
        [8, 2, 18],
        [10, 2.5, 16],
      ]),
    ).toBeUndefined();
  });

  test('small values pay only as the first scan ends: no holes are closed before', () => {
    expect(
      runOf([
        [2, 0.25, 200],
        [4, 0.5, 200],
        [6, 0.75, 200],
        [8, 1, 199],
        [10, 1.3, 40],
        [12, 1.6, 30],
      ]),
    ).toBeUndefined();
  });

  test('that never pays ends after a scan and a half', () => {
    expect(
      runOf([
        [4, 0.5, 200],
        [8, 1, 200],
        [12, 1.5, 200],
      ]),
    ).toEqual([12, 'no-progress']);
  });

  test('looks that are closer than half a scan are taken together', () => {
    const looks = Array.from({ length: 40 }, (_, index) => {
      const scans = (index + 1) * 0.1;
      return [(index + 1) * 2, scans, Math.max(20, 200 - scans * 120)] as const;
    });
    const [seconds, reason] = runOf(looks) ?? [];
    expect(reason).toBe('no-progress');
    // 1.5 scans close all that can be closed; the half after that shows it.
    expect(Number(seconds)).toBeGreaterThanOrEqual(40);
    expect(Number(seconds)).toBeLessThanOrEqual(44);
  });
});

describe('scans', () => {
  test('are counted from where the counter stood', () => {
    expect(scansOf(advance(leaseOf(beginning(look(0, 0, 200))), look(4, 0.5, 150)), look(4, 0.5, 150))).toBeCloseTo(
      0.5,
    );
  });

  test('begin anew after CONFIG RESETSTAT', () => {
    const before = advance(leaseOf(beginning(look(0, 3, 200))), look(4, 4, 150));
    const reset = look(8, -0.05, 150);
    const after = advance(leaseOf(before), reset);
    expect(scansOf(after, reset)).toBe(0);
    expect(after.mark?.scanned).toBe(2_000);
  });

  test.each([
    ['keys', { ...look(4, 1, 150), keys: 0 }],
    ['scanned keys', look(4, 1, 150, { scannedKeys: NaN })],
  ])('without %s, nothing is judged by them', (_what, observation) => {
    const { scannedKeys, ...defrag } = observation.defrag;
    const blind = Number.isNaN(scannedKeys) ? { ...observation, defrag } : observation;
    const start = Number.isNaN(scannedKeys) ? { ...look(0, 0, 200), defrag } : look(0, 0, 200);
    expect(scansOf(advance(leaseOf(beginning(start)), blind), blind)).toBeUndefined();
  });
});

describe('how far a run has come', () => {
  const predicted = { reclaim: 190 * MIB, stall: 0.5, duration: 40 * SECOND };
  const seen = (seconds: number, over: Partial<Lease> = {}) =>
    underWayIn(leaseOf(beginning(look(0, 0, 200)), { predicted, ...over }), look(seconds, 0.5, 150));

  test('goes by the work that was predicted', () => {
    expect(seen(10)).toEqual({
      elapsed: 10 * SECOND,
      moved: 100_000,
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
    const { cpu: _, ...old } = leaseOf(beginning(look(0, 0, 200)), { predicted });
    expect(underWayIn(old, look(10, 0.5, 150))).toMatchObject({ elapsed: 10 * SECOND, moved: 100_000 });
    expect(underWayIn(old, look(10, 0.5, 150))).not.toHaveProperty('share');
  });
});
