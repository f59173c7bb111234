import { describe, expect, test } from 'vitest';
import { clusterLines } from '../../../../core/adapters/redis/cluster-nodes.ts';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { fromNodes } from '../../../../core/discovery/cluster-lines.ts';
import type { ClusterView } from '../../../../core/discovery/cluster-view.ts';
import { isFailing, isSelf } from '../../../../core/domain/cluster-line.ts';

const terms = { seed: addressOf('10.0.0.9:6379', false), natMap: undefined };
const id = (letter: string) => letter.repeat(40);
const [A, B, C, D, E] = [...'abcde'].map(id);

/** By shard: the addresses with their roles. */
const shardsOf = ({ shards }: ClusterView) =>
  shards.map(({ nodes }) => nodes.map(({ address, role }) => `${address.id} ${role}`));

/** As Redis 5.0 writes it: a replica and a primary have failed, one node was met only now, one has lost its address. */
const REDIS_5 = `${A} 10.0.0.1:6379@16379 myself,master - 0 1591012017000 48 connected 0-5460 16368
${B} 10.0.0.2:6379@16379 slave,fail ${A} 1591012006628 1591012000820 48 disconnected
${C} 10.0.0.3:6379@16379 master,fail - 1591012006628 1591012000820 49 disconnected 5461-10922
${D} 10.0.0.4:6379@16379 slave ${C} 0 1591012023571 49 connected
${E} :0@0 slave,noaddr ${C} 1591012006628 1591012000820 49 disconnected
${id('f')} 10.0.0.6:6379@16379 handshake - 0 0 0 connected
vars currentEpoch 51 lastVoteEpoch 0
`;

/** As Redis 6.2 writes it, during a resharding, by a node that has not heard its own address yet. */
const REDIS_6_2 = `${A} :6379@16379 myself,master - 0 1426238317000 1 connected 0-5460 [77->-${B}] [93-<-${B}]
${B} 10.0.0.2:6379@16379 master,fail? - 1426238316232 1426238316000 2 connected 5461-16383
${C} fd00::3:6379@16379 slave ${B} 0 1426238317741 2 connected
`;

/** As Redis 7.0 writes it, with hostnames; 7.2 adds fields with names. */
const REDIS_7 = `${A} 10.0.0.1:6379@16379,redis-1.example myself,master - 0 0 1 connected 0-8191
${B} 10.0.0.2:6379@16379,redis-2.example,shard-id=${id('1')} master - 0 1426238316232 2 connected 8192-16383
${C} 10.0.0.3:6379@16379,redis-3.example slave,fail ${B} 1426238316232 1426238317741 2 disconnected
${D} 10.0.0.4:6379@16379,,tls-port=0,shard-id=${id('1')} slave ${A} 0 1426238317741 2 connected
`;
const slotsBy = (hosts: readonly string[]) => [
  [0, 8191, [hosts[0], 6379, A, []]],
  [8192, 16_383, [hosts[1], 6379, B, []]],
];

describe('CLUSTER NODES', () => {
  test('of Redis 5.0: what has failed stays in its shard, what is no member is not in it, what has no address is named', () => {
    const view = fromNodes(REDIS_5, true, terms);
    expect(shardsOf(view)).toEqual([
      ['10.0.0.1:6379 primary', '10.0.0.2:6379 replica'],
      ['10.0.0.3:6379 primary', '10.0.0.4:6379 replica'],
    ]);
    expect(view.leftOut).toEqual([`node ${id('e').slice(0, 8)} is left out: the cluster says no address for it`]);
    expect(view.shards[0]?.nodes[0]?.identity).toBe(A);
    expect(view.hasSlots).toBe(true);
  });

  test('of Redis 6.2: a node that does not know its address is the seed; IPv6; slots on their way', () => {
    expect(shardsOf(fromNodes(REDIS_6_2, true, terms))).toEqual([
      ['10.0.0.9:6379 primary'],
      ['10.0.0.2:6379 primary', '[fd00::3]:6379 replica'],
    ]);
    expect(clusterLines(REDIS_6_2).map(({ moving }) => moving)).toEqual([2, 0, 0]);
    expect(
      clusterLines(REDIS_6_2)
        .filter(isFailing)
        .map((line) => line.id),
    ).toEqual([B]);
    expect(
      clusterLines(REDIS_6_2)
        .filter(isSelf)
        .map((line) => line.id),
    ).toEqual([A]);
  });

  test('of Redis 3.0: an address without a bus, and none at all for the one that was asked', () => {
    const text = `${A} :0 myself,master - 0 0 2 connected 5461-10922\n${B} 10.0.0.2:7002 master - 0 1405169588012 3 connected 10923-16383\n`;
    expect(shardsOf(fromNodes(text, true, terms))).toEqual([['10.0.0.9:6379 primary'], ['10.0.0.2:7002 primary']]);
  });

  test.each([
    [
      'hostnames, also for what has failed',
      ['redis-1.example', 'redis-2.example'],
      ['redis-1.example:6379', 'redis-2.example:6379', 'redis-3.example:6379', '10.0.0.4:6379'],
    ],
    ['addresses', ['10.0.0.1', '10.0.0.2'], ['10.0.0.1:6379', '10.0.0.2:6379', '10.0.0.3:6379', '10.0.0.4:6379']],
  ])('of Redis 7.0, which prefers %s', (_, hosts, expected) => {
    const { shards } = fromNodes(REDIS_7, true, terms, slotsBy(hosts));
    expect(shards.flatMap(({ nodes }) => nodes.map(({ address }) => address.id)).toSorted()).toEqual(
      expected.toSorted(),
    );
  });

  test('a failed primary without slots is told from one that nobody has replaced', () => {
    const text = (ranges: string) =>
      `${A} 10.0.0.1:1@2 myself,master - 0 0 1 connected 0-9\n${B} 10.0.0.2:1@2 master,fail - 0 0 1 disconnected${ranges}\n`;
    const flagsOf = (ranges: string) => fromNodes(text(ranges), true, terms).shards.map(({ isFailed }) => isFailed);
    expect(flagsOf('')).toEqual([undefined, true]);
    expect(flagsOf(' 10-20')).toEqual([undefined, undefined]);
  });

  test('a failed node is replaced by one at its address', () => {
    const text = `${A} 10.0.0.1:1@2 myself,master - 0 0 1 connected 0-9\n${B} 10.0.0.2:1@2 slave,fail ${A} 0 0 1 disconnected\n${C} 10.0.0.2:1@2 slave ${A} 0 0 1 connected\n`;
    expect(fromNodes(text, true, terms).shards[0]?.nodes.map(({ identity }) => identity)).toEqual([A, C]);
  });

  test('while roles change, a replica of a replica is in the shard of the primary, and no circle does harm', () => {
    const text = `${A} 10.0.0.1:1@2 slave ${B} 0 0 1 connected\n${B} 10.0.0.2:1@2 slave ${C} 0 0 1 connected\n${C} 10.0.0.3:1@2 master - 0 0 1 connected 0-9\n`;
    expect(shardsOf(fromNodes(text, true, terms))).toHaveLength(1);
    const circle = `${A} 10.0.0.1:1@2 slave ${B} 0 0 1 connected\n${B} 10.0.0.2:1@2 slave ${A} 0 0 1 connected\n`;
    expect(fromNodes(circle, true, terms).shards.flatMap(({ nodes }) => nodes)).toHaveLength(2);
  });

  test('after a reset: one node, and no slots', () => {
    expect(fromNodes(`${A} 10.0.0.1:1@2 myself,master - 0 0 0 connected\n`, false, terms).hasSlots).toBe(false);
  });

  test.each([['OK'], [''], ['a b c d e f g h i'], [`${A} nowhere master`], [`${A} 10.0.0.1:99999@1 master -`]])(
    '%j is of no use, and does no harm',
    (text) => expect(fromNodes(text, true, terms).shards).toEqual([]),
  );
});

test('an address or a hostname that is none is unknown, and the rest of the line counts', () => {
  const odd = '\x1b[2J\x9b31m';
  const lines = clusterLines(
    `${A} ${odd}:6379@16379,${odd} myself,master - 0 0 1 connected 0-5460 [77->-${B}]\n${B} ${'x'.repeat(300)}:6379 master\n`,
  );
  expect(lines.map(({ host, port, hostname, moving }) => ({ host, port, hostname, moving }))).toEqual([
    { host: '', port: 6379, hostname: undefined, moving: 1 },
    { host: '', port: 6379, hostname: undefined, moving: 0 },
  ]);
});
