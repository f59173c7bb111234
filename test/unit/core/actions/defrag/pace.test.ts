import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENTLEST, ladderOf } from '../../../../../core/actions/defrag/ladder.ts';
import {
  beginningPace,
  isOverrunLasting,
  LONGEST_OVERRUN,
  latencySeen,
  noiseOf,
  paced,
  stallsSince,
} from '../../../../../core/actions/defrag/pace.ts';
import { MINUTE, SECOND } from '../../../../../core/config/units.ts';
import type { Lease, Pace, Progress } from '../../../../../core/domain/lease.ts';
import { aLease, anObservation, NOW } from '../../../../support/builders.ts';

const LOOK = 2 * SECOND;
const START = NOW - 2 * MINUTE;

/** A run, look after look of two seconds, each with the cycles that it sees; 5 ms are promised. */
function run(looks: readonly (readonly number[])[], over: Partial<Lease> = {}, from?: Pace): readonly Pace[] {
  const paces: Pace[] = [];
  let lease = aLease({
    acquiredAt: START - MINUTE,
    ladder: ladderOf(25, {}),
    ...over,
    progress: progressAt(START, from),
  });
  for (const [index, stalls] of looks.entries()) {
    const at = START + (index + 1) * LOOK;
    const pace = paced(lease, at, stalls);
    paces.push(pace);
    lease = { ...lease, progress: progressAt(at, pace) };
  }
  return paces;
}

function progressAt(at: number, pace: Pace = beginningPace({})): Progress {
  return { ...aLease().progress, at, pace };
}

const levels = (paces: readonly Pace[]) => paces.map(({ level }) => level);
const calm = (looks: number) => Array.from({ length: looks }, () => []);

describe('an allowance of a thousandth of the time', () => {
  test('begins with what the run will earn, for 10 s to a minute of it', () => {
    expect(
      [undefined, 3_000, 30_000, 900_000].map((duration) => beginningPace({ ...(duration && { duration }) }).allowance),
    ).toEqual([10, 10, 30, 60]);
  });

  test('one long cycle costs nothing but allowance', () => {
    // 10 ms to begin with, 2 earned with each look.
    expect(run([[12], [], [9]])).toMatchObject([
      { level: 0, allowance: 5 },
      { level: 0, allowance: 7 },
      { level: 0, allowance: 5 },
    ]);
  });

  test('cycles within the promise cost nothing', () => {
    expect(run([[5, 5, 5], [4]]).at(-1)).toMatchObject({ level: 0, allowance: 14 });
  });

  test('when it is used up, the run becomes gentler, a step with each look', () => {
    expect(levels(run([[14, 14], [12], [12], [12], [12]]))).toEqual([1, 2, 3, 3, 3]);
  });

  test('and keeps its step while the allowance lasts', () => {
    expect(levels(run([[20], [6], [6], [6]]))).toEqual([1, 1, 1, 1]);
  });

  test('a cycle of more than ten times the promise makes it gentler at once', () => {
    const rich = { ...beginningPace({}), allowance: 60 };
    expect(levels(run([[50]], {}, rich))).toEqual([0]);
    expect(levels(run([[51]], {}, rich))).toEqual([1]);
    expect(levels(run([[51]], { noise: 0.01 }, rich))).toEqual([1]);
  });

  test('what the machine adds by itself is no reason to become gentler', () => {
    // 20 ms beyond the promise in each look: 1 % of the time, and as much was there before.
    const stopped = Array.from({ length: 30 }, () => [25]);
    expect(levels(run(stopped, { noise: 0.015 })).at(-1)).toBe(0);
    expect(levels(run(stopped)).at(-1)).toBe(GENTLEST);
    // More than a hundredth of the time is not believed.
    expect(
      levels(
        run(
          stopped.map(() => [45]),
          { noise: 0.9 },
        ),
      ).at(-1),
    ).toBe(GENTLEST);
  });

  test('the first cycle, as long as predicted, is not charged', () => {
    const predicted = { reclaim: 1, stall: 0.5, firstCycle: 25 };
    expect(levels(run([[25, 3]], { predicted, acquiredAt: START - SECOND }))).toEqual([0]);
    expect(levels(run([[25, 3]], { predicted }))).toEqual([1]);
    expect(levels(run([[25, 24]], { predicted, acquiredAt: START - SECOND }))).toEqual([1]);
  });
});

describe('recovery', () => {
  const FALLEN: Pace = { level: 2, allowance: 0, falls: 2, changedAt: START };

  test('takes one step after calm, and longer after each fall', () => {
    // 20 s after the first fall, 40 s after the second.
    expect(levels(run(calm(20), {}, { ...FALLEN, falls: 1 })).indexOf(1)).toBe(9);
    expect(levels(run(calm(25), {}, FALLEN)).indexOf(1)).toBe(19);
  });

  test('begins anew with a look that was not calm: more than it earned', () => {
    expect(levels(run([...calm(15), [8], ...calm(19)], {}, FALLEN)).at(-1)).toBe(2);
    expect(levels(run([...calm(15), [8], ...calm(20)], {}, FALLEN)).at(-1)).toBe(1);
    expect(levels(run([...calm(10), [6], ...calm(10)], {}, FALLEN)).at(-1)).toBe(1);
  });

  test('not after more than five falls: a scan that begins anew each time would never end', () => {
    expect(levels(run(calm(2_000), {}, { ...FALLEN, falls: 6 })).at(-1)).toBe(2);
  });

  test('a lease of 0.1 has no steps', () => {
    const { ladder: _, ...old } = aLease({ progress: progressAt(START) });
    expect(paced(old, START + LOOK, [400])).toMatchObject({ level: 0 });
  });
});

describe('the end', () => {
  const gentlest: Pace = { level: GENTLEST, allowance: 0, falls: 9, changedAt: START };
  const ends = (paces: readonly Pace[]) =>
    paces.map((pace, index) => isOverrunLasting({ pace, at: START + (index + 1) * LOOK }));

  test('comes when the gentlest settings have overrun for a minute', () => {
    const overrunning = ends(
      run(
        Array.from({ length: 40 }, () => [30]),
        {},
        gentlest,
      ),
    );
    expect(overrunning.indexOf(true)).toBe(LONGEST_OVERRUN / LOOK);
  });

  test('not when a calm stretch lay between', () => {
    const looks = [...Array.from({ length: 25 }, () => [9]), ...calm(5), ...Array.from({ length: 25 }, () => [9])];
    expect(ends(run(looks, {}, gentlest))).not.toContain(true);
  });

  test('not while a gentler step is left', () => {
    expect(ends(run(Array.from({ length: 3 }, () => [40])))).not.toContain(true);
  });
});

test('whatever a server records, the step stays on the ladder and the allowance finite', () => {
  const looks = fc.array(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 5 }), { maxLength: 40 });
  fc.assert(
    fc.property(looks, fc.double({ min: 0, max: 1, noNaN: true }), (seen, noise) => {
      for (const { level, allowance } of run(seen, { noise })) {
        expect(Number.isInteger(level) && level >= 0 && level <= GENTLEST).toBe(true);
        expect(allowance >= 0 && allowance <= 60).toBe(true);
      }
    }),
  );
});

describe('events of LATENCY HISTORY are counted once', () => {
  const before: Progress = { ...aLease().progress, latencyAt: 100, latencyLast: 7, latencyMax: 7 };
  const event = (at: number, took: number) => ({ at, took });

  test.each([
    ['nothing new', [event(99, 9), event(100, 7)], []],
    ['newer seconds', [event(100, 7), event(101, 6), event(103, 2)], [6, 2]],
    ['the second of the last look has gone on', [event(100, 12), event(101, 6)], [12, 6]],
    ['an empty history', [], []],
  ])('%s', (_what, cycles, stalls) => {
    expect(stallsSince(before, { cycles })).toEqual(stalls);
  });

  test('a longer one that has left the history is known by its maximum', () => {
    const cycles = [event(300, 2)];
    expect(stallsSince(before, { cycles, latency: { at: 300, latest: 2, max: 400 } })).toEqual([2, 400]);
    expect(stallsSince(before, { cycles: [event(300, 400)], latency: { at: 300, latest: 400, max: 400 } })).toEqual([
      400,
    ]);
    expect(stallsSince(before, { cycles, latency: { at: 300, latest: 2, max: 7 } })).toEqual([2]);
  });

  test('the next look goes on from the last of them', () => {
    const seen = latencySeen(anObservation({ defrag: { cycles: [event(101, 6), event(103, 2)] } }));
    expect(seen).toEqual({ latencyAt: 103, latencyLast: 2 });
  });

  test('where the history is refused, LATENCY LATEST has to do', () => {
    expect(stallsSince(before, { latency: { at: 101, latest: 3, max: 9 } })).toEqual([9]);
    expect(stallsSince(before, { latency: { at: 100, latest: 7, max: 7 } })).toEqual([]);
    expect(stallsSince(before, {})).toEqual([]);
  });
});

describe('the noise of the machine', () => {
  test.each([
    ['an idle server on a quiet machine', Array.from({ length: 400 }, () => 0.2), 0],
    ['far away, but steady', Array.from({ length: 400 }, () => 30), 0],
    ['one late answer, which may be our own', [...Array.from({ length: 399 }, () => 0.2), 45.2], 0],
    ['stopped twice for 45 ms', [...Array.from({ length: 398 }, () => 0.2), 45.2, 45.2], 0.02],
    ['nothing measured', [], 0],
  ])('%s', (_what, waits, share) => {
    expect(noiseOf(waits, 2000, 5)).toBeCloseTo(share, 5);
  });

  test('is never more than all of the time', () => {
    expect(noiseOf([1, 1, 1, 9000, 9000], 100, 5)).toBe(1);
  });
});
