import { describe, expect, test } from 'vitest';
import type { LoadCounters } from '../../../../core/diagnosis/load.ts';
import type { Activity, Observation } from '../../../../core/domain/observation.ts';
import { blockerText } from '../../../../core/format/blocker.ts';
import { busy } from '../../../../core/guards/busy.ts';
import { anInstance, anObservation, NOW } from '../../../support/builders.ts';

const CPU = anInstance();
const BOTH = anInstance({ maxOpsPerSecond: 1000 });
const EARLIER: LoadCounters = { at: NOW - 1000, commands: 42_003, own: 3, cpuSeconds: 120 };

/** A second later: the main thread at work for `share` hundredths of it, for so many commands of others. */
function seen(share: number, others = 0, over: Partial<Activity> = {}): Observation {
  const cpuSeconds = EARLIER.cpuSeconds === undefined ? 0 : EARLIER.cpuSeconds + share / 100;
  return anObservation({
    activity: { totalCommandsProcessed: 42_003 + 10 + others, ownCommands: 13, cpuSeconds, ...over },
  });
}

const without = (key: 'cpuSeconds' | 'totalCommandsProcessed' | 'instantaneousOpsPerSec', from: Observation) => {
  const { [key]: _, ...activity } = from.activity;
  return { ...from, activity };
};

const wordsOf = (observation: Observation, limits = CPU, earlier = EARLIER) => {
  const blocker = busy(observation, limits, earlier);
  return blocker && blockerText(blocker);
};

describe('F10: the main thread', () => {
  test('has 40 % by default, and commands no limit', () => {
    expect(wordsOf(seen(39.9, 1_000_000))).toBeUndefined();
    expect(busy(seen(62), CPU, EARLIER)).toEqual({
      kind: 'busy',
      mainThread: { cpu: expect.closeTo(62), limit: 40 },
    });
    expect(wordsOf(seen(62))).toBe('the server is busy (main thread at 62 %, maxMainThreadCpu is 40 %)');
  });

  test.each([
    // Shares that floating point holds exactly.
    [25, 25, false],
    [25.0625, 25, true],
    [100, 100, false],
    [300, 100, false],
    [100, 99, true],
  ])('at %d %, with a limit of %d %: %s', (share, maxMainThreadCpu, isBusy) => {
    const isOver = busy(seen(share), anInstance({ maxMainThreadCpu }), EARLIER) !== undefined;
    expect(isOver).toBe(isBusy);
  });
});

describe('commands, where they have a limit', () => {
  test.each([
    [1000, undefined],
    [1001, 'the server is busy (1,001 commands/s, maxOpsPerSecond is 1,000)'],
  ])('%d with a limit of 1000', (others, words) => {
    expect(wordsOf(seen(10, others), BOTH)).toBe(words);
  });

  test('both are said where both are exceeded', () => {
    expect(wordsOf(seen(62, 1240), BOTH)).toBe(
      'the server is busy (main thread at 62 %, maxMainThreadCpu is 40 %; 1,240 commands/s, maxOpsPerSecond is 1,000)',
    );
    expect(wordsOf(seen(62, 12), BOTH)).toBe('the server is busy (main thread at 62 %, maxMainThreadCpu is 40 %)');
  });

  test("the server's own short average, which counts our looks, decides nothing", () => {
    expect(wordsOf(seen(10, 20, { instantaneousOpsPerSec: 50_000 }), BOTH)).toBeUndefined();
  });

  test('it decides where the counter was reset', () => {
    const reset = { totalCommandsProcessed: 7, instantaneousOpsPerSec: 50_000 };
    expect(wordsOf(seen(10, 0, reset), BOTH)).toBe('the server is busy (50,000 commands/s, maxOpsPerSecond is 1,000)');
    expect(wordsOf(seen(10, 0, reset))).toBeUndefined();
  });
});

describe('a start whose CPU cannot be measured is held to 1,000 commands a second', () => {
  const UNMEASURED: readonly (readonly [string, (others: number) => readonly [Observation, LoadCounters]])[] = [
    ['it is not reported', (others) => [without('cpuSeconds', seen(0, others)), EARLIER]],
    ['its counter went back (a restart, another process)', (others) => [seen(-1, others), EARLIER]],
    ['the look before did not report it', (others) => [seen(0, others), { at: EARLIER.at, commands: 42_003, own: 3 }]],
  ];

  test.each(UNMEASURED)('%s', (_what, of) => {
    const [calm, earlier] = of(1000);
    expect(wordsOf(calm, CPU, earlier)).toBeUndefined();
    expect(wordsOf(of(1001)[0], CPU, earlier)).toBe(
      'the server is busy (1,001 commands/s; its CPU could not be measured, then the limit is 1,000 commands/s)',
    );
  });

  test('the looks are too close for either: the server says itself how many', () => {
    const close = { ...EARLIER, at: NOW - 499 };
    expect(wordsOf(seen(0, 0, { instantaneousOpsPerSec: 1001 }), CPU, close)).toContain('1,001 commands/s; its CPU');
    expect(wordsOf(seen(40, 0, { instantaneousOpsPerSec: 1000 }), CPU, close)).toBeUndefined();
  });

  test("the config's own limit goes first", () => {
    const limits = anInstance({ maxOpsPerSecond: 5000 });
    const words = 'the server is busy (5,001 commands/s, maxOpsPerSecond is 5,000)';
    expect(wordsOf(without('cpuSeconds', seen(0, 5000)), limits)).toBeUndefined();
    expect(wordsOf(without('cpuSeconds', seen(0, 5001)), limits)).toBe(words);
  });

  test('and is not made where commands are not reported either', () => {
    const silent = anObservation({ activity: { ownCommands: 13 } });
    for (const limits of [CPU, BOTH]) {
      expect(busy(silent, limits, EARLIER)).toEqual({ kind: 'busy' });
      expect(wordsOf(silent, limits)).toBe(
        'the server is busy (or may be: it reports neither its CPU time nor its commands)',
      );
    }
  });
});

describe('while our own defrag runs', () => {
  const running = (ownDefrag: number, over: Partial<LoadCounters> = {}) => ({ ...EARLIER, ownDefrag, ...over });

  test.each([
    // ours, limit, the share up to which it goes on: limit + ours + 10
    [25, 40, 75],
    [1, 40, 51],
    [25, 1, 36],
    // A full thread is busy, whatever fills it.
    [75, 40, 95],
    [25, 80, 95],
    [25, 97, 97],
  ])('%d % of it are ours, with a limit of %d %: up to %d %', (ownDefrag, maxMainThreadCpu, up) => {
    const limits = anInstance({ maxMainThreadCpu });
    expect(busy(seen(up - 0.1), limits, running(ownDefrag))).toBeUndefined();
    expect(busy(seen(up + 0.1), limits, running(ownDefrag))).toMatchObject({ mainThread: { ownDefrag } });
  });

  test('says how much of it may be ours', () => {
    expect(wordsOf(seen(82), CPU, running(25))).toBe(
      "the server is busy (main thread at 82 %, up to 25 % of it Offpeak's active defrag, maxMainThreadCpu is 40 %)",
    );
  });

  test('a limit of 100 % ends nothing', () => {
    expect(busy(seen(300), anInstance({ maxMainThreadCpu: 100 }), running(75))).toBeUndefined();
  });

  test('commands are judged as ever', () => {
    expect(wordsOf(seen(30, 1001), BOTH, running(25))).toContain('1,001 commands/s');
  });

  test.each([
    ['a look too soon', running(25, { at: NOW - 499 })],
    ['a lease of an older version, without CPU time', { at: NOW - 1000, commands: 42_003, own: 3, ownDefrag: 25 }],
  ])('%s ends nothing: the next look measures', (_what, earlier) => {
    expect(busy(seen(100, 100_000, { instantaneousOpsPerSec: 100_000 }), CPU, earlier)).toBeUndefined();
  });

  test('a server that does not report its CPU is held to commands here, too', () => {
    expect(wordsOf(without('cpuSeconds', seen(0, 1001)), CPU, running(25))).toContain('1,001 commands/s; its CPU');
    expect(wordsOf(without('cpuSeconds', seen(0, 1000)), CPU, running(25))).toBeUndefined();
  });
});
