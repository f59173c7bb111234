import { describe, expect, test } from 'vitest';
import { plan, revalidate } from '../../../../core/actions/plan.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { HOUR, MIB, MINUTE } from '../../../../core/config/units.ts';
import type { NodeHistory } from '../../../../core/domain/node-history.ts';
import type { Observation, Settings } from '../../../../core/domain/observation.ts';
import type { Facts, Plan, SkipReason } from '../../../../core/domain/plan.ts';
import {
  aHistory,
  anEngine,
  anInstance,
  anObservation,
  aPlan,
  aPurgePlan,
  aSkip,
  NOW,
  RUN_ID,
} from '../../../support/builders.ts';
import { aRetainingObservation, aSituation, aTidyObservation, CLOSED, OPEN } from '../../../support/situations.ts';

/** 357 MiB of holes less 1.5 % of 451, and 18 MiB of pages less the 15 or so that stay. */
const DEFRAG = {
  reclaim: Math.round((357 - 0.015 * 451 + (18 - 6 - 0.02 * 451)) * MIB),
  stall: 0.5,
  // 808 MiB in slabs of 20 KB, at 300 ns and 0.45.
  firstCycle: 5.7,
  // 91,000 keys at 9 us, 451 MiB at 1.25 ns, on a quarter of a core.
  duration: expect.closeTo(5641, 0),
  isLearned: false,
};
/** 200 MiB of pages less what stays of a heap of 657; 400 ms/GiB. */
const PURGE = { reclaim: Math.round((200 - 6 - 0.02 * 657) * MIB), stall: 77 };

const settings: Settings = anObservation().defrag.settings ?? {};
const withSettings = (over: Settings) => anObservation({ defrag: { settings: { ...settings, ...over }, running: 0 } });
const withPurge = (over: Partial<InstanceConfig['purge']>, more: Partial<InstanceConfig> = {}) =>
  anInstance({ ...more, purge: { ...anInstance().purge, ...over } });
const withDefrag = (over: Partial<InstanceConfig['defrag']>) =>
  anInstance({ defrag: { ...anInstance().defrag, ...over } });
const DENIED = { issue: 'redis/redis#13307', why: 'crashes', fixedIn: 'Redis 7.2.6' };
const deniedEngine = anEngine({ version: '7.2.5', denied: DENIED });

test.each([
  [357 * MIB, 'healthy'],
  [350 * MIB, 'fragmented'],
])('357 MiB of holes of which 350.2 can be closed, with a minReclaim of %d bytes: %s', (minReclaim, reason) => {
  expect(plan(aSituation({ policy: withDefrag({ minReclaim }) })).reason).toBe(reason);
});

describe('acting', () => {
  test('holes above minReclaim start defrag, with its settings, its end and its prediction', () => {
    expect(plan(aSituation())).toEqual({
      kind: 'act',
      action: {
        kind: 'start-defrag',
        settings: expect.objectContaining({ activedefrag: 'yes', hz: '500', 'active-defrag-cycle-min': '25' }),
        cpu: 25,
        expiresAt: OPEN.closesAt,
      },
      reason: 'fragmented',
      predicted: DEFRAG,
    });
  });

  test('pages above minReclaim are purged', () => {
    expect(plan(aSituation({ observation: aRetainingObservation() }))).toEqual({
      kind: 'act',
      action: { kind: 'purge' },
      reason: 'free-pages',
      predicted: PURGE,
    });
  });

  test('both at once: defrag first, whose end includes the purge', () => {
    const both = anObservation({ memory: { allocatorResident: 1100 * MIB, usedMemoryRss: 1115 * MIB } });
    expect(plan(aSituation({ observation: both }))).toMatchObject({ kind: 'act', reason: 'fragmented' });
  });

  test.each([
    ["the window's closing", OPEN, {}, OPEN.closesAt],
    ['maxDuration', OPEN, { maxDuration: 5 * MINUTE }, NOW + 5 * MINUTE],
    ['whichever comes first', { ...OPEN, closesAt: NOW + 4 * MINUTE }, { maxDuration: 5 * MINUTE }, NOW + 4 * MINUTE],
    ['twelve hours where the window never closes', { ...OPEN, closesAt: NOW + 99 * HOUR }, {}, NOW + 12 * HOUR],
  ])('a defrag ends with %s', (_what, window, policy, expiresAt) => {
    expect(plan(aSituation({ window, policy: withDefrag(policy) }))).toMatchObject({ action: { expiresAt } });
  });

  test('an atomic or a sliced engine plans with its own arithmetic', () => {
    const observation = anObservation({ engine: anEngine({ version: '8.2.3', slicedDefrag: true }) });
    expect(plan(aSituation({ observation }))).toMatchObject({ predicted: { stall: 0.5 } });
  });
});

describe('a defrag that would not come to its end', () => {
  /** 9 million keys of 40 bytes: 81 s of the main thread, 5 min 24 s at a quarter of it. */
  const many = (memory: Partial<NodeHistory['learned']> = {}, closesIn = 3 * MINUTE) => {
    const observation = anObservation({ keys: 9_000_000, memory: { memAllocator: 'jemalloc-5.3.0' } });
    const window = { ...OPEN, closesAt: NOW + closesIn };
    return plan(aSituation({ observation, window, memory: aHistory({ learned: memory }) }));
  };

  test('is started on an estimate of up to twice the time that there is', () => {
    expect(many().kind).toBe('act');
    expect(many({}, 2 * MINUTE)).toMatchObject({
      reason: 'too-long',
      blockers: [{ kind: 'too-long', available: 2 * MINUTE, cpu: 25, bound: 'window', isLearned: false }],
      instead: { action: 'start-defrag' },
    });
  });

  test('and on what was measured here only where it fits', () => {
    expect(many({ defragWork: 0.5 }).kind).toBe('act');
    expect(many({ defragWork: 1 })).toMatchObject({ reason: 'too-long', blockers: [{ isLearned: true }] });
  });

  test('says when the job itself is: nothing would look after the run until its next invocation', () => {
    const observation = anObservation({ keys: 90_000_000, memory: { memAllocator: 'jemalloc-5.3.0' } });
    expect(plan(aSituation({ observation, attended: 13 * MINUTE }))).toMatchObject({
      blockers: [{ kind: 'too-long', bound: 'schedule', available: 13 * MINUTE }],
    });
    expect(plan(aSituation({ attended: 13 * MINUTE }))).toMatchObject({ action: { expiresAt: NOW + 13 * MINUTE } });
  });

  test('says when maxDuration is the limit', () => {
    const observation = anObservation({ keys: 90_000_000, memory: { memAllocator: 'jemalloc-5.3.0' } });
    expect(plan(aSituation({ observation, policy: withDefrag({ maxDuration: 5 * MINUTE }) }))).toMatchObject({
      blockers: [{ kind: 'too-long', bound: 'maxDuration', available: 5 * MINUTE }],
    });
  });
});

describe('a defrag that would keep clients waiting for too long', () => {
  test.each([
    ['jemalloc-5.2.1', 'would-stall'],
    ['jemalloc-5.3.0', 'fragmented'],
    ['jemalloc-5.10.0', 'fragmented'],
    ['jemalloc-6.0.0', 'fragmented'],
  ])('16 GiB of small values under %s: %s', (memAllocator, reason) => {
    const GiB = 1024 * MIB;
    const memory = {
      memAllocator,
      allocatorAllocated: 8 * GiB,
      allocatorActive: 16 * GiB,
      allocatorFragBytes: 8 * GiB,
    };
    const observation = anObservation({ keys: 80_000_000, memory: { ...memory, allocatorResident: 16 * GiB } });
    const policy = withDefrag({ maxCpu: 75 });
    expect(plan(aSituation({ observation, policy, window: { ...OPEN, closesAt: NOW + 12 * HOUR } })).reason).toBe(
      reason,
    );
  });

  test('Valkey 8.1 with large values: its cycles are longer than promised', () => {
    const engine = anEngine({ name: 'valkey', version: '8.1.4', slicedDefrag: true, coarseClock: true });
    const memory = { memAllocator: 'jemalloc-5.3.0' };
    const skipped = plan(aSituation({ observation: anObservation({ engine, memory, keys: 20_000 }) }));
    expect(skipped).toMatchObject({ reason: 'would-stall', instead: { predicted: { stall: expect.any(Number) } } });
    expect(plan(aSituation({ observation: anObservation({ engine, memory, keys: 2_000_000 }) })).kind).toBe('act');
  });

  test('outside the window, the purge of the next night says more than it', () => {
    const engine = anEngine({ name: 'valkey', version: '8.1.4', slicedDefrag: true, coarseClock: true });
    const memory = { memAllocator: 'jemalloc-5.3.0', allocatorResident: 1_200 * MIB, usedMemoryRss: 1_220 * MIB };
    const observation = anObservation({ engine, memory, keys: 20_000 });
    const policy = anInstance({ purge: { ...anInstance().purge, maxBlock: 5_000 } });
    expect(plan(aSituation({ observation, policy, window: CLOSED }))).toMatchObject({
      reason: 'outside-window',
      instead: { action: 'purge' },
    });
    expect(plan(aSituation({ observation, policy }))).toMatchObject({ kind: 'act', action: { kind: 'purge' } });
  });
});

type Row = readonly [what: string, reason: SkipReason, over: Partial<Facts>, more?: object];
const named = (rows: readonly Row[]) => rows.map(([what, reason, over, more = {}]) => ({ what, reason, over, more }));

describe('skipping', () => {
  const ROWS: readonly Row[] = [
    ['nothing to cure', 'healthy', { observation: aTidyObservation() }],
    ['holes just below minReclaim', 'healthy', { policy: withDefrag({ minReclaim: 357 * MIB + 1 }) }],
    [
      'defrag that is on without a lease of ours',
      'foreign-defrag',
      { observation: withSettings({ activedefrag: 'yes' }) },
    ],
    [
      'the same where CONFIG is refused and only INFO tells',
      'foreign-defrag',
      { observation: anObservation({ defrag: { running: 25 }, refused: ['config|get'] }) },
    ],
    ['an allocator without layers', 'no-layers', { observation: anObservation({ memory: { memAllocator: 'libc' } }) }],
    ['defrag disabled', 'disabled', { policy: withDefrag({ enabled: false }) }],
    ['purge disabled', 'disabled', { observation: aRetainingObservation(), policy: withPurge({ enabled: false }) }],
    [
      'a version that is known to crash',
      'denied-version',
      { observation: anObservation({ engine: deniedEngine }) },
      { denial: DENIED },
    ],
    [
      'CONFIG refused',
      'config-refused',
      { observation: anObservation({ defrag: { running: 0 }, refused: ['config|get'] }) },
    ],
    ['CONFIG SET refused', 'config-refused', { observation: anObservation({ refused: ['config|set'] }) }],
    [
      'a server that knows no activedefrag',
      'unsupported',
      { observation: anObservation({ defrag: { settings: { hz: '10' } } }) },
    ],
    [
      'a build that refused when asked',
      'unsupported',
      { memory: aHistory({ runId: RUN_ID, defragSupport: 'unsupported' }) },
    ],
    [
      'holes that the defragger does not see',
      'not-defraggable',
      { observation: anObservation({ memory: { allocatorFragBytes: 0 } }) },
    ],
    [
      'holes of which it sees too few',
      'not-defraggable',
      { observation: anObservation({ memory: { allocatorFragBytes: 100 * MIB } }) },
    ],
    [
      'MEMORY PURGE refused last night',
      'purge-refused',
      { observation: aRetainingObservation(), memory: aHistory({ purgeRefusedAt: NOW - 19 * HOUR }) },
    ],
    [
      'a purge that would take longer than maxBlock',
      'would-block',
      { observation: aRetainingObservation(), policy: withPurge({ maxBlock: 70 }) },
      { instead: { action: 'purge', predicted: PURGE } },
    ],
    [
      'a closed window',
      'outside-window',
      { window: CLOSED },
      { instead: { action: 'start-defrag', predicted: DEFRAG }, until: NOW + 300 * MINUTE },
    ],
    [
      'a closed window before a purge',
      'outside-window',
      { window: CLOSED, observation: aRetainingObservation() },
      { instead: { action: 'purge', predicted: PURGE }, until: NOW + 300 * MINUTE },
    ],
    [
      'no window at all',
      'outside-window',
      { window: { open: false, nextOpening: undefined } },
      { instead: { action: 'start-defrag', predicted: DEFRAG } },
    ],
  ];

  test.each(named(ROWS))('$what: $reason', ({ reason, over, more }) => {
    expect(plan(aSituation(over))).toEqual({ kind: 'skip', reason, ...more });
  });

  test('MEMORY PURGE is tried again the night after it was refused', () => {
    const memory = aHistory({ purgeRefusedAt: NOW - 20 * HOUR });
    expect(plan(aSituation({ observation: aRetainingObservation(), memory })).kind).toBe('act');
  });

  test('the usual holes of a large server are not the defragger’s fault', () => {
    const allocated = 20 * 1024 * MIB;
    const memory = {
      allocatorAllocated: allocated,
      allocatorActive: allocated + 350 * MIB,
      allocatorFragBytes: 350 * MIB,
    };
    expect(plan(aSituation({ observation: anObservation({ memory }) })).reason).not.toBe('not-defraggable');
  });

  test('a build that refused is asked again after a restart', () => {
    const memory = aHistory({ runId: 'the one before', defragSupport: 'unsupported' });
    expect(plan(aSituation({ memory }))).toMatchObject({ kind: 'act', reason: 'fragmented' });
  });

  test('a server that is tidy is healthy outside its window as well', () => {
    expect(plan(aSituation({ observation: aTidyObservation(), window: CLOSED })).reason).toBe('healthy');
  });

  test('a foreign defrag is left alone, whatever else is true', () => {
    const observation = withSettings({ activedefrag: 'yes' });
    const policy = withDefrag({ enabled: false });
    expect(plan(aSituation({ observation, policy, window: CLOSED })).reason).toBe('foreign-defrag');
  });

  test('a minReclaim of 0 is no reason to do what returns nothing', () => {
    const nothing = anObservation({
      memory: { allocatorActive: 451 * MIB, allocatorResident: 451 * MIB, usedMemoryRss: 460 * MIB },
    });
    const policy = withPurge({ minReclaim: 0 }, { defrag: { ...anInstance().defrag, minReclaim: 0 } });
    expect(plan(aSituation({ observation: nothing, policy })).reason).toBe('healthy');
  });
});

describe('when defrag cannot be had, a purge still can', () => {
  /** Holes and pages alike. */
  const both = (over: Partial<Omit<Observation, 'memory'>> = {}, fragBytes = 357 * MIB) =>
    anObservation({
      ...over,
      memory: { allocatorResident: 958 * MIB, usedMemoryRss: 973 * MIB, allocatorFragBytes: fragBytes },
    });

  test.each<readonly [string, Partial<Facts>]>([
    ['denied version', { observation: both({ engine: deniedEngine }) }],
    ['CONFIG refused', { observation: both({ defrag: { running: 0 }, refused: ['config|get'] }) }],
    ['unsupported', { observation: both(), memory: aHistory({ runId: RUN_ID, defragSupport: 'unsupported' }) }],
    ['no such setting', { observation: both({ defrag: { settings: { hz: '10' } } }) }],
    ['defrag disabled', { observation: both(), policy: withDefrag({ enabled: false }) }],
    ['cooling down', { observation: both(), memory: aHistory({ lastDefragAt: NOW }) }],
    ['holes that it does not see, though the pages alone would be worth a run', { observation: both({}, 0) }],
  ])('%s', (_what, over) => {
    const policy = over.policy ?? anInstance();
    const roomy = { ...policy, purge: { ...policy.purge, minReclaim: 100 * MIB } };
    expect(plan(aSituation({ ...over, policy: roomy }))).toMatchObject({
      action: { kind: 'purge' },
      reason: 'free-pages',
    });
  });

  test('what runs have returned before does not forbid another: their cooldown does', () => {
    const learned = aHistory({ learned: { defragShare: 0.1 } });
    expect(plan(aSituation({ memory: learned }))).toMatchObject({ action: { kind: 'start-defrag' } });
  });

  test('a server that went down under our defrag is left alone for a week, or until its version changes', () => {
    const crashed = (version: string, at: number) =>
      plan(aSituation({ memory: aHistory({ crashed: { version, at } }) }));
    expect(crashed('7.0.15', NOW - HOUR)).toMatchObject({
      reason: 'denied-version',
      denial: { issue: 'seen on this node' },
    });
    expect(crashed('7.0.14', NOW - HOUR).kind).toBe('act');
    expect(crashed('7.0.15', NOW - 8 * 24 * HOUR).kind).toBe('act');
  });

  test('after a guard has stopped one, nothing starts for a while', () => {
    expect(plan(aSituation({ memory: aHistory({ restUntil: NOW + 1 }) })).reason).toBe('cooling-down');
    expect(plan(aSituation({ memory: aHistory({ restUntil: NOW }) })).kind).toBe('act');
  });

  test('and outside the window the purge that waits says more than the defrag that never comes', () => {
    const policy = withPurge({ minReclaim: 100 * MIB, maxBlock: 1_000 });
    const refused = both({ engine: deniedEngine });
    expect(plan(aSituation({ observation: refused, policy, window: CLOSED }))).toMatchObject({
      reason: 'outside-window',
      instead: { action: 'purge' },
    });
  });

  test('a CONFIG GET that was refused in part is a refusal, not a build without defrag', () => {
    const defrag = { running: 0, settings: { hz: '10' } };
    expect(plan(aSituation({ observation: anObservation({ defrag, refused: ['config|get'] }) })).reason).toBe(
      'config-refused',
    );
    expect(plan(aSituation({ observation: anObservation({ defrag }) })).reason).toBe('unsupported');
  });

  test('and when neither can, the plan says why there is no defrag', () => {
    const observation = both({ engine: deniedEngine });
    expect(plan(aSituation({ observation, policy: withPurge({ enabled: false }) })).reason).toBe('denied-version');
  });
});

describe('the second look decides, for what the first one asked for', () => {
  test.each<readonly [string, Plan, Plan, Plan]>([
    ['still the same', aPlan(), aPlan(), aPlan()],
    ['the same with newer figures', aPlan({ predicted: { reclaim: 1, stall: 1 } }), aPlan(), aPlan()],
    ['another action', aPlan(), aPurgePlan(), aSkip('changed')],
    ['another action, the other way round', aPurgePlan(), aPlan(), aSkip('changed')],
    ['not any more', aPlan(), aSkip('busy'), aSkip('busy')],
    ['nothing, before and after', aSkip('healthy'), aSkip('healthy'), aSkip('healthy')],
  ])('%s', (_what, first, second, agreed) => {
    expect(revalidate(first, second)).toEqual(agreed);
  });
});
