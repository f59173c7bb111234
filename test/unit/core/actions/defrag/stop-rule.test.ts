import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialProgress, nextProgress } from '../../../../../core/actions/defrag/progress.ts';
import { planLeased } from '../../../../../core/actions/defrag/stop-rule.ts';
import type { InstanceConfig } from '../../../../../core/config/schema.ts';
import { MIB, MINUTE, SECOND } from '../../../../../core/config/units.ts';
import type { Lease, Progress } from '../../../../../core/domain/lease.ts';
import type { DefragState, LatencyEvent, Observation } from '../../../../../core/domain/observation.ts';
import type { Facts, StopReason } from '../../../../../core/domain/plan.ts';
import type { Role } from '../../../../../core/domain/replication.ts';
import { identify } from '../../../../../core/leases/identity.ts';
import { aLease, anEngine, anInstance, anObservation, NOW } from '../../../../support/builders.ts';
import { aSituation, CLOSED } from '../../../../support/situations.ts';
import { PAUSE } from '../../reporting/samples.ts';

const LEASE = aLease();

/** Our defrag in its third minute: 40 MiB fewer holes than at the look before, 80 are left. */
const RUNNING: DefragState = {
  settings: { ...anObservation().defrag.settings, ...LEASE.applied },
  running: 25,
  hits: 300_000,
  misses: 130_000,
};
const holes = (bytes: number) => ({ allocatorAllocated: 451 * MIB, allocatorActive: 451 * MIB + bytes });

function running(
  defrag: Partial<DefragState> = {},
  over: Partial<Omit<Observation, 'memory' | 'defrag'>> = {},
  left = 80 * MIB,
) {
  return anObservation({ ...over, defrag: { ...RUNNING, ...defrag }, memory: holes(left) });
}

const leaseWith = (progress: Partial<Progress>, over: Partial<Lease> = {}): Lease =>
  aLease({ ...over, progress: { ...LEASE.progress, ...progress } });
const decide = (over: Partial<Facts> = {}, lease: Lease = LEASE) =>
  planLeased(aSituation({ observation: running(), ...over }), lease);
const disabled: InstanceConfig = anInstance({ defrag: { ...anInstance().defrag, enabled: false } });

test('what a person has started outside of the windows goes on to its end', () => {
  const byHand = aLease({ byHand: true });
  expect(decide({ window: CLOSED }, byHand)).toMatchObject({ kind: 'skip', reason: 'defragmenting' });
  expect(decide({ window: CLOSED, now: byHand.expiresAt }, byHand)).toMatchObject({ reason: 'duration-spent' });
});

test('while it makes progress and nothing speaks against it, it goes on until the lease ends', () => {
  expect(decide()).toMatchObject({ kind: 'skip', reason: 'defragmenting', until: LEASE.expiresAt });
});

/** The gentlest settings have overrun for a minute, and this look sees another long cycle. */
const OVERRUNNING = leaseWith({
  pace: { level: 3, allowance: 0, falls: 4, changedAt: NOW - 20 * SECOND, overSince: NOW - MINUTE },
});
const OVERRUN: LatencyEvent = { at: 1, latest: 90, max: 90 };

type Row = readonly [reason: StopReason, over: Partial<Facts>, lease?: Lease];
/** In the order in which they are asked for: of two, the earlier one is said. */
const REASONS: readonly Row[] = [
  ['interrupted', {}, aLease({ closing: 'interrupted' })],
  ['server-restarted', { observation: running({}, { runId: 'another' }) }],
  ['paused', { pause: PAUSE }],
  ['disabled', { policy: disabled }],
  ['window-closed', { window: CLOSED }],
  ['duration-spent', { now: LEASE.expiresAt }],
  ['forking', { observation: running({}, { persistence: { rdbBgsaveInProgress: true } }) }],
  ['switched-off', { observation: running({ settings: { ...RUNNING.settings, activedefrag: 'no' } }) }],
  ['stall-spent', { observation: running({ latency: OVERRUN }) }, OVERRUNNING],
  ['goal-met', { observation: running({}, {}, 5 * MIB) }],
  ['no-progress', { observation: running({ running: 0 }) }],
];

describe('it ends for a reason', () => {
  test.each(REASONS.map(([reason, over, lease]) => ({ reason, over, lease })))('$reason', ({ reason, over, lease }) => {
    expect(decide(over, lease)).toMatchObject({
      kind: 'act',
      action: { kind: 'stop-defrag', because: reason },
      reason,
      predicted: LEASE.predicted,
    });
  });

  test('and of several, for the first', () => {
    const facts: Facts = aSituation({
      now: LEASE.expiresAt,
      pause: PAUSE,
      policy: disabled,
      window: CLOSED,
      observation: running(
        { running: 0, settings: { activedefrag: 'no' }, latency: OVERRUN },
        { runId: 'another', persistence: { loading: true } },
        0,
      ),
    });
    const withdrawn: readonly ((facts: Facts) => Facts)[] = [
      (now) => now,
      (now) => ({ ...now, observation: { ...now.observation, runId: LEASE.runId } }),
      ({ pause: _, ...now }) => now,
      (now) => ({ ...now, policy: anInstance() }),
      (now) => ({ ...now, window: aSituation().window }),
      (now) => ({ ...now, now: NOW }),
      (now) => ({ ...now, observation: { ...now.observation, persistence: {} } }),
      (now) => ({
        ...now,
        observation: {
          ...now.observation,
          defrag: { ...RUNNING, running: 0, latency: OVERRUN },
        },
      }),
      (now) => ({ ...now, observation: { ...now.observation, defrag: { ...RUNNING, running: 0 } } }),
      (now) => ({ ...now, observation: running({ running: 0 }) }),
      (now) => ({ ...now, observation: running() }),
    ];
    const seen: string[] = [planLeased(facts, aLease({ closing: 'interrupted' })).reason];
    withdrawn.reduce((now, withdraw) => {
      const next = withdraw(now);
      seen.push(planLeased(next, OVERRUNNING).reason);
      return next;
    }, facts);
    const expected = REASONS.map(([reason]) => (reason === 'forking' ? 'loading' : reason));
    expect(seen).toEqual([...expected, 'defragmenting']);
  });

  test('a pause is told: until when, why and by whom', () => {
    const pause = { until: PAUSE.until, reason: PAUSE.reason, by: PAUSE.by };
    expect(decide({ pause: PAUSE })).toMatchObject({ action: { pause } });
  });

  test('the last millisecond of the lease is still ours', () => {
    expect(decide({ now: LEASE.expiresAt - 1 }).kind).toBe('skip');
  });

  test.each<readonly [string, Partial<Omit<Observation, 'memory' | 'defrag'>>, object]>([
    ['loading', { persistence: { loading: true } }, {}],
    ['forking', { persistence: { aofRewriteInProgress: true } }, { child: 'aof-rewrite' }],
    ['feeding-full-sync', { replication: { role: 'primary', replicasSyncing: 1 } }, { replicas: 1 }],
    ['failover', { replication: { role: 'primary', replicasSyncing: 0, failoverInProgress: true } }, {}],
    [
      'eviction-pressure',
      { activity: { ...anObservation().activity, currentEvictionExceededTime: 500 } },
      { exceededFor: 500 },
    ],
  ])('a guard that fires: %s, with its figures', (kind, over, figures) => {
    expect(decide({ observation: running({}, over) })).toMatchObject({
      action: { kind: 'stop-defrag', because: kind, blockers: [{ kind, ...figures }] },
    });
  });

  test.each<readonly [string, Role, Role, boolean]>([
    ['a primary that became a replica', 'primary', 'replica', true],
    ['a replica that became the primary', 'replica', 'primary', true],
    ['a server that no longer says', 'primary', 'unknown', true],
    ['a replica that still is one', 'replica', 'replica', false],
  ])('a failover shows in the role: %s', (_what, before, now, isFailover) => {
    const observation = running({}, { replication: { role: now, replicasSyncing: 0 } });
    expect(decide({ observation }, aLease({ role: before })).reason).toBe(isFailover ? 'failover' : 'defragmenting');
  });

  test.each([
    [
      'lazy-free pending',
      anObservation({ defrag: RUNNING, memory: { ...holes(80 * MIB), lazyfreePendingObjects: 9 } }),
    ],
    ['rehashing', anObservation({ defrag: RUNNING, memory: { ...holes(80 * MIB), rehashingOverhead: 64 * MIB } })],
    ['a young server', running({}, { uptime: 5 * SECOND })],
  ])('what passes by itself ends nothing: %s', (_what, observation) => {
    expect(decide({ observation }).kind).toBe('skip');
  });

  test('traffic is measured from the look before, which another connection made', () => {
    const policy = anInstance({ maxOpsPerSecond: 1000 });
    const activity = { totalCommandsProcessed: 100_000 + 60_000 + 10, ownCommands: 10 };
    const observation = running({}, { activity });
    const at = (commands: number) => decide({ observation, policy }, leaseWith({ commands })).reason;
    expect(at(100_000)).toBe('defragmenting');
    expect(at(99_000)).toBe('busy');
  });

  test('on a server that nobody else uses the traffic is 0, even where none is allowed', () => {
    const policy = anInstance({ maxOpsPerSecond: 0 });
    // Our last look's INFO stats, which counted itself afterwards, then ten commands of this look.
    const activity = { totalCommandsProcessed: 5_000 + 1 + 10, ownCommands: 10 };
    const observation = running({}, { activity });
    expect(decide({ observation, policy }, leaseWith({ commands: 5_000 })).reason).toBe('defragmenting');
    expect(decide({ observation, policy }, leaseWith({ commands: 4_999 })).reason).toBe('busy');
  });

  /** The look before was a minute ago, at 100 s of CPU time. */
  const afterMinute = (share: number, defrag: Partial<DefragState> = {}, policy = anInstance()) => {
    const activity = { ...anObservation().activity, cpuSeconds: 100 + 0.6 * share };
    return decide({ observation: running(defrag, { activity }), policy }, leaseWith({ cpuSeconds: 100 }));
  };

  test.each<readonly [what: string, defrag: Partial<DefragState>, up: number]>([
    // limit 40 %, margin 10 %
    ['what it was allowed', { settings: { ...RUNNING.settings, 'active-defrag-cycle-max': '5' }, running: 5 }, 55],
    ['what it was allowed, though it has ended meanwhile', { running: 0 }, 75],
    ['what a human has raised it to', { running: 30 }, 80],
    ['the policy, where CONFIG GET is refused', { settings: undefined as never, running: 0 }, 75],
    [
      'the policy, where the setting cannot be read',
      { settings: { ...RUNNING.settings, 'active-defrag-cycle-max': 'x' }, running: 0 },
      75,
    ],
  ])("our own defrag's share is taken off before others are judged: %s", (_what, defrag, up) => {
    expect(afterMinute(up - 0.1, defrag).reason).not.toBe('busy');
    expect(afterMinute(up + 0.1, defrag).reason).toBe('busy');
  });

  test('a run on an idle server does not stop itself, whatever its share and the limit', () => {
    const shares = fc.integer({ min: 1, max: 75 });
    fc.assert(
      fc.property(shares, fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 10 }), (cpu, limit, over) => {
        const settings = { ...RUNNING.settings, 'active-defrag-cycle-max': String(cpu) };
        const policy = anInstance({ maxMainThreadCpu: limit });
        expect(afterMinute(cpu + over, { settings, running: cpu }, policy).reason).toBe('defragmenting');
      }),
    );
  });

  test('the CPU time is measured from look to look, and one that does not tell leaves none behind', () => {
    expect(nextProgress(leaseWith({ cpuSeconds: 100 }), running()).cpuSeconds).toBe(120.5);
    const silent = running({}, { activity: { ownCommands: 3 } });
    expect(nextProgress(leaseWith({ cpuSeconds: 100 }), silent)).not.toHaveProperty('cpuSeconds');
  });

  test('a look that cannot tell the run id is the same server', () => {
    const { runId: _, ...nameless } = running();
    expect(identify(LEASE, nameless)).toBe('same');
    expect(decide({ observation: nameless }).kind).toBe('skip');
  });

  test.each([
    ['younger than the lease: it restarted', 119 * SECOND, 'restarted'],
    ['a second younger, for all that it tells', 120 * SECOND, 'restarted'],
    ['older than the lease: another server answers at this address', 121 * SECOND, 'another'],
    ['of an age that it does not tell: nobody may say that ours is gone', undefined, 'another'],
  ] as const)('another run id, %s', (_what, uptime, identity) => {
    const { uptime: _, ...ageless } = running({}, { runId: 'f'.repeat(40) });
    expect(identify(LEASE, { ...ageless, ...(uptime !== undefined && { uptime }) })).toBe(identity);
  });
});

describe('a lease whose job died before it could say that its settings are there', () => {
  const taking = aLease({ phase: 'taking' });

  test('carries on where they are', () => {
    expect(decide({ observation: running() }, taking).reason).toBe('defragmenting');
  });

  test.each([
    ['they are not', { ...RUNNING, settings: { ...RUNNING.settings, ...taking.prior } }],
    [
      'only the switch is: a human typed it',
      { ...RUNNING, settings: { ...RUNNING.settings, ...taking.prior, activedefrag: 'yes' } },
    ],
  ])('has never started where %s', (_what, defrag) => {
    expect(decide({ observation: anObservation({ defrag }) }, taking).reason).toBe('never-started');
  });

  test('has started where any other of its settings is there, whatever a human has made of the rest', () => {
    const settings = { ...RUNNING.settings, ...taking.prior, activedefrag: 'yes', hz: '500' };
    const seen = anObservation({ defrag: { ...RUNNING, settings } });
    expect(decide({ observation: seen }, taking).reason).toBe('defragmenting');
    const engine = anEngine({ version: '6.2.14', atomicConfigSet: false });
    expect(decide({ observation: { ...seen, engine } }, taking).reason).toBe('never-started');
  });

  test('one that was seen in place and is off now was switched off by somebody', () => {
    const defrag = { ...RUNNING, settings: { ...RUNNING.settings, activedefrag: 'no' } };
    expect(decide({ observation: anObservation({ defrag }) }).reason).toBe('switched-off');
  });
});

describe('the goal', () => {
  test.each([
    [451, 0.012 * 451 * MIB, 'goal-met'],
    [451, 0.012 * 451 * MIB + 1, 'defragmenting'],
    [50, 1 * MIB, 'goal-met'],
    [50, 1 * MIB + 1, 'defragmenting'],
  ])('%d MiB of data, %d bytes of holes: %s', (allocated, left, reason) => {
    const memory = { allocatorAllocated: allocated * MIB, allocatorActive: allocated * MIB + left };
    expect(decide({ observation: anObservation({ defrag: RUNNING, memory }) }).reason).toBe(reason);
  });

  test('is not met by a look without layers', () => {
    expect(decide({ observation: { ...running(), memory: {} } }).kind).toBe('skip');
  });
});

describe('stalls', () => {
  const latency = (at: number, latest: number, max: number): LatencyEvent => ({ at, latest, max });
  const SEEN = leaseWith({ latencyAt: 1000, latencyMax: 9, worstStall: 3 });
  const after = (event: LatencyEvent | undefined, lease = SEEN) =>
    nextProgress(lease, running(event ? { latency: event } : {}));

  test.each([
    ['nothing recorded', undefined, 3, 0],
    ['the same event still', latency(1000, 9, 9), 3, 0],
    ['a newer one within the promise', latency(1001, 4, 9), 4, 0],
    ['a newer one as long as promised', latency(1001, 5, 9), 5, 0],
    ['a newer one beyond it', latency(1001, 6, 9), 6, 1],
    ['one between the looks that was longer than the latest', latency(1001, 4, 12), 12, 1],
    ['one in the same second, longer than all before', latency(1000, 4, 12), 12, 1],
    ['LATENCY RESET, and a newer one', latency(1001, 4, 4), 4, 0],
    ["the server's clock went back, nothing longer", latency(10, 8, 9), 3, 0],
  ])('%s', (_what, event, worstStall, stallStrikes) => {
    expect(after(event)).toMatchObject({ worstStall, stallStrikes });
  });

  test("only the server's own times are compared: ours may differ by hours", () => {
    for (const [ours, stall] of [
      [NOW + 86_400_000, 6],
      [NOW - 86_400_000, 6],
    ] as const) {
      const observation = running({ latency: latency(1001, 6, 9) }, { at: ours });
      expect(nextProgress(SEEN, observation).worstStall).toBe(stall);
    }
  });

  test('what an earlier run has left in LATENCY LATEST is not charged to this one', () => {
    const stale = running({ latency: latency(500, 76, 76) });
    const lease = aLease({ progress: initialProgress(stale) });
    expect(nextProgress(lease, stale)).toMatchObject({ worstStall: 0, stallStrikes: 0 });
  });

  test('strikes are counted over the whole run, and the worst is kept', () => {
    const looks = [latency(1, 6, 6), latency(2, 2, 6), latency(3, 7, 7), latency(4, 6, 7)];
    const progress = looks.reduce<Progress>(
      (before, event) => nextProgress(aLease({ progress: before }), running({ latency: event })),
      initialProgress(running()),
    );
    expect(progress).toMatchObject({ worstStall: 7, stallStrikes: 3, looks: 4 });
  });
});

describe('progress', () => {
  /** The look before saw 120 MiB of holes, 210,000 hits and 90,000 misses. */
  const next = (hits: number, misses: number, left: number, idleLooks = 0) =>
    nextProgress(leaseWith({ idleLooks }), running({ hits: 210_000 + hits, misses: 90_000 + misses }, {}, left * MIB))
      .idleLooks;

  test.each([
    ['moves and closes', 90_000, 40_000, 80, 0],
    ['moves little but closes 2 %', 0, 100_000, 117.5, 0],
    ['moves 1 %, closes nothing', 1_000, 99_000, 120, 0],
    ['moves less than 1 %, closes less than 2 %', 999, 99_001, 119, 2],
    ['moves nothing, and the holes grow', 0, 100_000, 130, 2],
    ['does not scan: a fork, a pause', 0, 0, 120, 0],
    ['has its counters reset (CONFIG RESETSTAT)', -210_000, -80_000, 120, 0],
    ['has its hits reset only', -1, 100_000, 120, 0],
  ])('a look during which it %s', (_what, hits, misses, left, idleLooks) => {
    expect(next(hits, misses, left, 1)).toBe(idleLooks);
  });

  test('three idle looks in a row end it, two do not', () => {
    const idle = running({ hits: 210_000, misses: 190_000 }, {}, 120 * MIB);
    expect(decide({ observation: idle }, leaseWith({ idleLooks: 1 })).reason).toBe('defragmenting');
    expect(decide({ observation: idle }, leaseWith({ idleLooks: 2 })).reason).toBe('no-progress');
  });

  test.each([
    [2_999, 210_001, 'defragmenting'],
    [3_000, 210_001, 'no-progress'],
    // It has not begun yet: on a starved machine the server's own second takes longer.
    [29_999, 210_000, 'defragmenting'],
    [30_000, 210_000, 'no-progress'],
  ])('a defragger that does not run %d ms after the switch, with %d hits: %s', (ms, hits, reason) => {
    const observation = running({ running: 0, hits, misses: 90_000 });
    expect(decide({ observation }, aLease({ acquiredAt: NOW - ms })).reason).toBe(reason);
  });

  test('a look adds what it saw, and keeps what it could not see', () => {
    const seen = nextProgress(LEASE, running({}, { activity: { totalCommandsProcessed: 7, ownCommands: 3 } }));
    expect(seen).toEqual({
      ...LEASE.progress,
      at: NOW,
      hits: 300_000,
      misses: 130_000,
      fragmentation: 80 * MIB,
      commands: 7,
      looks: 1,
      excess: 0,
      moved: 90_000,
      examined: 130_000,
      work: 15_000,
      pace: { level: 0, allowance: 60, falls: 0 },
    });
    const blind = { ...anObservation({ defrag: {}, activity: { ownCommands: 3 } }), memory: {} };
    expect(nextProgress(LEASE, blind)).toEqual({
      ...LEASE.progress,
      at: NOW,
      looks: 1,
      excess: 0,
      moved: 0,
      examined: 0,
      work: 0,
      stillSince: NOW,
      pace: { level: 0, allowance: 60, falls: 0 },
    });
  });

  test('begins with the first look', () => {
    expect(
      initialProgress(anObservation({ defrag: { hits: 5, misses: 6, latency: { at: 9, latest: 8, max: 7 } } })),
    ).toEqual({
      at: NOW,
      hits: 5,
      misses: 6,
      fragmentation: 357 * MIB,
      commands: 42_003,
      cpuSeconds: 120.5,
      latencyAt: 9,
      latencyMax: 7,
      worstStall: 0,
      stallStrikes: 0,
      looks: 0,
      idleLooks: 0,
      excess: 0,
      moved: 0,
      work: 0,
      mark: { moved: 0, examined: 0, fragmentation: 357 * MIB, work: 0 },
      pace: { level: 0, allowance: 10, falls: 0 },
    });
  });

  test('whatever a server reports, the arithmetic stays finite', () => {
    const count = fc.maxSafeNat();
    const look = fc.record(
      { hits: count, misses: count, allocated: count, active: count, latest: count, max: count, at: count },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 10 }), (looks) => {
        const end = looks.reduce<Progress>((before, { hits, misses, allocated, active, ...latency }) => {
          const memory = { allocatorAllocated: allocated, allocatorActive: active };
          return nextProgress(
            aLease({ progress: before }),
            anObservation({ defrag: { hits, misses, latency }, memory }),
          );
        }, initialProgress(anObservation()));
        const { pace, mark, ...numbers } = end;
        expect(
          [numbers, pace, mark].flatMap((part) => Object.values(part ?? {})).filter((value) => !Number.isFinite(value)),
        ).toEqual([]);
      }),
    );
  });
});

test('a lease of half an hour is stopped by its own end, whatever the server says', () => {
  const late = running({}, { at: NOW + 40 * MINUTE });
  expect(decide({ now: NOW + 40 * MINUTE, observation: late }).reason).toBe('duration-spent');
});
