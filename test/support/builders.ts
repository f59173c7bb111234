import { parseConfig } from '../../core/config/parse.ts';
import type { InstanceConfig } from '../../core/config/schema.ts';
import { MIB, MINUTE } from '../../core/config/units.ts';
import { diagnose } from '../../core/diagnosis/diagnose.ts';
import type { Diagnosis } from '../../core/domain/diagnosis.ts';
import type { Engine } from '../../core/domain/engine.ts';
import type { Lease } from '../../core/domain/lease.ts';
import type { NodeHistory } from '../../core/domain/node-history.ts';
import type { MemorySample, Observation, Settings } from '../../core/domain/observation.ts';
import type { Failed, Observed, Seen, Unreached } from '../../core/domain/outcome.ts';
import type { Plan, SkipReason } from '../../core/domain/plan.ts';
import type { Verdict } from '../../core/domain/verdict.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { decode } from '../../core/state/codec.ts';
import { HISTORY_KIND } from '../../core/state/node-history.ts';

/**
 * One story, told by Redis 7.0.15: strings of 0.1 to 10 KB, 65 % of them expired at random, 841 MiB of RSS on 450 MiB of
 * data. Defrag takes a few seconds and returns 343 MiB of it. It is Tuesday, 02:14 in Berlin, and the window is open.
 */
export const NOW = Date.parse('2026-11-24T01:14:05Z');
export const NODE = '10.0.3.17:6379';
export const RUN_ID = 'bae52d4de9b707a164e60591352f9740b4822687';

const FILE = `
instances:
  - id: sessions
    url: redis://10.0.3.17:6379
    timezone: Europe/Berlin
    windows: [{ days: [tue, thu], start: "02:00", duration: 3h }]
`;

/** What CONFIG GET prints of a Redis that was never changed. */
export const SETTINGS: Settings = {
  activedefrag: 'no',
  'active-defrag-cycle-min': '1',
  'active-defrag-cycle-max': '25',
  'active-defrag-ignore-bytes': '104857600',
  'active-defrag-threshold-lower': '10',
  'active-defrag-threshold-upper': '100',
  hz: '10',
  'latency-monitor-threshold': '0',
};

/** What the config file's own parser makes of an instance with a window and otherwise defaults. */
export function anInstance(over: Partial<InstanceConfig> = {}): InstanceConfig {
  const parsed = parseConfig(FILE, 'prod');
  const [instance] = parsed.ok ? parsed.config.instances : [];
  if (!instance) throw new Error(`the builders' file is not accepted: ${JSON.stringify(parsed)}`);
  return { ...instance, ...over };
}

export function anEngine(over: Partial<Engine> = {}): Engine {
  return { name: 'redis', version: '7.0.15', slicedDefrag: false, atomicConfigSet: true, ...over };
}

/** Fragmented: 357 MiB of holes, 18 MiB of retained pages, 15 MiB outside the allocator. */
export function aMemorySample(over: Partial<MemorySample> = {}): MemorySample {
  return {
    usedMemory: 450 * MIB,
    usedMemoryRss: 841 * MIB,
    allocatorAllocated: 451 * MIB,
    allocatorActive: 808 * MIB,
    allocatorResident: 826 * MIB,
    allocatorFragBytes: 357 * MIB,
    memAllocator: 'jemalloc-5.2.1',
    maxmemory: 480 * MIB,
    maxmemoryPolicy: 'allkeys-lru',
    scriptsVm: 63_872,
    functionsVm: 32_768,
    lazyfreePendingObjects: 0,
    ...over,
  };
}

/** The same server once it is defragmented and purged. */
export function aTidyMemorySample(over: Partial<MemorySample> = {}): MemorySample {
  return aMemorySample({
    usedMemoryRss: 500 * MIB,
    allocatorActive: 457 * MIB,
    allocatorResident: 485 * MIB,
    allocatorFragBytes: 6 * MIB,
    ...over,
  });
}

/** `memory` is merged into the sample; every other part is replaced whole. */
export function anObservation({
  memory,
  ...over
}: Partial<Omit<Observation, 'memory'>> & { readonly memory?: Partial<MemorySample> } = {}): Observation {
  return {
    node: NODE,
    at: NOW,
    engine: anEngine(),
    runId: RUN_ID,
    uptime: 41 * 24 * 60 * MINUTE,
    keys: 91_000,
    memory: aMemorySample(memory),
    activity: {
      totalCommandsProcessed: 42_003,
      instantaneousOpsPerSec: 12,
      evictedKeys: 0,
      currentEvictionExceededTime: 0,
      cpuSeconds: 120.5,
      ownCommands: 3,
    },
    persistence: { loading: false, rdbBgsaveInProgress: false, aofRewriteInProgress: false },
    replication: { role: 'primary', replicasSyncing: 0 },
    defrag: {
      settings: SETTINGS,
      running: 0,
      hits: 0,
      misses: 0,
    },
    refused: [],
    ...over,
  };
}

/** What `diagnose` says of the observation above. */
export function aDiagnosis(over: Partial<Diagnosis> = {}): Diagnosis {
  const asked = { runId: RUN_ID, defragSupport: 'supported', byAction: {} } as const;
  return { ...diagnose(anObservation(), anInstance(), {}, asked), ...over };
}

/** A defrag that has run for two minutes. */
export function aLease(over: Partial<Lease> = {}): Lease {
  return {
    instance: 'sessions',
    node: NODE,
    status: 'active',
    phase: 'running',
    runId: RUN_ID,
    role: 'primary',
    holder: 'tick-1',
    busyUntil: 0,
    acquiredAt: NOW - 2 * MINUTE,
    expiresAt: NOW + 28 * MINUTE,
    prior: { hz: '10', 'active-defrag-cycle-max': '25', 'active-defrag-cycle-min': '1', activedefrag: 'no' },
    applied: { hz: '500', 'active-defrag-cycle-max': '25', 'active-defrag-cycle-min': '25', activedefrag: 'yes' },
    ladder: {
      'active-defrag-cycle-max': ['25', '12', '6', '3'],
      'active-defrag-cycle-min': ['25', '12', '6', '3'],
    },
    before: { usedMemoryRss: 841 * MIB, allocated: 451 * MIB },
    predicted: { reclaim: 350 * MIB, stall: 0.5 },
    promisedStall: 5,
    progress: {
      at: NOW - MINUTE,
      hits: 210_000,
      misses: 90_000,
      fragmentation: 120 * MIB,
      latencyAt: 0,
      latencyMax: 0,
      worstStall: 3,
      stallStrikes: 0,
      idleLooks: 0,
    },
    ...over,
  };
}

type ActPlan = Extract<Plan, { kind: 'act' }>;
export type SkipPlan = Extract<Plan, { kind: 'skip' }>;

/** Start defrag. */
export function aPlan(over: Partial<ActPlan> = {}): ActPlan {
  return {
    kind: 'act',
    action: {
      kind: 'start-defrag',
      settings: { hz: '500', 'active-defrag-cycle-min': '25', activedefrag: 'yes' },
      cpu: 25,
      expiresAt: NOW + 30 * MINUTE,
    },
    reason: 'fragmented',
    predicted: { reclaim: 350 * MIB, stall: 0.5 },
    ...over,
  };
}

export function aPurgePlan(over: Partial<ActPlan> = {}): ActPlan {
  return aPlan({
    action: { kind: 'purge' },
    reason: 'free-pages',
    predicted: { reclaim: 310 * MIB, stall: 122 },
    ...over,
  });
}

export function aSkip(reason: SkipReason, over: Partial<SkipPlan> = {}): SkipPlan {
  return { kind: 'skip', reason, ...over };
}

/** A defrag, its purge included, that gave back what was predicted. */
export function aVerdict(over: Partial<Verdict> = {}): Verdict {
  return {
    action: 'defrag',
    kind: 'improved',
    rssBefore: 841 * MIB,
    rssAfter: 500 * MIB,
    dataGrowth: 0,
    reclaimed: 341 * MIB,
    predicted: 350 * MIB,
    share: 341 / 350,
    stall: 3,
    promisedStall: 5,
    ...over,
  };
}

/** An observation with its diagnosis, on the instance of the builders' file. */
export function aSeen(over: Partial<Seen> = {}): Seen {
  const { observation = anObservation() } = over;
  const asked = { runId: RUN_ID, defragSupport: 'supported', byAction: {} } as const;
  return { observation, diagnosis: diagnose(observation, anInstance(), {}, asked), ...over };
}

/** A node that was looked at, and on which nothing was to be done. */
export function anOutcome(over: Partial<Observed> = {}): Observed {
  return {
    instance: 'sessions',
    node: NODE,
    kind: 'observed',
    before: aSeen(),
    plan: aSkip('healthy'),
    leased: false,
    notices: [],
    ...over,
  };
}

/** A node on which the job went wrong, before it has seen it. */
export function aFailure(over: Partial<Failed> = {}): Failed {
  const problem = { kind: 'action-failed', message: 'no answer', expected: true };
  return { instance: 'sessions', node: NODE, kind: 'failed', problem, leased: false, notices: [], ...over };
}

/** A node that does not answer. */
export function anUnreached(over: Partial<Unreached> = {}): Unreached {
  const problem = { kind: 'timeout', message: 'no answer', expected: true };
  return { instance: 'sessions', node: NODE, kind: 'unreachable', problem, leased: false, notices: [], ...over };
}

/** Of a node, by the short names that version 0.1 stored it under. */
export function aHistory(stored: Readonly<Record<string, unknown>> = {}): NodeHistory {
  return decode(HISTORY_KIND, 'a history', { learned: {}, ineffective: { purge: 0, defrag: 0 }, ...stored });
}

/** A tick of which nothing is to be said but its outcomes. */
export function aTick(over: Partial<Tick> = {}): Tick {
  return {
    at: NOW,
    stage: 'prod',
    instances: [anInstance()],
    undiscovered: [],
    outcomes: [anOutcome()],
    leased: [],
    idle: true,
    remarks: [],
    undelivered: 0,
    troubles: [],
    ...over,
  };
}
