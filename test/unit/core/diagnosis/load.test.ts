import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandsPerSecond, type LoadCounters, loadCounters, mainThreadCpu } from '../../../../core/diagnosis/load.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import { anObservation, NOW } from '../../../support/builders.ts';

describe('commands per second', () => {
  /** Two looks one second apart on one connection, which sent ten commands in between. */
  function twoLooks(commands: number): [Observation, LoadCounters] {
    const activity = { totalCommandsProcessed: 42_003 + commands, ownCommands: 13 };
    return [anObservation({ activity }), { at: NOW - 1000, commands: 42_003, own: 3 }];
  }

  test('are those of others: our own are not counted', () => {
    expect(commandsPerSecond(...twoLooks(1010))).toBe(1000);
    expect(commandsPerSecond(...twoLooks(10))).toBe(0);
  });

  test('are measured over the time between the looks', () => {
    const [observation, earlier] = twoLooks(5010);
    expect(commandsPerSecond(observation, { ...earlier, at: NOW - 10_000 })).toBe(500);
  });

  test('are never negative, though a look is not one instant', () => {
    expect(commandsPerSecond(...twoLooks(9))).toBe(0);
    expect(commandsPerSecond(...twoLooks(0))).toBe(0);
  });

  test.each([
    ['the counter went back (CONFIG RESETSTAT, a restart)', twoLooks(-1)],
    ['it is not reported', [anObservation({ activity: { ownCommands: 3 } }), twoLooks(0)[1]] as const],
    ['it was not reported before', [twoLooks(0)[0], { at: NOW - 1000, own: 3 }] as const],
    ['the looks are closer than half a second', [twoLooks(0)[0], { ...twoLooks(0)[1], at: NOW - 499 }] as const],
    ['the clock went back between them', [twoLooks(0)[0], { ...twoLooks(0)[1], at: NOW + 60_000 }] as const],
  ])('cannot be measured when %s', (_what, [observation, earlier]) => {
    expect(commandsPerSecond(observation, earlier)).toBeUndefined();
  });

  test('F19: two looks of one process are compared by the clock that is never set', () => {
    const [observation, earlier] = twoLooks(1010);
    const set = (by: number) =>
      commandsPerSecond({ ...observation, at: observation.at + by, monotonic: 9000 }, { ...earlier, monotonic: 8000 });
    // By the wall clock, forward, a busy server would look like a quiet one.
    expect([set(0), set(3_600_000), set(-3_600_000)]).toEqual([1000, 1000, 1000]);
    const cpu = (by: number) =>
      mainThreadCpu(
        { ...anObservation({ activity: { ownCommands: 3, cpuSeconds: 10.9 } }), at: NOW + by, monotonic: 9000 },
        { at: NOW - 1000, own: 3, cpuSeconds: 10, monotonic: 8000 },
      );
    expect(cpu(3_600_000)).toBeCloseTo(90);
  });

  test('the looks may be half a second apart', () => {
    const [observation, earlier] = twoLooks(1010);
    expect(commandsPerSecond(observation, { ...earlier, at: NOW - 500 })).toBe(2000);
  });

  test('whatever was counted, the rate is finite and not negative', () => {
    const count = fc.maxSafeNat();
    fc.assert(
      fc.property(count, count, count, count, fc.nat(10 ** 7), (total, own, before, ownBefore, elapsed) => {
        const observation = anObservation({ activity: { totalCommandsProcessed: total, ownCommands: own } });
        const rate = commandsPerSecond(observation, { at: NOW - elapsed, commands: before, own: ownBefore });
        expect(rate === undefined || (Number.isFinite(rate) && rate >= 0)).toBe(true);
      }),
    );
  });
});

describe("the main thread's share", () => {
  /** Two looks one second apart, the main thread at work for so long in between. */
  function twoLooks(seconds: number): [Observation, LoadCounters] {
    const activity = { cpuSeconds: 100 + seconds, ownCommands: 13 };
    return [anObservation({ activity }), { at: NOW - 1000, cpuSeconds: 100, own: 3 }];
  }

  test.each([
    [0, 1000, 0],
    [0.12, 1000, 12],
    [0.12, 500, 24],
    [30, 5 * 60_000, 10],
    [1, 1000, 100],
  ])('%d s in %d ms are %d %', (seconds, elapsed, share) => {
    const [observation, earlier] = twoLooks(seconds);
    expect(mainThreadCpu(observation, { ...earlier, at: NOW - elapsed })).toBeCloseTo(share, 6);
  });

  test('is never above a whole processor: the way of the replies, or threads beside it (before 6.2)', () => {
    expect(mainThreadCpu(...twoLooks(1.08))).toBe(100);
    expect(mainThreadCpu(...twoLooks(3))).toBe(100);
  });

  test.each([
    ['the counter went back (a restart, another process)', twoLooks(-0.01)],
    ['it is not reported', [anObservation({ activity: { ownCommands: 3 } }), twoLooks(0)[1]] as const],
    ['it was not reported before', [twoLooks(0)[0], { at: NOW - 1000, own: 3 }] as const],
    ['the looks are closer than half a second', [twoLooks(0.4)[0], { ...twoLooks(0)[1], at: NOW - 499 }] as const],
    ['the looks are of one moment', [twoLooks(0.4)[0], { ...twoLooks(0)[1], at: NOW }] as const],
    ['the clock went back between them', [twoLooks(0.4)[0], { ...twoLooks(0)[1], at: NOW + 60_000 }] as const],
  ])('cannot be measured when %s', (_what, [observation, earlier]) => {
    expect(mainThreadCpu(observation, earlier)).toBeUndefined();
  });

  test('whatever was counted, it is undefined or from 0 to 100', () => {
    const seconds = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(seconds, seconds, fc.nat(10 ** 7), (cpuSeconds, before, elapsed) => {
        const observation = anObservation({ activity: { cpuSeconds, ownCommands: 3 } });
        const share = mainThreadCpu(observation, { at: NOW - elapsed, cpuSeconds: before, own: 3 });
        expect(share === undefined || (share >= 0 && share <= 100)).toBe(true);
      }),
    );
  });
});

test('a look leaves what the next one measures against', () => {
  expect(loadCounters(anObservation())).toEqual({ at: NOW, commands: 42_003, cpuSeconds: 120.5, own: 3 });
  expect(loadCounters(anObservation({ activity: { ownCommands: 3 } }))).toEqual({ at: NOW, own: 3 });
});
