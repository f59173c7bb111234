import { describe, expect, test } from 'vitest';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import type { MemorySample, Observation } from '../../../../core/domain/observation.ts';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import type { Counters, ReportInput } from '../../../../core/domain/report.ts';
import {
  aFailure,
  aMemorySample,
  anInstance,
  anObservation,
  anOutcome,
  anUnreached,
  aSeen,
  aSkip,
  NODE,
  NOW,
} from '../../../support/builders.ts';
import { purged, purgedAfter, reportOf, started, stopped } from '../actions/defrag/steps.ts';

describe('metrics', () => {
  /** Name → value, of the node's metrics or of the job's. */
  function readings(outcomes: readonly Outcome[], over: Partial<ReportInput> = {}, of: 'node' | 'job' = 'node') {
    const { metrics } = reportOf(outcomes, over);
    const chosen = metrics.filter(({ dimensions }) => 'Node' in dimensions === (of === 'node'));
    expect(new Set(chosen.map(({ name }) => name)).size).toBe(chosen.length);
    return Object.fromEntries(chosen.map(({ name, value }) => [name, value]));
  }

  const CORE = {
    Reachable: 1,
    UsedMemory: 450 * MIB,
    UsedMemoryRss: 841 * MIB,
    MemFragmentationRatio: 841 / 450,
    ExternalFragmentation: 357 * MIB,
    FreePages: 18 * MIB,
  };

  test('a node that was looked at: the core set', () => expect(readings([anOutcome()])).toEqual(CORE));

  test('with `metrics: detailed`: what an investigation needs besides', () => {
    const instances = [anInstance({ metrics: 'detailed', memoryLimit: GIB })];
    const defrag = { ...anObservation().defrag, running: 25, hits: 210_000, misses: 9, keyHits: 7_000, keyMisses: 3 };
    const memory = { ...anObservation().memory, usedMemoryPeak: 900 * MIB };
    const before = aSeen({ observation: anObservation({ defrag, memory }) });
    const outcome = anOutcome({ before, opsPerSecond: 12.5 });
    expect(readings([outcome], { instances })).toEqual({
      ...CORE,
      DataMemory: 451 * MIB,
      BufferMemory: 0,
      ScriptMemory: 96_640,
      ProcessOverhead: 15 * MIB - 96_640,
      MemoryLimitUsed: (841 / 1024) * 100,
      UsedMemoryPeak: 900 * MIB,
      CommandsPerSecond: 12.5,
      ActiveDefragRunning: 25,
      ActiveDefragHits: 210_000,
      ActiveDefragMisses: 9,
      ActiveDefragKeyHits: 7_000,
      ActiveDefragKeyMisses: 3,
    });
  });

  test('a fork is published with either set while it runs, and not at all where none does, or the last one has ended', () => {
    const cow = (over: Partial<Observation['persistence']>) => {
      const persistence = { ...anObservation().persistence, ...over };
      return readings([anOutcome({ before: aSeen({ observation: anObservation({ persistence }) }) })]);
    };
    expect(cow({ rdbBgsaveInProgress: true, cowSize: 212 * MIB })).toEqual({ ...CORE, ForkMemory: 212 * MIB });
    expect(cow({ lastCowSize: 300 * MIB })).toEqual(CORE);
  });

  describe('with `metrics: detailed`, rates since the tick before', () => {
    const instances = [anInstance({ metrics: 'detailed' })];
    const FIVE_MINUTES = 300_000;
    const activity = { totalCommandsProcessed: 37_013, ownCommands: 12, cpuSeconds: 33 };
    const before = aSeen({ observation: anObservation({ activity }) });
    const earlier = { at: NOW - FIVE_MINUTES, runId: anObservation().runId ?? '', commands: 7_000, cpuSeconds: 30 };
    const rates = (counters: Counters, outcome: Parameters<typeof anOutcome>[0] = {}) => {
      const all = readings([anOutcome({ before, ...outcome })], { instances, counters: new Map([[NODE, counters]]) });
      return { CommandsPerSecond: all.CommandsPerSecond, MainThreadCpu: all.MainThreadCpu };
    };

    test('commands of others, and the CPU of the main thread', () => {
      expect(rates(earlier)).toEqual({ CommandsPerSecond: 100, MainThreadCpu: 1 });
    });

    test('they come before those that were measured before an action', () => {
      expect(rates(earlier, { opsPerSecond: 1, mainThreadCpu: 2 })).toMatchObject({ CommandsPerSecond: 100 });
    });

    test.each([
      ['the server has restarted', { ...earlier, runId: 'f'.repeat(40) }],
      ['the counters went back', { ...earlier, commands: 40_000, cpuSeconds: 34 }],
      ['the tick before is a day ago', { ...earlier, at: NOW - 24 * 3_600_000 }],
      ['the clock was set back', { ...earlier, at: NOW + 60_000 }],
    ])('unknown where %s: then those before an action, or none', (_why, counters) => {
      expect(rates(counters)).toEqual({});
      expect(rates(counters, { opsPerSecond: 1, mainThreadCpu: 2 })).toEqual({
        CommandsPerSecond: 1,
        MainThreadCpu: 2,
      });
    });

    test('the count of commands that CONFIG RESETSTAT has set back leaves the CPU known', () => {
      expect(rates({ ...earlier, commands: 40_000 })).toEqual({ MainThreadCpu: 1 });
    });
  });

  test('carry name, unit, dimensions and the time of the look', () => {
    expect(reportOf([anOutcome()]).metrics.find(({ name }) => name === 'UsedMemoryRss')).toEqual({
      name: 'UsedMemoryRss',
      unit: 'Bytes',
      value: 841 * MIB,
      dimensions: { Stage: 'prod', Instance: 'sessions', Node: NODE },
      at: NOW,
    });
  });

  test('an unreachable node is only that, even where a first look had succeeded', () => {
    expect(readings([anUnreached()])).toEqual({ Reachable: 0 });
    expect(readings([anUnreached({ before: aSeen() })])).toEqual({ Reachable: 0 });
  });

  test('a node on which the job failed publishes what was seen, and claims nothing where nothing was', () => {
    const problem = { kind: 'unexpected', message: 'TypeError', expected: false };
    expect(readings([aFailure({ problem, before: aSeen() })])).toEqual(CORE);
    expect(readings([aFailure({ problem })])).toEqual({});
  });

  test('what a server does not report is left out', () => {
    const observation = anObservation({ memory: { memAllocator: 'libc' } });
    const { ExternalFragmentation: _, FreePages: __, ...rest } = CORE;
    expect(readings([anOutcome({ before: aSeen({ observation }) })])).toEqual(rest);
  });

  test('after an action the layers are those of the look after it, so that they add up with its RSS', () => {
    expect(readings([purged])).toMatchObject({
      UsedMemoryRss: 500 * MIB,
      FreePages: 28 * MIB,
      ExternalFragmentation: 6 * MIB,
    });
  });

  test('the newest look counts, not the one that a purge was planned from', () => {
    const purge = { ...anOutcome(), plan: aSkip('would-block') };
    expect(readings([stopped('goal-met', { purge })]).UsedMemoryRss).toBe(500 * MIB);
  });

  test('a purge: what it returned, against what was predicted, and what it cost', () => {
    expect(readings([purged])).toMatchObject({
      ReclaimedMemory: 300 * MIB,
      PredictedReclaim: 310 * MIB,
      BlockedTime: 96,
    });
    expect(readings([purged])).not.toHaveProperty('DefragStall');
  });

  test('a defrag and the purge after it: the bytes once, both costs', () => {
    expect(readings([stopped('goal-met', { purge: purgedAfter })])).toMatchObject({
      ReclaimedMemory: 341 * MIB,
      PredictedReclaim: 350 * MIB,
      DefragStall: 3,
      BlockedTime: 48,
    });
  });

  test('without a verdict there are no action metrics', () => {
    expect(readings([started])).toEqual(CORE);
  });

  test('the job: once for the tick, nodes counted and not steps', () => {
    const other = anUnreached({ node: '10.0.3.18:6379' });
    const failed = aFailure({ node: '10.0.3.19:6379', before: aSeen(), leased: true });
    expect(readings([stopped('goal-met', { purge: purgedAfter }), other, failed], {}, 'job')).toEqual({
      Heartbeat: 1,
      NodesObserved: 2,
      NodesUnreachable: 1,
      NodesNotReached: 0,
      NodesFailed: 1,
      NodesMisconfigured: 0,
      LeasesHeld: 1,
      TickDuration: 2500,
    });
  });

  test('a purge after a defrag that failed is a failure of its node', () => {
    expect(readings([stopped('goal-met', { purge: aFailure() })], {}, 'job')).toMatchObject({
      NodesObserved: 1,
      NodesFailed: 1,
    });
  });

  test('a node that was not reached is counted as such, and nothing is claimed of it: F7', () => {
    const notReached = anUnreached({ kind: 'not-reached' });
    expect(readings([notReached])).toEqual({});
    expect(readings([notReached], {}, 'job')).toMatchObject({
      NodesObserved: 0,
      NodesUnreachable: 0,
      NodesNotReached: 1,
      NodesFailed: 0,
    });
  });

  test('beyond 25 nodes the job counts those that cross their own thresholds, for the alarms of the fleet', () => {
    const nodes = anInstance().nodes;
    const many = (over: Partial<InstanceConfig>) => [
      anInstance({ ...over, nodes: Array.from({ length: 26 }, () => nodes).flat() }),
    ];
    const counts = (over: Partial<InstanceConfig>, memory: Partial<MemorySample> = {}) =>
      readings(
        [anOutcome({ before: aSeen({ observation: anObservation({ memory: aMemorySample(memory) }) }) })],
        { instances: many(over), isFleet: true },
        'job',
      );
    const { fragmentationWarning, fragmentationCritical, rssCritical } = anInstance().thresholds;
    const thresholds = (floor: number) => ({
      fragmentationWarning: { ...fragmentationWarning, floor },
      fragmentationCritical: { ...fragmentationCritical, floor },
      rssCritical,
    });
    // 841 MiB of RSS on 450 MiB: 1.87, and 391 MiB apart.
    expect(counts({})).toMatchObject({ NodesFragmentedWarning: 1, NodesFragmentedCritical: 0, NodesNearLimit: 0 });
    expect(counts({}, { usedMemory: 300 * MIB })).toMatchObject({
      NodesFragmentedWarning: 1,
      NodesFragmentedCritical: 1,
    });
    expect(counts({ thresholds: thresholds(392 * MIB) })).toMatchObject({ NodesFragmentedWarning: 0 });
    expect(counts({ memoryLimit: 900 * MIB })).toMatchObject({ NodesNearLimit: 1 });
    // The same comparison as in the finding and the alarm: 841 MiB are 50 % of the limit, and near it.
    const limited = (percentOfLimit: number) =>
      counts({
        memoryLimit: 1682 * MIB,
        thresholds: { ...thresholds(0), rssCritical: { ...rssCritical, percentOfLimit } },
      });
    expect([limited(50), limited(51)]).toMatchObject([{ NodesNearLimit: 1 }, { NodesNearLimit: 0 }]);
    expect(readings([anOutcome()], {}, 'job')).not.toHaveProperty('NodesNearLimit');
  });

  test('while the state cannot be read, the number of leases is unknown, not zero', () => {
    expect(readings([anOutcome()], { problem: { why: 'locked' } }, 'job')).not.toHaveProperty('LeasesHeld');
  });

  test('a lease on a node that the config no longer names counts as failed, and claims nothing of the node', () => {
    const orphan = aFailure({ instance: 'gone' });
    expect(readings([orphan])).toEqual({});
    expect(readings([orphan], {}, 'job')).toMatchObject({ NodesFailed: 1, NodesObserved: 0 });
  });
});
