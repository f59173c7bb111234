import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { changesBetween, nameShards } from '../../../../core/discovery/named.ts';
import { instancesOf, withLeased, withoutDoubles } from '../../../../core/discovery/resolve.ts';
import type { FoundShard, NamedShard } from '../../../../core/domain/discovered.ts';
import { anInstance } from '../../../support/builders.ts';

const shard = (...nodes: readonly string[]): FoundShard => ({
  group: '',
  nodes: nodes.map((node) => ({ address: addressOf(node, false), identity: `id-${node}` })),
});
const named = (name: string, ...nodes: readonly string[]): NamedShard => ({ ...shard(...nodes), name });
const namesOf = (shards: readonly NamedShard[]) =>
  shards.map(({ name, nodes }) => [name, ...nodes.map(({ address }) => address.id)].join(' '));

describe('names of shards', () => {
  test('the first discovery counts them', () => {
    expect(namesOf(nameShards([shard('a:1', 'b:1'), shard('c:1')], []))).toEqual(['0001 a:1 b:1', '0002 c:1']);
  });

  test('a shard keeps its name in another order, with one of its nodes replaced', () => {
    const earlier = [named('0001', 'a:1', 'b:1'), named('0002', 'c:1', 'd:1')];
    const found = [shard('c:1', 'e:1'), shard('b:1', 'a:1')];
    expect(namesOf(nameShards(found, earlier))).toEqual(['0002 c:1 e:1', '0001 b:1 a:1']);
  });

  test('a new shard gets a number that none had', () => {
    const earlier = [named('0001', 'a:1'), named('0003', 'c:1')];
    expect(namesOf(nameShards([shard('x:1'), shard('c:1'), shard('a:1')], earlier))).toEqual([
      '0004 x:1',
      '0003 c:1',
      '0001 a:1',
    ]);
  });

  test('of two halves of a shard, the larger one keeps the name', () => {
    const earlier = [named('0001', 'a:1', 'b:1', 'c:1')];
    expect(namesOf(nameShards([shard('a:1'), shard('b:1', 'c:1')], earlier))).toEqual(['0002 a:1', '0001 b:1 c:1']);
  });

  test('a primary that has failed stays, as a replica, with the node that has its slots now', () => {
    const earlier = [named('0001', 'a:1', 'b:1'), named('0002', 'c:1')];
    const failed = { ...shard('a:1'), isFailed: true } as const;
    const first = nameShards([failed, shard('c:1'), shard('b:1')], earlier);
    expect(namesOf(first)).toEqual(['0002 c:1', '0001 b:1 a:1']);
    expect(first[1]?.nodes[1]?.role).toBe('replica');
    expect(namesOf(nameShards([failed, shard('c:1'), shard('b:1')], first))).toEqual(['0002 c:1', '0001 b:1 a:1']);
    expect(namesOf(nameShards([shard('b:1', 'a:1'), shard('c:1')], first))).toEqual(['0001 b:1 a:1', '0002 c:1']);
  });

  test('a failed primary of which no node stands, or which none has seen before, is a shard of its own', () => {
    const failed = { ...shard('a:1'), isFailed: true } as const;
    const shards = nameShards([failed, shard('c:1')], [named('0001', 'a:1'), named('0002', 'c:1')]);
    expect(namesOf(shards)).toEqual(['0002 c:1', '0001 a:1']);
    expect(shards[1]).not.toHaveProperty('isFailed');
    expect(namesOf(nameShards([failed, shard('c:1')], []))).toEqual(['0001 c:1', '0002 a:1']);
  });

  test('a node that has moved to another address is known by its id', () => {
    const moved = { group: '', nodes: [{ address: addressOf('z:9', false), identity: 'id-c:1' }] };
    expect(namesOf(nameShards([moved], [named('0001', 'a:1'), named('0002', 'c:1')]))).toEqual(['0002 z:9']);
  });

  test('of 20,000 shards, which is what a hostile seed may name, are found without comparing each with each', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => shard(`a${index}:1`, `b${index}:1`));
    const first = nameShards(many, []);
    expect(nameShards(many.toReversed(), first).toReversed()).toEqual(first);
  });

  test('a name that the source gives stays, and each group counts for itself', () => {
    const found = [
      { ...shard('a:1'), group: 'one', name: 'x' },
      { ...shard('b:1'), group: 'two' },
    ];
    expect(nameShards(found, []).map(({ group, name }) => `${group} ${name}`)).toEqual(['one x', 'two 0001']);
  });
});

test('what has come and gone; a node that changed shards is neither', () => {
  const before = [named('0001', 'a:1', 'b:1'), named('0002', 'c:1')];
  const now = [named('0001', 'a:1'), named('0002', 'c:1', 'b:1', 'd:1')];
  expect(changesBetween('s', before, now)).toEqual([{ kind: 'node-found', instance: 's/0002', node: 'd:1' }]);
  expect(changesBetween('s', now, before)).toEqual([{ kind: 'node-gone', instance: 's/0002', node: 'd:1' }]);
});

describe('the instances that shards become', () => {
  const template = anInstance({ id: 's', nodes: [], memoryLimit: 5 });
  const [first, second] = instancesOf(template, [
    named('0001', 'a:1', 'b:1'),
    { ...named('0002', 'c:1'), group: 'g', overrides: { memoryLimit: 7, maxStall: 9, acts: false } },
  ]);

  test('have the settings of the instance that found them', () => {
    expect(first).toMatchObject({ id: 's/0001', memoryLimit: 5, found: { by: 's', group: 's' } });
    expect(first).not.toHaveProperty('discover');
  });

  test('and what the tags of their resource say', () => {
    expect(second).toMatchObject({ id: 's/g/0002', memoryLimit: 7, found: { by: 's', group: 's/g', acts: false } });
    expect(second?.defrag.maxStall).toBe(9);
  });

  test('a node with a lease stays, only watched, though its cluster no longer names it', () => {
    const leases = [
      { instance: 's/0001', node: 'z:1' },
      { instance: 's/0001', node: 'a:1' },
      { instance: 'gone', node: 'y:1' },
    ];
    const all = withLeased(first ? [first] : [], leases, []);
    expect(all).toHaveLength(1);
    expect(all[0]?.nodes.map(({ id }) => id)).toEqual(['a:1', 'b:1', 'z:1']);
    expect(all[0]?.found).toMatchObject({ dropped: ['z:1'] });
  });

  test('a shard that is gone as a whole comes back, only watched, for what is leased there', () => {
    const caches = { elasticache: { groups: ['*'], region: 'eu-central-1' } };
    const written = [anInstance({ id: 's', nodes: [], discover: caches }), anInstance({ id: 'other' })];
    const leases = [
      { instance: 's/carts/0001', node: 'z:1', tls: true },
      { instance: 's/carts/0001', node: 'y:1' },
      { instance: 'other', node: 'x:1' },
    ] as const;
    const [gone, ...more] = withLeased([], leases, written);
    expect(more).toEqual([]);
    expect(gone).toMatchObject({
      id: 's/carts/0001',
      nodes: [
        { id: 'z:1', tls: true },
        { id: 'y:1', tls: false },
      ],
      found: {
        by: 's',
        group: 's/carts',
        acts: false,
        managed: { service: 'elasticache', group: 'carts', region: 'eu-central-1', status: 'available' },
      },
    });
    expect(gone).not.toHaveProperty('discover');
    const ofCluster = [anInstance({ id: 's', nodes: [], discover: { cluster: { seeds: [addressOf('a:1', false)] } } })];
    expect(withLeased([], [{ instance: 's/0007', node: 'z:1' }], ofCluster)).toMatchObject([
      { id: 's/0007', nodes: [{ id: 'z:1' }], found: { by: 's', group: 's', acts: false } },
    ]);
  });

  test('each node is there once: as the config names it itself, else where it was found first', () => {
    const own = anInstance({ id: 'own', nodes: [addressOf('b:1', false)] });
    const { instances, leftOut } = withoutDoubles([...(first && second ? [first, second] : []), own]);
    expect(instances.map(({ id, nodes }) => [id, ...nodes.map((node) => node.id)].join(' '))).toEqual([
      's/0001 a:1',
      's/g/0002 c:1',
      'own b:1',
    ]);
    expect(leftOut).toEqual(['s/0001: b:1 is left out, because own has it already']);
  });
});
