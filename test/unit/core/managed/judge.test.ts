import { expect, test } from 'vitest';
import { MIB, MINUTE } from '../../../../core/config/units.ts';
import type { Facts, StopReason } from '../../../../core/domain/plan.ts';
import { firstCheck, lookedAt, stopOf } from '../../../../core/managed/judge.ts';
import { groupAlert } from '../../../../core/managed/words.ts';
import { anInstance, anObservation, NODE, NOW } from '../../../support/builders.ts';
import { aGroupLease } from '../../../support/group-leases.ts';
import { aSituation, CLOSED } from '../../../support/situations.ts';

const OPTED = anInstance({ defrag: { ...anInstance().defrag, through: 'parameter-group' } });
const running = (over: Parameters<typeof anObservation>[0] = {}) =>
  anObservation({ defrag: { running: 5, hits: 100_000, misses: 1_000 }, ...over });
const FIRST = firstCheck('sessions', anObservation({ at: NOW - MINUTE }));
const LEASE = aGroupLease({ nodes: [FIRST] });
const GOOD = aSituation({ policy: OPTED, observation: running() });
const decide = (facts: Facts | undefined, lease = LEASE) =>
  stopOf(lease, [{ leased: FIRST, facts: GOOD }, facts ? { leased: FIRST, facts } : { leased: FIRST }], NOW);
const situation = (over: Partial<Facts>) => aSituation({ policy: OPTED, observation: running(), ...over });

test('while every node makes progress, it goes on', () => {
  expect(decide(GOOD)).toBeUndefined();
});

test.each<[string, Facts | undefined, StopReason]>([
  ['does not answer', undefined, 'peers-silent'],
  ['is paused', situation({ pause: { until: NOW + 1, by: 'a', reason: 'b', at: 0 } }), 'paused'],
  ['no longer opts in', situation({ policy: anInstance() }), 'disabled'],
  ['has a closed window', situation({ window: CLOSED }), 'window-closed'],
  ['has restarted', situation({ observation: running({ runId: 'another' }) }), 'server-restarted'],
  ['saves', situation({ observation: running({ persistence: { rdbBgsaveInProgress: true } }) }), 'forking'],
  [
    'has changed its role',
    situation({ observation: running({ replication: { role: 'replica', replicasSyncing: 0, primaryLinkUp: true } }) }),
    'failover',
  ],
  [
    'is changed by AWS',
    situation({
      policy: {
        ...OPTED,
        found: { by: 'a', group: 'a', managed: { service: 'elasticache', group: 'a', status: 'modifying' } },
      },
    }),
    'group-changing',
  ],
  [
    'nears its memory limit',
    situation({
      policy: { ...OPTED, memoryLimit: 1000 * MIB },
      observation: running({ memory: { usedMemoryRss: 950 * MIB } }),
    }),
    'eviction-pressure',
  ],
])('one node of two that %s ends it, and is named', (_what, facts, because) => {
  expect(decide(facts)).toEqual({ because, detail: expect.stringMatching(`^${NODE}: `) });
});

test('what a person has started outside of the windows goes on; its time ends it', () => {
  expect(decide(situation({ window: CLOSED }), { ...LEASE, byHand: true })).toBeUndefined();
  expect(decide(GOOD, { ...LEASE, expiresAt: NOW })).toEqual({ because: 'duration-spent' });
});

test('the goal has to be met, or next to nothing be moving, on all nodes', () => {
  const done = situation({ observation: running({ memory: { allocatorActive: 455 * MIB } }) });
  const idle = { ...FIRST, hasRun: true, idleLooks: 3 };
  const met = { leased: FIRST, facts: done };
  expect(stopOf(LEASE, [met, { leased: FIRST, facts: GOOD }], NOW)).toBeUndefined();
  expect(stopOf(LEASE, [met, met], NOW)).toEqual({ because: 'goal-met' });
  expect(stopOf(LEASE, [met, { leased: idle, facts: GOOD }], NOW)).toEqual({ because: 'no-progress' });
});

test('before AWS has applied the group, an idle node says nothing', () => {
  const idle = { leased: { ...FIRST, idleLooks: 9 }, facts: GOOD };
  expect(stopOf({ ...LEASE, acquiredAt: NOW - MINUTE }, [idle], NOW)).toBeUndefined();
  expect(stopOf(LEASE, [idle], NOW)).toEqual({ because: 'no-progress' });
});

test('a check counts what has moved', () => {
  const busy = lookedAt({ ...FIRST, idleLooks: 2 }, running());
  expect(busy).toMatchObject({ hasRun: true, idleLooks: 0, hits: 100_000 });
  expect(lookedAt(busy, running())).toMatchObject({ idleLooks: 1 });
  expect(lookedAt(busy, anObservation())).toMatchObject({ hasRun: true, idleLooks: 1 });
});

test('the alert of a lease has one id, whichever job sends it, and says what is restored', () => {
  const closing = { ...LEASE, closing: 'goal-met' } as const;
  const [first, second] = [1, 2].map((at) => groupAlert(closing, { kind: 'ended' }, { stage: 'prod', at: NOW + at }));
  expect(first?.id).toBe(second?.id);
  expect(first).toMatchObject({
    event: 'defrag-finished',
    node: 'elasticache:own',
    instance: 'sessions',
    facts: expect.arrayContaining([{ label: 'Parameters restored', value: 'activedefrag no' }]),
  });
  const failed = groupAlert(
    LEASE,
    { kind: 'failed', doing: 'restored', why: 'AWS is away' },
    { stage: 'prod', at: NOW },
  );
  expect(failed).toMatchObject({ event: 'action-failed', severity: 'critical', why: 'AWS is away.' });
});
