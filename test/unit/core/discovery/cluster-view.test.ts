import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { type ClusterView, chooseView, fromShards, fromSlots } from '../../../../core/discovery/cluster-view.ts';
import { bounded } from '../../../../core/discovery/discover.ts';

const terms = { seed: addressOf('10.0.0.9:6379', false), natMap: undefined };

/** A node as CLUSTER SHARDS of Redis 7.0 writes it over RESP2. */
const node = (over: Readonly<Record<string, unknown>> = {}) =>
  Object.entries({
    id: 'a'.repeat(40),
    port: 7000,
    ip: '10.0.0.1',
    endpoint: '10.0.0.1',
    role: 'master',
    'replication-offset': 0,
    health: 'online',
    ...over,
  }).flat();
const shards = (...nodes: readonly unknown[]) => [['slots', [0, 16_383], 'nodes', nodes]];
const nodesOf = ({ shards: found }: ClusterView) =>
  found.flatMap(({ nodes }) => nodes.map(({ address }) => address.id));

describe('CLUSTER SHARDS', () => {
  test.each([
    ['the address that the server prefers', { endpoint: 'redis-1.example' }, ['redis-1.example:7000']],
    ['none: the one that was asked', { endpoint: null }, ['10.0.0.9:7000']],
    ['an older server without the field', { endpoint: undefined }, ['10.0.0.1:7000']],
    ['IPv6', { endpoint: 'fd00::1' }, ['[fd00::1]:7000']],
    ['a server that does not know its own', { endpoint: '?' }, []],
    ['one that the cluster calls failed is still a node', { health: 'fail' }, ['10.0.0.1:7000']],
    ['one that loads is a node', { health: 'loading' }, ['10.0.0.1:7000']],
    ['a port that is none', { port: 0 }, []],
    ['another program', { endpoint: 'a b;c' }, []],
  ])('%s', (_, over, expected) => {
    const view = fromShards(shards(node(over)), true, terms);
    expect(nodesOf(view)).toEqual(expected);
    expect(view.leftOut).toHaveLength(1 - expected.length);
  });

  test('a failed node is replaced by one at its address', () => {
    const nodes = [node({ health: 'fail' }), node({ id: 'b'.repeat(40) }), node({ endpoint: '?', health: 'fail' })];
    const view = fromShards(shards(...nodes), true, terms);
    expect(view.shards[0]?.nodes.map(({ identity }) => identity)).toEqual(['b'.repeat(40)]);
    expect(view.leftOut).toHaveLength(1);
  });

  test('a failed primary without slots is told from one that nobody has replaced', () => {
    const other = node({ id: 'b'.repeat(40), port: 7001 });
    const failed = (slots: readonly number[]) => ['slots', slots, 'nodes', [node({ health: 'fail' })]];
    const flagsOf = (slots: readonly number[]) =>
      fromShards([failed(slots), ...shards(other)], true, terms).shards.map(({ isFailed }) => isFailed);
    expect(flagsOf([])).toEqual([true, undefined]);
    expect(flagsOf([0, 9])).toEqual([undefined, undefined]);
  });

  test('over TLS the TLS port counts, and natMap says where a node is reached', () => {
    const tls = { seed: addressOf('10.0.0.9:6379', true), natMap: { '10.0.0.1:7001': 'nat.example:17001' } };
    const view = fromShards(shards(node({ 'tls-port': 7001 })), true, tls);
    expect(view.shards[0]?.nodes[0]?.address).toEqual({
      id: 'nat.example:17001',
      host: 'nat.example',
      port: 17_001,
      tls: true,
    });
  });

  test.each([[null], ['x'], [[1, 2]], [[['nodes', 'x']]], [[['nodes', [['id']]]]]])(
    '%j is of no use, and does no harm',
    (reply) => {
      expect(fromShards(reply, true, terms).shards).toEqual([]);
    },
  );
});

describe('CLUSTER SLOTS', () => {
  test('a shard with several ranges is one; its primary comes first', () => {
    const [a, b] = [
      ['10.0.0.1', 7000, 'ida'],
      ['10.0.0.2', 7000, 'idb'],
    ];
    const view = fromSlots(
      [
        [0, 9, a, b],
        [20, 29, a, b],
        [10, 19, b],
      ],
      true,
      terms,
    );
    expect(view.shards.map(({ nodes }) => nodes.map(({ identity }) => identity))).toEqual([['ida', 'idb'], ['idb']]);
  });
});

describe('which view counts', () => {
  const view = (seed: string, isUp: boolean, ...ids: readonly string[]): ClusterView => ({
    seed,
    isUp,
    hasSlots: true,
    leftOut: [],
    shards: ids.map((id) => ({ group: '', nodes: [{ address: addressOf(`${id}:1`, false), identity: id }] })),
  });

  test.each([
    ['the one with the most nodes', [view('s1', true, 'a'), view('s2', true, 'a', 'b')], 's2'],
    ['a smaller one that is up', [view('s1', false, 'a', 'b', 'c'), view('s2', true, 'a')], 's2'],
    ['a half that is down and knows none of the others', [view('s1', false, 'z'), view('s2', true, 'a')], 's2'],
    ['none', [], undefined],
    ['one without nodes', [view('s1', true)], undefined],
    ['a node that was reset, alone', [{ ...view('s1', false, 'a'), hasSlots: false }], undefined],
    [
      'the rest, beside a node that was reset',
      [{ ...view('s1', false, 'a'), hasSlots: false }, view('s2', true, 'b')],
      's2',
    ],
  ])('%s', (_, views, expected) => {
    const chosen = chooseView(views);
    expect(typeof chosen === 'object' ? chosen.seed : chosen).toBe(expected);
  });

  test('seeds of two clusters: which is meant cannot be known', () => {
    expect(chooseView([view('s1:1', true, 'a', 'b'), view('s2:1', true, 'z')])).toBe(
      'the seeds s1:1 and s2:1 are of different clusters, which share no node: name the seeds of one',
    );
  });
});

describe('how many nodes one seed may name', () => {
  const nodes = Array.from({ length: 2001 }, (_, index) => ({ address: addressOf(`n${index}:1`, false) }));
  const found = (count: number) => ({ shards: [{ group: '', nodes: nodes.slice(0, count) }], leftOut: [] });

  test.each(['cluster', 'sentinel'] as const)('%s: 2,000', (way) => {
    expect(bounded(found(2000), way).shards).toHaveLength(1);
    expect(() => bounded(found(2001), way)).toThrow('2001 nodes were named, and at most 2000 are accepted');
  });

  test('AWS names what it runs', () => expect(bounded(found(2001), 'elasticache').shards).toHaveLength(1));
});
