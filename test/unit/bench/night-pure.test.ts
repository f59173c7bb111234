import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cliRunOf } from '../../../bench/night/cli.ts';
import { quotaSite } from '../../../bench/night/noise/quota.ts';
import { type Stop, stopPlan } from '../../../bench/night/noise/stops.ts';
import { type Cell, nightTable } from '../../../bench/night/results.ts';
import { type Sample, type Waits, waitsIn } from '../../../bench/support/latencies.ts';
import { MIB } from '../../../core/config/units.ts';

describe('what clients waited', () => {
  const MS = 1000;
  /** Due at each of `count` milliseconds, and answered as `took` and `late` say, in ms. */
  const samplesOf = (count: number, wait: (ms: number) => { took: number; late?: number }): Sample[] =>
    Array.from({ length: count }, (_, ms) => {
      const { took, late = 0 } = wait(ms);
      return [(ms + late) * MS, took * MS, late * MS];
    });

  test('a stall keeps waiting each client that comes during it', () => {
    // From 100 to 140 ms the server is gone: who comes at 100 waits 40 ms, and who comes at 135 waits 5.
    const samples = samplesOf(1000, (ms) => ({ took: ms >= 100 && ms < 140 ? 140 - ms : 0 }));
    const waits = waitsIn({ from: 0, to: 1000 * MS }, samples);
    expect(waits).toMatchObject({ worst: 40, p999: 40, over: 0.035, late: 0, count: 1000 });
  });

  test('what the prober is late by counts as a wait, and is shown by itself', () => {
    const samples = samplesOf(100, (ms) => ({ took: 1, late: ms === 50 ? 7 : 0 }));
    expect(waitsIn({ from: 0, to: 100 * MS }, samples)).toMatchObject({ worst: 8, over: 0.01, late: 7 });
  });

  test('a request belongs to the span in which it was due, not to that in which it was sent', () => {
    const samples = samplesOf(20, (ms) => ({ took: 0, late: ms === 9 ? 6 : 0 }));
    expect(waitsIn({ from: 0, to: 9 * MS }, samples)).toMatchObject({ worst: 6, count: 10 });
    expect(waitsIn({ from: 10 * MS, to: 20 * MS }, samples)).toMatchObject({ worst: 0, count: 10 });
  });

  test('a wait of the promise itself keeps it', () => {
    expect(
      waitsIn(
        { from: 0, to: MS },
        samplesOf(2, (ms) => ({ took: ms === 0 ? 5 : 5.001 })),
      ).over,
    ).toBe(0.5);
  });
});

describe('the stops', () => {
  const first = (seed: number, count: number): Stop[] => {
    const plan = stopPlan(seed);
    return Array.from({ length: count }, () => plan.next().value);
  };

  test('are the same for the same seed, and others for another', () => {
    expect(first(7, 50)).toEqual(first(7, 50));
    expect(first(7, 50)).not.toEqual(first(8, 50));
  });

  test.each([1, 2, 20_261_126])('last 20 to 50 ms and come about once a second (seed %i)', (seed) => {
    const stops = first(seed, 5000);
    expect(stops.filter(({ lasts, after }) => lasts < 20 || lasts > 50 || !(after >= 0))).toEqual([]);
    const total = stops.reduce((sum, { after, lasts }) => sum + after + lasts, 0);
    expect(total / stops.length).toBeGreaterThan(950);
    expect(total / stops.length).toBeLessThan(1050);
    expect(Math.max(...stops.map(({ lasts }) => lasts)) - Math.min(...stops.map(({ lasts }) => lasts))).toBeGreaterThan(
      29,
    );
  });
});

describe('where a quota is set', () => {
  const V1 = 'proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n';
  const V2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n';
  const V1_SETTINGS = [
    ['cpu.cfs_period_us', '100000'],
    ['cpu.cfs_quota_us', '40000'],
    ['cpu.shares', '262144'],
  ];

  test.each([
    { what: 'at the root', cgroups: '2:pids:/x\n1:cpu:/\n0::/\n', home: '/sys/fs/cgroup/cpu' },
    { what: 'in a group', cgroups: '1:cpu:/user.slice/a\n', home: '/sys/fs/cgroup/cpu/user.slice/a' },
  ])('version 1, a process $what: below its own group', ({ cgroups, home }) => {
    expect(quotaSite(V1, cgroups)).toEqual({ parent: home, home, settings: V1_SETTINGS });
  });

  test('version 1 with two controllers in one hierarchy', () => {
    const mounts = 'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n';
    expect(quotaSite(mounts, '4:cpu,cpuacct:/a\n')?.home).toBe('/sys/fs/cgroup/cpu,cpuacct/a');
  });

  test('version 2: beside the other groups of the root', () => {
    expect(quotaSite(V2, '0::/system.slice/ssh\n')).toEqual({
      parent: '/sys/fs/cgroup',
      home: '/sys/fs/cgroup/system.slice/ssh',
      settings: [
        ['cpu.max', '40000 100000'],
        ['cpu.weight', '10000'],
      ],
    });
  });

  test('both: version 1 has the controller', () => {
    const mounts = `cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n${V1}`;
    expect(quotaSite(mounts, '1:cpu:/\n0::/\n')?.settings).toEqual(V1_SETTINGS);
  });

  test.each(['', 'cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n'])('none without the controller', (mounts) => {
    expect(quotaSite(mounts, '')).toBeUndefined();
  });
});

describe('what a run of the CLI says', () => {
  const predicted = { reclaim: 100 * MIB, stall: 3 };
  const lines = (...plans: readonly object[]) =>
    plans.map((plan) => `${JSON.stringify({ at: 'x', outcomes: [{ status: 'acted', plan, new: 1 }] })}\n`).join('');
  const start = { kind: 'act', reason: 'fragmented', action: { kind: 'start-defrag', settings: {} }, predicted };
  const stop = (because: string) => ({ kind: 'act', reason: because, action: { kind: 'stop-defrag', because } });

  test.each([
    { what: 'a whole run', plans: [start, stop('goal-met')], ended: 'goal-met' },
    { what: 'two runs', plans: [start, stop('stall-spent'), start, stop('goal-met')], ended: 'stall-spent, goal-met' },
    { what: 'a purge alone', plans: [{ kind: 'act', action: { kind: 'purge' }, predicted }], ended: 'only purge' },
    {
      what: 'a run of which no end was seen',
      plans: [start, { kind: 'skip', reason: 'defragmenting' }],
      ended: 'only start-defrag',
    },
  ])('$what', ({ plans, ended }) => {
    expect(cliRunOf(lines(...plans))).toEqual({ ended, predicted: { bytes: 100 * MIB } });
  });

  test('nothing done: why, each reason once, and what it would have returned', () => {
    const skip = { kind: 'skip', reason: 'busy', predicted };
    expect(cliRunOf(lines({ kind: 'skip', reason: 'healthy' }, skip, skip))).toEqual({
      ended: 'not started: healthy, busy',
      predicted: { bytes: 100 * MIB },
    });
  });

  test('the duration, where the plan says it; what is said otherwise is left out', () => {
    const planned = (duration: unknown) =>
      cliRunOf(lines({ ...start, predicted: { ...predicted, duration } }, stop('goal-met'))).predicted;
    expect(planned(90_000)).toEqual({ bytes: 100 * MIB, duration: 90_000 });
    expect(planned({ at: 'most' })).toEqual({ bytes: 100 * MIB });
  });

  test('an unreachable node, and a line that is not a tick', () => {
    const failed = { outcomes: [{ status: 'unreachable', problem: { kind: 'refused', message: '' } }] };
    expect(cliRunOf(JSON.stringify(failed)).ended).toBe('not started: refused');
    expect(() => cliRunOf('Offpeak says hello')).toThrow('not a tick: Offpeak says hello');
  });
});

describe('the table', () => {
  const WAITS: Waits = { p999: 2, worst: 4, over: 0.001, late: 1.2, count: 10_000 };
  const CELL: Cell = {
    ...{ before: 220 * MIB, after: 120 * MIB, floor: 100 * MIB, seconds: 10, cpu: 1.5 },
    ...{ idle: WAITS, action: { ...WAITS, p999: 7 } },
  };
  const cellsOf = (name: string, cells: readonly Cell[]) =>
    nightTable([{ name, cells }])
      .split('\n')
      .at(-1)
      ?.split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());

  test('a row has as many cells as the head', () => {
    const [head, , row] = nightTable([{ name: 'x', cells: [CELL] }]).split('\n');
    expect(row?.split('|').length).toBe(head?.split('|').length);
  });

  test('of several runs it has the medians, each by itself, and how often each end came', () => {
    const runs: Cell[] = [
      { ...CELL, ended: 'goal-met', predicted: { bytes: 100 * MIB, duration: 20_000 } },
      { ...CELL, ended: 'goal-met', predicted: { bytes: 104 * MIB, duration: 30_000 }, after: 130 * MIB, seconds: 12 },
      {
        ...CELL,
        ended: 'stall-spent',
        predicted: { bytes: 101 * MIB, duration: 40_000 },
        after: 220 * MIB,
        seconds: 3,
      },
    ];
    expect(cellsOf('Offpeak', runs)).toEqual([
      ...['Offpeak', '220', '130', '0.75', '10.0', '1.50'],
      ...['7.0', '4.0', '0.10 %', '1.2', '2.0', '4.0', '0.10 %', '1.2'],
      ...['goal-met 2; stall-spent 1', '101 MiB, 30 s'],
    ]);
  });

  test('a restart has no waits of its own, and says nothing of its end', () => {
    const { action: _, ...cell } = { ...CELL, after: 100 * MIB };
    expect(cellsOf('a fresh server', [cell])?.slice(3)).toEqual([
      ...['1.00', '10.0', '1.50', '', '', '', '', '2.0', '4.0', '0.10 %', '1.2', '', ''],
    ]);
  });
});

test.each(['article', 'compaction', 'compaction-large'])(
  'the page on performance has a place for the table of %s',
  (name) => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/performance.md'), 'utf8');
    expect(page).toMatch(new RegExp(`<!-- night-${name}:start -->[^]*<!-- night-${name}:end -->`));
  },
);
