import { describe, expect, test } from 'vitest';
import { traitsOf } from '../../../../core/actions/defrag/stop-reasons.ts';
import { planLeased } from '../../../../core/actions/defrag/stop-rule.ts';
import type { Found, FoundGroup } from '../../../../core/config/schema.ts';
import type { ClusterView, Examined } from '../../../../core/domain/examined.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import { admit } from '../../../../core/guards/admission.ts';
import { beforeAws, managedBlockers, unsettledBlockers } from '../../../../core/guards/managed.ts';
import { aLease, anInstance, anObservation, aPurgePlan } from '../../../support/builders.ts';
import { aSituation } from '../../../support/situations.ts';

const at = (time: string) => Date.parse(time);
const GROUP: FoundGroup = { service: 'elasticache', group: 'sessions', region: 'eu-west-1', status: 'available' };
/** 22 November 2026 is a Sunday. */
const MAINTENANCE = { ...GROUP, maintenanceWindow: 'sun:23:00-mon:01:30' };
const SNAPSHOT = { ...GROUP, snapshotWindow: '23:30-00:30' };

const examined = (over: Partial<ClusterView> = {}): Examined => ({
  modules: [],
  cluster: { isUp: true, migrating: 0, ...over },
});

describe('a node of a managed group', () => {
  test.each([
    ['before it', MAINTENANCE, '2026-11-22T22:59:59Z', []],
    ['as it opens', MAINTENANCE, '2026-11-22T23:00:00Z', ['2026-11-23T01:30:00Z']],
    ['on its second day', MAINTENANCE, '2026-11-23T01:29:59Z', ['2026-11-23T01:30:00Z']],
    ['as it ends', MAINTENANCE, '2026-11-23T01:30:00Z', []],
    ['on another day', MAINTENANCE, '2026-11-25T23:30:00Z', []],
    [
      'over the end of a week',
      { ...GROUP, maintenanceWindow: 'sat:23:00-sun:02:00' },
      '2026-11-22T01:00:00Z',
      ['2026-11-22T02:00:00Z'],
    ],
    ['of snapshots, before midnight', SNAPSHOT, '2026-11-26T23:45:00Z', ['2026-11-27T00:30:00Z']],
    ['of snapshots, after midnight', SNAPSHOT, '2026-11-27T00:15:00Z', ['2026-11-27T00:30:00Z']],
    ['of snapshots, at noon', SNAPSHOT, '2026-11-27T12:00:00Z', []],
    ['as moto writes it', { ...GROUP, snapshotWindow: '05:00-6:00' }, '2026-11-27T05:30:00Z', ['2026-11-27T06:00:00Z']],
    ['that has no length', { ...GROUP, snapshotWindow: '05:00-05:00' }, '2026-11-27T05:00:00Z', []],
    ['that cannot be read', { ...GROUP, maintenanceWindow: 'soon' }, '2026-11-27T05:30:00Z', []],
  ])("is left alone in AWS' window: %s", (_what, group, now, until) => {
    expect(managedBlockers({ managed: group }, 'a:1', at(now)).map((one) => 'until' in one && one.until)).toEqual(
      until.map(at),
    );
  });

  test('is left alone while AWS changes the group; one of the config alone is not concerned', () => {
    const changing = { ...GROUP, status: 'modifying' };
    expect(managedBlockers({ managed: changing }, 'a:1', 0)).toEqual([
      { kind: 'group-changing', group: 'sessions', status: 'modifying' },
    ]);
    expect(managedBlockers(undefined, 'a:1', 0)).toEqual([]);
  });

  test('a node that no discovery names any more is only watched; its peers are not', () => {
    const found = { dropped: ['a:1'] };
    expect(managedBlockers(found, 'a:1', 0)).toEqual([{ kind: 'watch-only' }]);
    expect(managedBlockers(found, 'b:1', 0)).toEqual([]);
  });

  test.each<[string, Partial<Found>, Partial<Observation>, boolean]>([
    ['found by sentinels', {}, {}, true],
    ['of AWS, also in a Cluster', { managed: GROUP }, { isCluster: true, examined: examined() }, true],
    ['of a Cluster, at the first check', {}, { isCluster: true }, false],
    ['of a Cluster in which all is well', {}, { isCluster: true, examined: examined() }, false],
    [
      'of a Cluster in which a primary does not answer',
      {},
      { isCluster: true, examined: examined({ isFailingOver: true }) },
      true,
    ],
  ])(
    'is left alone while its discovery fails, unless it says itself that all is well: %s',
    (_, found, over, isLeft) => {
      const blockers = unsettledBlockers({ ...found, unsettled: 'undiscovered' }, anObservation(over));
      expect(blockers).toEqual(isLeft ? [{ kind: 'undiscovered' }] : []);
      expect(unsettledBlockers(found, anObservation(over))).toEqual([]);
    },
  );

  test('is neither purged then, nor is its defrag carried on', () => {
    const found = { by: 'carts', group: 'carts/sessions', managed: { ...GROUP, status: 'snapshotting' } };
    const facts = aSituation({ policy: anInstance({ found }) });
    const terms = { time: 0, secondCheck: 0, isLasting: false, blockers: [] };
    expect(admit(facts, aPurgePlan(), terms)).toMatchObject({ kind: 'skip', reason: 'group-changing' });
    expect(planLeased(facts, aLease())).toMatchObject({ action: { kind: 'stop-defrag', because: 'group-changing' } });
  });

  test('is only watched where its tags say so, also while a person has opened the windows; a run of a person ends', () => {
    const found = { by: 'carts', group: 'carts/sessions', acts: false } as const;
    const facts = aSituation({ policy: anInstance({ found }) });
    const terms = { time: 0, secondCheck: 0, isLasting: false, blockers: [] };
    expect(admit(facts, aPurgePlan(), terms)).toMatchObject({ kind: 'skip', reason: 'watch-only' });
    expect(planLeased(facts, aLease({ byHand: true }))).toMatchObject({ reason: 'watch-only' });
  });

  test("a run whose time ends as AWS' window opens has met nothing wrong", () => {
    const now = at('2026-11-22T23:00:00Z');
    const window = { open: true, opensAt: now - 1000, closesAt: now + 1000 } as const;
    const found = { by: 'carts', group: 'carts/sessions', managed: MAINTENANCE };
    const facts = aSituation({ now, window, policy: anInstance({ found }) });
    expect(planLeased(facts, aLease({ expiresAt: now }))).toMatchObject({ reason: 'aws-maintenance' });
    expect(traitsOf('aws-maintenance').kind).toBe('wanted');
  });

  test("an open window ends where AWS' begins", () => {
    const now = at('2026-11-22T22:00:00Z');
    const open = { open: true, opensAt: now, closesAt: now + 8 * 3_600_000 } as const;
    expect(beforeAws(open, MAINTENANCE, now)).toEqual({ ...open, closesAt: at('2026-11-22T23:00:00Z') });
    expect(beforeAws({ ...open, closesAt: now + 60_000 }, MAINTENANCE, now)).toEqual({
      ...open,
      closesAt: now + 60_000,
    });
    expect(beforeAws(open, GROUP, now)).toEqual(open);
    expect(beforeAws({ open: false, nextOpening: 5 }, MAINTENANCE, now)).toEqual({ open: false, nextOpening: 5 });
  });
});
