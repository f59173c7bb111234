import { describe, expect, test } from 'vitest';
import { planLeased } from '../../../../core/actions/defrag/stop-rule.ts';
import { plan } from '../../../../core/actions/plan.ts';
import { persistence, replication } from '../../../../core/adapters/redis/guard-fields.ts';
import { infoLines } from '../../../../core/adapters/redis/info.ts';
import { MIB, SECOND } from '../../../../core/config/units.ts';
import type { ReplicationBlocker } from '../../../../core/domain/blocker.ts';
import type { Peer, Replication } from '../../../../core/domain/replication.ts';
import { copiesMissing, replicationBlockers } from '../../../../core/guards/replication.ts';
import { aLease, anInstance, anObservation, SETTINGS } from '../../../support/builders.ts';
import { infoText } from '../../../support/info-texts.ts';
import { aSituation } from '../../../support/situations.ts';

const primary = (over: Partial<Replication> = {}): Replication => ({ role: 'primary', replicasSyncing: 0, ...over });
const replica = (over: Partial<Replication> = {}): Replication => ({
  role: 'replica',
  replicasSyncing: 0,
  primaryLinkUp: true,
  connectedReplicas: 0,
  ...over,
});
const address = (id: string) => ({ id, host: id.split(':')[0] ?? '', port: 6379, tls: false });

describe('F9: a primary is left alone', () => {
  const at = (peers: readonly Peer[], own: Replication, isCluster = false) =>
    copiesMissing(
      anObservation({ replication: own, ...(isCluster && { isCluster: true as const }) }),
      peers,
      peers.length,
    );

  test.each<[string, readonly Peer[], Replication, readonly ReplicationBlocker[]]>([
    ['it has all of them', [{ node: 'b:1', replication: replica() }], primary({ connectedReplicas: 1 }), []],
    ['it has no peers', [], primary({ connectedReplicas: 0 }), []],
    [
      'both refuse',
      [{ node: 'b:1' }, { node: 'c:1' }],
      primary({ connectedReplicas: 2 }),
      [{ kind: 'peers-silent', peers: ['b:1', 'c:1'], configured: 2 }],
    ],
    [
      'one refuses and has gone',
      [{ node: 'b:1' }, { node: 'c:1', replication: replica() }],
      primary({ connectedReplicas: 1 }),
      [
        { kind: 'peers-silent', peers: ['b:1'], configured: 2 },
        { kind: 'replicas-missing', connected: 1, configured: 2 },
      ],
    ],
    [
      'one follows it no more',
      [{ node: 'b:1', replication: primary({ connectedReplicas: 0 }) }],
      primary({ connectedReplicas: 0 }),
      [{ kind: 'replicas-missing', connected: 0, configured: 1 }],
    ],
    [
      'fewer are good ones (min_slaves_good_slaves)',
      [
        { node: 'b:1', replication: replica() },
        { node: 'c:1', replication: replica() },
      ],
      primary({ connectedReplicas: 2, goodReplicas: 1 }),
      [{ kind: 'replicas-missing', connected: 1, configured: 2 }],
    ],
    [
      'a chain: the replica has the other one',
      [
        { node: 'b:1', replication: replica({ connectedReplicas: 1 }) },
        { node: 'c:1', replication: replica() },
      ],
      primary({ connectedReplicas: 1 }),
      [],
    ],
    ['it does not say how many', [{ node: 'b:1', replication: replica() }], primary(), []],
    ['it is a replica itself', [{ node: 'b:1' }], replica(), []],
    [
      'what calls itself neither (KeyDB: active-replica) is no replica',
      [{ node: 'b:1' }],
      { role: 'unknown', replicasSyncing: 0 },
      [{ kind: 'peers-silent', peers: ['b:1'], configured: 1 }],
    ],
    [
      'a replica of it lags (slaveN: lag=)',
      [{ node: 'b:1', replication: replica() }],
      primary({ connectedReplicas: 1, replicaSilentFor: 12 * SECOND }),
      [{ kind: 'replica-behind', whose: 'replicas', silentFor: 12 * SECOND }],
    ],
    [
      'a replica of it is far behind (slaveN: offset=)',
      [{ node: 'b:1', replication: replica() }],
      primary({ connectedReplicas: 1, replicaSilentFor: SECOND, replicaBehind: 65 * MIB }),
      [{ kind: 'replica-behind', whose: 'replicas', behind: 65 * MIB }],
    ],
  ])('%s', (_, peers, own, blockers) => expect(at(peers, own)).toEqual(blockers));

  test('of a cluster an instance may hold several primaries, each with replicas of its own', () => {
    const peers = [
      { node: 'b:1', replication: primary({ connectedReplicas: 1 }) },
      { node: 'c:1', replication: replica() },
      { node: 'd:1', replication: replica() },
    ];
    expect(at(peers, primary({ connectedReplicas: 1 }), true)).toEqual([]);
    expect(at(peers, primary({ connectedReplicas: 0 }), true)).toEqual([
      { kind: 'replicas-missing', connected: 1, configured: 2 },
    ]);
  });

  const policy = anInstance({ nodes: [address('a:6379'), address('b:6379')] });

  test('from defrag and from a purge', () => {
    const observation = anObservation({ replication: primary({ connectedReplicas: 0 }) });
    const situation = aSituation({ observation, policy, peers: [{ node: 'b:6379' }] });
    expect(plan(situation)).toMatchObject({
      kind: 'skip',
      reason: 'peers-silent',
      blockers: [
        { kind: 'peers-silent', peers: ['b:6379'], configured: 1 },
        { kind: 'replicas-missing', connected: 0, configured: 1 },
      ],
    });
  });

  test('by its own word alone where nobody has looked at the peers', () => {
    const observation = anObservation({ replication: primary({ connectedReplicas: 0 }) });
    expect(plan(aSituation({ observation, policy }))).toMatchObject({ reason: 'replicas-missing' });
  });

  test('a run that is on goes on: what comes of a missing replica ends it', () => {
    const lease = aLease();
    const observation = anObservation({
      replication: primary({ connectedReplicas: 0 }),
      defrag: { settings: { ...SETTINGS, ...lease.applied }, running: 25, hits: 300_000, misses: 90_000 },
    });
    const situation = aSituation({ observation, policy, peers: [{ node: 'b:6379' }] });
    expect(planLeased(situation, lease)).toMatchObject({ kind: 'skip', reason: 'defragmenting' });
  });
});

describe('F9, replica-behind: a replica that is far behind', () => {
  test.each<[string, Partial<Replication>, readonly ReplicationBlocker[]]>([
    ['in step', { primarySilentFor: 9 * SECOND, unapplied: 100 }, []],
    [
      'has not heard from its primary for 300 s',
      { primarySilentFor: 300 * SECOND },
      [{ kind: 'replica-behind', whose: 'own', silentFor: 300 * SECOND }],
    ],
    [
      'has not applied what it has heard',
      { primarySilentFor: SECOND, unapplied: 100 * MIB },
      [{ kind: 'replica-behind', whose: 'own', behind: 100 * MIB }],
    ],
  ])('%s', (_, over, blockers) => {
    const observation = anObservation({ replication: replica(over) });
    expect(replicationBlockers(observation)).toEqual(blockers);
    // A danger for a run as well: it may be promoted next.
    const lease = aLease({ role: 'replica' });
    if (blockers.length > 0)
      expect(planLeased(aSituation({ observation }), lease)).toMatchObject({ reason: 'replica-behind' });
  });
});

describe('as INFO has it', () => {
  const of = (text: string, role = 'master') => replication(infoLines(text), role);

  test('of a real primary with a replica that syncs: not counted as one that lags', () => {
    const real = of(infoText('redis-7.0.15-primary-with-replica'));
    expect(real).toEqual({ role: 'primary', replicasSyncing: 1, failoverInProgress: false, connectedReplicas: 1 });
  });

  test('of a real replica whose link is down: -1 is no silence', () => {
    const real = of(infoText('redis-7.0.15-replica'), 'slave');
    expect(real.primaryLinkUp).toBe(false);
    expect(real).not.toHaveProperty('primarySilentFor');
    expect(real.unapplied).toBe(0);
  });

  test('the worst of several replicas counts', () => {
    const text = [
      'connected_slaves:2',
      'min_slaves_good_slaves:1',
      'slave0:ip=10.0.0.2,port=6379,state=online,offset=5000,lag=0',
      'slave1:ip=10.0.0.3,port=6379,state=online,offset=1000,lag=300',
      'slave2:ip=10.0.0.4,port=6379,state=wait_bgsave,offset=0,lag=0',
      'master_repl_offset:6000',
    ].join('\r\n');
    expect(of(text)).toMatchObject({
      connectedReplicas: 2,
      goodReplicas: 1,
      replicaSilentFor: 300_000,
      replicaBehind: 5000,
      replicasSyncing: 1,
    });
  });

  test.each([
    ['master_last_io_seconds_ago:300', { primarySilentFor: 300_000 }],
    ['master_last_io_seconds_ago:0\nmaster_1_last_io_seconds_ago:300', { primarySilentFor: 300_000 }],
    ['slave_read_repl_offset:5000\nslave_repl_offset:1000\nmaster_repl_offset:1000', { unapplied: 4000 }],
    ['slave_repl_offset:1000\nmaster_repl_offset:9000', { unapplied: 8000 }],
    ['slave_repl_offset:-1\nmaster_repl_offset:9000', {}],
  ])('of a replica: %j', (text, expected) => {
    const { role: _, replicasSyncing: __, ...found } = of(text, 'slave');
    expect(found).toEqual(expected);
  });

  test.each([
    ['slave0:ip=1,port=2,state=online,offset=-5,lag=-1\nmaster_repl_offset:9'],
    ['slave0:state=online,offset=99999999999999999999,lag=x\nmaster_repl_offset:9'],
    ['slave0:\nmaster_repl_offset:'],
  ])('nonsense counts for nothing: %j', (text) => {
    expect(of(text)).not.toHaveProperty('replicaSilentFor');
    expect(of(text)).not.toHaveProperty('replicaBehind');
  });

  test('persistence, of a real server', () => {
    expect(persistence(infoLines(infoText('redis-7.0.15')))).toMatchObject({
      saves: true,
      aofWrites: true,
      aofRewrites: true,
    });
  });
});
