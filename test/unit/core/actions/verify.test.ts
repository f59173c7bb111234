import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learnFromDefrag } from '../../../../core/actions/defrag/learn.ts';
import { learnFromPurge } from '../../../../core/actions/purge/learn.ts';
import { rssAfter, verify } from '../../../../core/actions/verify.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { predictPurge } from '../../../../core/diagnosis/predict.ts';
import type { Lease } from '../../../../core/domain/lease.ts';
import { EMPTY_HISTORY, type NodeHistory } from '../../../../core/domain/node-history.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import type { Verdict } from '../../../../core/domain/verdict.ts';
import { aHistory, aLease, anObservation, aVerdict } from '../../../support/builders.ts';

function verdictOf(reclaimed: number, predicted: number) {
  return verify({
    action: 'purge',
    before: { usedMemoryRss: 800 * MIB, allocated: 500 * MIB },
    after: { usedMemoryRss: 800 * MIB - reclaimed, allocated: 500 * MIB },
    predicted: { reclaim: predicted, stall: 40 },
    stall: 38,
    promisedStall: 100,
  });
}

describe('the verdict', () => {
  test('holds what was measured beside what was promised', () => {
    expect(verdictOf(200 * MIB, 250 * MIB)).toEqual({
      action: 'purge',
      kind: 'improved',
      rssBefore: 800 * MIB,
      rssAfter: 600 * MIB,
      dataGrowth: 0,
      reclaimed: 200 * MIB,
      predicted: 250 * MIB,
      share: 0.8,
      stall: 38,
      promisedStall: 100,
    });
  });

  test.each([
    // returned, predicted, in MiB
    [100, 100, 'improved'],
    [120, 100, 'improved'],
    [25, 100, 'improved'],
    [24.9, 100, 'unchanged'],
    [0, 100, 'unchanged'],
    [-8, 100, 'unchanged'],
    [-8.1, 100, 'worse'],
    [8, 20, 'unchanged'],
    [8.1, 20, 'improved'],
    [4.1, 8, 'improved'],
    [4, 8, 'unchanged'],
    [-300, 0, 'worse'],
  ])('%d MiB of %d: %s', (reclaimed, predicted, kind) => {
    expect(verdictOf(reclaimed * MIB, predicted * MIB).kind).toBe(kind);
  });

  test('counts neither data that came meanwhile nor data that went', () => {
    const before = { usedMemoryRss: 800 * MIB, allocated: 500 * MIB };
    const verdict = (rss: number, allocated: number) =>
      verify({
        action: 'defrag',
        before,
        after: { usedMemoryRss: rss * MIB, allocated: allocated * MIB },
        predicted: { reclaim: 100 * MIB, stall: 2.5 },
        stall: 3,
        promisedStall: 5,
      });
    expect(verdict(820, 620)).toMatchObject({ kind: 'improved', reclaimed: 100 * MIB, dataGrowth: 120 * MIB });
    expect(verdict(650, 350)).toMatchObject({ kind: 'unchanged', reclaimed: 0, dataGrowth: -150 * MIB });
  });

  test('has no share where nothing was predicted', () => {
    expect(verdictOf(MIB, 0)).not.toHaveProperty('share');
  });
});

/** A node after a purge: this much is still retained. */
const settled = (retained: number): Observation =>
  anObservation({ memory: { allocatorActive: 400 * MIB, allocatorResident: 400 * MIB + retained } });
const remembering = (learned: NodeHistory['learned'], over: Readonly<Record<string, unknown>> = {}): NodeHistory =>
  aHistory({ ...over, learned });
const aPurge = (ms: number, reclaimed: number) =>
  aVerdict({ action: 'purge', stall: ms, reclaimed, predicted: reclaimed, kind: 'improved' });

test('RSS that is not known after an action is not taken for RSS that came back', () => {
  const before = { usedMemoryRss: 800 * MIB, allocated: 500 * MIB };
  expect(rssAfter({ ...anObservation(), memory: {} }, before)).toEqual(before);
  expect(rssAfter(anObservation({ memory: { usedMemoryRss: 5, allocatorAllocated: 4 } }), before)).toEqual({
    usedMemoryRss: 5,
    allocated: 4,
  });
});

describe('what a purge teaches', () => {
  test('its speed counts half, against the pessimistic one at first', () => {
    const once = learnFromPurge(EMPTY_HISTORY, aPurge(100, GIB), settled(20 * MIB));
    expect(once.learned.purgeMsPerGiB).toBe(250);
    const twice = learnFromPurge(once, aPurge(100, GIB), settled(20 * MIB));
    expect(twice.learned.purgeMsPerGiB).toBe(175);
  });

  test('the speed of a small one is mostly its fixed cost: not learned', () => {
    const { learned } = learnFromPurge(EMPTY_HISTORY, aPurge(5, 16 * MIB - 1), settled(20 * MIB));
    expect(learned).not.toHaveProperty('purgeMsPerGiB');
    expect(learnFromPurge(EMPTY_HISTORY, aPurge(5, 16 * MIB), settled(0)).learned.purgeMsPerGiB).toBe(360);
  });

  test('one odd night does not rule, not even the first', () => {
    const { learned } = learnFromPurge(EMPTY_HISTORY, aPurge(600_000, GIB), settled(20 * MIB));
    expect(learned.purgeMsPerGiB).toBe(2200);
    const after = learnFromPurge(remembering({ purgeMsPerGiB: 60 }), aPurge(600_000, GIB), settled(0));
    expect(after.learned.purgeMsPerGiB).toBe(2030);
  });

  test('what it left behind stays behind next time', () => {
    const { learned } = learnFromPurge(EMPTY_HISTORY, aPurge(100, GIB), settled(20 * MIB));
    expect(learned.keptPages).toBe(20 * MIB);
    const next = learnFromPurge(remembering({ keptPages: 20 * MIB }), aPurge(100, GIB), settled(30 * MIB));
    expect(next.learned.keptPages).toBe(25 * MIB);
  });

  test('pages that were freed while it ran do not forbid purging for ever', () => {
    const { learned } = learnFromPurge(EMPTY_HISTORY, aPurge(100, GIB), settled(2 * GIB));
    expect(predictPurge(2 * GIB, 2.4 * GIB, learned).reclaim).toBeGreaterThan(GIB);
  });

  test('a look without layers teaches nothing about them', () => {
    const blind = { ...anObservation(), memory: {} };
    const known = remembering({ keptPages: 20 * MIB });
    expect(learnFromPurge(known, aPurge(100, GIB), blind).learned.keptPages).toBe(20 * MIB);
    const halfBlind = { ...blind, memory: { allocatorResident: 500 * MIB } };
    expect(learnFromPurge(known, aPurge(100, GIB), halfBlind).learned.keptPages).toBe(20 * MIB);
  });

  test('nothing else is forgotten', () => {
    const memory = remembering({ defragShare: 0.9 }, { lastPurgeAt: 7, defragSupport: 'supported', runId: 'r' });
    expect(learnFromPurge(memory, aPurge(100, GIB), settled(0))).toMatchObject({
      learned: { defragShare: 0.9 },
      byAction: { purge: { lastAt: 7 } },
      defragSupport: 'supported',
      runId: 'r',
    });
  });
});

/** Its lease has nothing to say of its time and its first cycle. */
const fromDefrag = (memory: NodeHistory, verdict: Verdict, look: Observation, lease: Lease = aLease()) =>
  learnFromDefrag(memory, verdict, look, lease);

describe('what a defrag teaches', () => {
  test('its share counts half, against all of it at first', () => {
    expect(fromDefrag(EMPTY_HISTORY, aVerdict({ share: 0.8 }), anObservation()).learned.defragShare).toBeCloseTo(0.9);
    const known = remembering({ defragShare: 0.5 });
    // It returned exactly what was predicted with half of the arithmetic: half is right.
    expect(fromDefrag(known, aVerdict({ share: 1 }), anObservation()).learned.defragShare).toBeCloseTo(0.5);
    expect(fromDefrag(known, aVerdict({ share: 2 }), anObservation()).learned.defragShare).toBeCloseTo(0.75);
  });

  test('one night on which the data grew does not forbid the next', () => {
    const { learned } = fromDefrag(EMPTY_HISTORY, aVerdict({ share: -5, kind: 'worse' }), anObservation());
    expect(learned.defragShare).toBeCloseTo(0.55);
  });

  test('nothing, where nothing was predicted', () => {
    const { share: _, ...shareless } = aVerdict();
    expect(fromDefrag(EMPTY_HISTORY, shareless, anObservation()).learned).toEqual({});
  });
});

describe('what a defrag teaches about the next one', () => {
  const run = (work: number, firstCycle?: number): Lease =>
    aLease({
      cpu: 25,
      predicted: { reclaim: 350 * MIB, stall: 0.5, duration: 40_000, firstCycle: 20 },
      progress: { ...aLease().progress, work, ...(firstCycle !== undefined && { firstCycle }) },
    });
  const taught = (memory: NodeHistory, lease: Lease) => fromDefrag(memory, aVerdict(), anObservation(), lease).learned;

  test('the first run replaces the estimate of the work, later ones count half', () => {
    // 40 s at 25 % were predicted: 10 s of the main thread. It took 30.
    expect(taught(EMPTY_HISTORY, run(30_000)).defragWork).toBeCloseTo(3);
    // Predicted with a factor of 3 already, and 20 % too low.
    expect(taught(remembering({ defragWork: 3 }), run(12_000)).defragWork).toBeCloseTo(3.3);
  });

  test('likewise for the first cycle, where it was seen on a quiet machine', () => {
    expect(taught(EMPTY_HISTORY, run(10_000, 30)).firstCycle).toBeCloseTo(1.5);
    expect(taught(EMPTY_HISTORY, run(10_000, 1)).firstCycle).toBeCloseTo(0.05);
    expect(taught(EMPTY_HISTORY, run(10_000)).firstCycle).toBeUndefined();
    expect(taught(EMPTY_HISTORY, { ...run(10_000, 30), noise: 0.004 }).firstCycle).toBeUndefined();
    expect(taught(EMPTY_HISTORY, run(10_000, 900)).firstCycle).toBe(2);
    expect(taught(remembering({ firstCycle: 1.5 }), run(10_000, 20)).firstCycle).toBeCloseTo(1.5);
  });

  test('one odd run counts no more than two hundred times the estimate', () => {
    expect(taught(EMPTY_HISTORY, run(1e9)).defragWork).toBe(200);
  });
});

describe('cures that return too little', () => {
  const poor = aVerdict({ kind: 'unchanged' });
  const worse = aVerdict({ kind: 'worse' });

  test('are counted for each cure apart, and forgotten with the first that is worth it', () => {
    const defragged = fromDefrag(fromDefrag(EMPTY_HISTORY, poor, anObservation()), worse, anObservation());
    expect(defragged.byAction).toMatchObject({ defrag: { ineffective: 2 } });
    const purged = learnFromPurge(defragged, { ...poor, action: 'purge' }, settled(0));
    expect(purged.byAction).toMatchObject({ purge: { ineffective: 1 }, defrag: { ineffective: 2 } });
    expect(fromDefrag(purged, aVerdict(), anObservation()).byAction).toMatchObject({
      purge: { ineffective: 1 },
      defrag: { ineffective: 0 },
    });
    const effective = learnFromPurge(purged, aVerdict({ action: 'purge' }), settled(0));
    expect(effective.byAction).toMatchObject({ purge: { ineffective: 0 }, defrag: { ineffective: 2 } });
  });
});

test('whatever is measured, what is learned stays within its bounds, and no memory is changed in place', () => {
  const finite = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  const night = fc.record({ stall: finite.map(Math.abs), reclaimed: finite, share: finite, retained: finite });
  fc.assert(
    fc.property(fc.array(night, { maxLength: 20 }), (nights) => {
      const frozen = Object.freeze({ ...EMPTY_HISTORY, learned: Object.freeze({}) });
      const { learned } = nights.reduce<NodeHistory>((memory, { stall, reclaimed, share, retained }) => {
        const purged = learnFromPurge(memory, aVerdict({ action: 'purge', stall, reclaimed }), settled(retained));
        return fromDefrag(purged, aVerdict({ share }), anObservation());
      }, frozen);
      const { purgeMsPerGiB = 400, keptPages = 0, defragShare = 1 } = learned;
      expect(purgeMsPerGiB >= 20 && purgeMsPerGiB <= 4000).toBe(true);
      expect(keptPages >= 0 && Number.isSafeInteger(keptPages)).toBe(true);
      expect(defragShare >= 0.1 && defragShare <= 1.2).toBe(true);
    }),
  );
});
