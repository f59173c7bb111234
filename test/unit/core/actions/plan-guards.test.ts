import { describe, expect, test } from 'vitest';
import { plan } from '../../../../core/actions/plan.ts';
import { actionOf } from '../../../../core/actions/registry.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { HOUR, MIB, SECOND } from '../../../../core/config/units.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import type { Facts, SkipReason } from '../../../../core/domain/plan.ts';
import { aHistory, anEngine, anInstance, anObservation, aPlan, aPurgePlan, NOW } from '../../../support/builders.ts';
import { aRetainingObservation, aSituation, CLOSED, OPEN } from '../../../support/situations.ts';

const withDefrag = (over: Partial<InstanceConfig['defrag']>) =>
  anInstance({ defrag: { ...anInstance().defrag, ...over } });

type Row = readonly [what: string, reason: SkipReason, over: Partial<Facts>, more?: object];
const named = (rows: readonly Row[]) => rows.map(([what, reason, over, more = {}]) => ({ what, reason, over, more }));

describe('guards become reasons, with their figures and what was meant to be done', () => {
  const busyAt = (observation: Observation): Observation => ({
    ...observation,
    at: NOW - SECOND,
    activity: { ...observation.activity, totalCommandsProcessed: 2_000, cpuSeconds: 120, ownCommands: 3 },
  });
  const ROWS: readonly Row[] = [
    [
      'unknown engine',
      'unknown-engine',
      { observation: anObservation({ engine: anEngine({ name: 'unknown', version: '' }) }) },
      { engine: 'unknown', version: '' },
    ],
    ['loading', 'loading', { observation: anObservation({ persistence: { loading: true } }) }],
    [
      'BGSAVE',
      'forking',
      { observation: anObservation({ persistence: { rdbBgsaveInProgress: true } }) },
      { child: 'bgsave' },
    ],
    [
      'a replica that syncs',
      'replica-syncing',
      { observation: anObservation({ replication: { role: 'replica', primaryLinkUp: false, replicasSyncing: 0 } }) },
      { linkUp: false },
    ],
    [
      'feeding a replica',
      'feeding-full-sync',
      { observation: anObservation({ replication: { role: 'primary', replicasSyncing: 1 } }) },
      { replicas: 1 },
    ],
    [
      'failover',
      'failover',
      {
        observation: anObservation({ replication: { role: 'primary', replicasSyncing: 0, failoverInProgress: true } }),
      },
    ],
    [
      'lazy-free pending',
      'lazyfree-pending',
      { observation: anObservation({ memory: { lazyfreePendingObjects: 9 } }) },
      { objects: 9 },
    ],
    [
      'rehashing',
      'rehashing',
      { observation: anObservation({ memory: { rehashingOverhead: 64 * MIB } }) },
      { bytes: 64 * MIB, limit: 32 * MIB },
    ],
    [
      'more data than maxmemory',
      'eviction-pressure',
      { observation: anObservation({ activity: { currentEvictionExceededTime: 400, ownCommands: 3 } }) },
      { exceededFor: 400, overLimit: 0 },
    ],
    [
      'just restarted',
      'just-restarted',
      { observation: anObservation({ uptime: 4_000 }) },
      { uptime: 4_000, required: 10_000 },
    ],
    [
      'too busy since the first look',
      'busy',
      { earlier: busyAt(anObservation()) },
      { mainThread: { cpu: expect.closeTo(50), limit: 40 } },
    ],
    [
      'more commands than there may be',
      'busy',
      { earlier: busyAt(anObservation()), policy: anInstance({ maxMainThreadCpu: 100, maxOpsPerSecond: 1000 }) },
      { commands: { perSecond: 40_003, limit: 1000 } },
    ],
    ...(['failover', 'cluster-down', 'undiscovered'] as const).map(
      (unsettled): Row => [
        `its discovery says ${unsettled}`,
        unsettled,
        { policy: anInstance({ found: { by: 's', group: 's', unsettled } }) },
      ],
    ),
    ['another node acting', 'peer-acting', { peer: '10.0.3.18:6379' }, { peer: '10.0.3.18:6379' }],
    [
      'a peer fell under our defrag tonight',
      'canary-died',
      { fallen: { node: 'b', at: NOW - HOUR } },
      { node: 'b', until: NOW + 19 * HOUR },
    ],
    ['cooling down', 'cooling-down', { memory: aHistory({ lastDefragAt: NOW - HOUR }) }, { until: NOW + 5 * HOUR }],
    [
      'not enough time',
      'not-enough-time',
      { remaining: 11_000 },
      { remaining: 11_000, required: 10_000 + 0.5 + 2_000 },
    ],
  ];

  test.each(named(ROWS))('$what', ({ reason, over, more }) => {
    const reclaim = expect.any(Number);
    expect(plan(aSituation(over))).toEqual({
      kind: 'skip',
      reason,
      instead: { action: 'start-defrag', predicted: expect.objectContaining({ reclaim, stall: 0.5 }) },
      blockers: [{ kind: reason, ...more }],
    });
  });

  test('all of them are there, the first one is the reason', () => {
    const observation = anObservation({ persistence: { loading: true, aofRewriteInProgress: true }, uptime: 0 });
    const planned = plan(aSituation({ observation, peer: 'other', remaining: 0 }));
    expect(planned).toMatchObject({ reason: 'loading' });
    expect(planned.kind === 'skip' && planned.blockers?.map(({ kind }) => kind)).toEqual([
      'loading',
      'forking',
      'just-restarted',
      'peer-acting',
      'not-enough-time',
    ]);
  });

  test('a closed window is said before them', () => {
    expect(plan(aSituation({ window: CLOSED, peer: 'other' }))).not.toHaveProperty('blockers');
  });
});

describe('cooldown', () => {
  const defragged = (ago: number, ineffective: number) =>
    plan(aSituation({ memory: aHistory({ lastDefragAt: NOW - ago, ineffective: { purge: 9, defrag: ineffective } }) }));
  const purged = (ago: number, ineffective: number) =>
    plan(
      aSituation({
        observation: aRetainingObservation(),
        memory: aHistory({ lastPurgeAt: NOW - ago, ineffective: { purge: ineffective, defrag: 9 } }),
      }),
    );

  test.each([
    // ineffective runs in a row, cooldown in hours
    [0, 6],
    [1, 12],
    [2, 24],
    [6, 6 * 64],
    [7, 6 * 64],
    [1000, 6 * 64],
  ])('after %d ineffective runs it is %d hours, for each cure apart', (ineffective, hours) => {
    for (const plannedAt of [defragged, purged]) {
      expect(plannedAt(hours * HOUR - 1, ineffective).reason).toBe('cooling-down');
      expect(plannedAt(hours * HOUR, ineffective).kind).toBe('act');
    }
  });

  test('of a defrag does not hold up a purge, nor the other way round', () => {
    const memory = aHistory({ lastDefragAt: NOW });
    expect(plan(aSituation({ observation: aRetainingObservation(), memory })).kind).toBe('act');
    expect(plan(aSituation({ memory: aHistory({ lastPurgeAt: NOW }) })).kind).toBe('act');
  });

  test('of 0 is none, however ineffective', () => {
    const memory = aHistory({ lastDefragAt: NOW, ineffective: { purge: 0, defrag: 9 } });
    expect(plan(aSituation({ memory, policy: withDefrag({ cooldown: 0 }) })).kind).toBe('act');
  });
});

describe('time left', () => {
  /** As long as the purge is waited for: 77 ms are predicted. */
  const PATIENCE = 2000 + 4 * 77;

  test.each([
    ['the first look before a purge needs the decay as well', undefined, 10_000 + PATIENCE + 12_000],
    ['the second one does not', aRetainingObservation(200 * MIB, { at: NOW - 12_000 }), 10_000 + PATIENCE],
  ])('%s', (_what, earlier, required) => {
    const at = (remaining: number) =>
      plan(aSituation({ observation: aRetainingObservation(), remaining, ...(earlier && { earlier }) }));
    expect(at(required).kind).toBe('act');
    expect(at(required - 1)).toMatchObject({
      reason: 'not-enough-time',
      blockers: [{ required, remaining: required - 1 }],
    });
  });

  test('the window has to last as long, and a minute for a defrag', () => {
    const closing = (ms: number, observation: Observation) =>
      plan(aSituation({ observation, window: { ...OPEN, closesAt: NOW + ms } }));
    expect(closing(60_000, anObservation()).kind).toBe('act');
    expect(closing(59_999, anObservation())).toMatchObject({
      reason: 'not-enough-time',
      blockers: [{ remaining: 59_999, required: 60_000 }],
    });
    expect(closing(59_999, aRetainingObservation()).kind).toBe('act');
    expect(closing(10_000, aRetainingObservation()).reason).toBe('not-enough-time');
  });

  test.each([
    ['a purge waits for the decay', aPurgePlan(), 12_000],
    ['a defrag only for the traffic and the noise', aPlan(), 2_000],
    ['a purge after a defrag likewise', aPurgePlan({ reason: 'after-defrag' }), 2_000],
  ])('%s', (_what, acting, wait) => {
    expect(actionOf(acting.action.kind).terms(aSituation(), acting).secondCheck).toBe(wait);
  });
});
