import { describe, expect, test } from 'vitest';
import { clusterLines } from '../../../../core/adapters/redis/cluster-nodes.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { HOUR, MINUTE } from '../../../../core/config/units.ts';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import type { Replication } from '../../../../core/domain/replication.ts';
import { NodeFailure, type OpenSession, type Session } from '../../../../core/ports/node-session.ts';
import type { Look } from '../../../../core/reconcile/look-around.ts';
import type { TickOptions } from '../../../../core/reconcile/scope.ts';
import { findUnlisted } from '../../../../core/reconcile/unlisted.ts';
import { membershipKey } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import { anInstance, anObservation, NOW } from '../../../support/builders.ts';

const id = (letter: string) => letter.repeat(40);

/** By letter: the nodes of a Cluster, at 10.0.0.<letter>:6379, as each of them prints them. */
const nodesBy = (self: string, letters: string, flagsOf: Readonly<Record<string, string>> = {}) =>
  [...letters]
    .map((letter, index) => {
      const flags = [...(letter === self ? ['myself'] : []), 'master', ...(flagsOf[letter] ? [flagsOf[letter]] : [])];
      return `${id(letter)} 10.0.0.${letter.charCodeAt(0)}:6379@16379 ${flags.join()} - 0 0 ${index} connected ${index}`;
    })
    .join('\n');
const place = (letter: string) => `10.0.0.${letter.charCodeAt(0)}:6379`;

const named = (nodes: readonly string[], name = 'carts'): InstanceConfig =>
  anInstance({ id: name, nodes: nodes.map((node) => addressOf(node, false)) });

/** What was seen of an instance; of `away` nothing. */
const seen = (instance: InstanceConfig, away: readonly string[] = []): readonly Look[] =>
  instance.nodes.map((node) =>
    away.includes(node.id)
      ? { instance, node, problem: { kind: 'timeout', message: '', expected: true } }
      : { instance, node, observation: anObservation({ node: node.id, isCluster: true }) },
  );

const ACT: TickOptions = { mode: 'act', scope: { kind: 'fleet' }, holder: 'test', remaining: () => MINUTE };

/** Ticks of one instance after another; `textAt`: what CLUSTER NODES prints at an address. */
function aStage(
  instance: InstanceConfig,
  textAt: (node: string) => string | undefined,
  looks = seen(instance),
  instances = [instance],
) {
  const { store, documents, trouble } = aStore();
  const state = { now: NOW, asked: [] as string[], warnings: [] as string[] };
  const open: OpenSession = async (_, node) => {
    state.asked.push(node.id);
    const clusterLinesOf = async () => {
      const text = textAt(node.id);
      return text === undefined ? undefined : clusterLines(text);
    };
    return { clusterLines: clusterLinesOf, close: () => {} } as unknown as Session;
  };
  const log = { info: () => {}, warn: (text: string) => void state.warnings.push(text), error: () => {} };
  const ports = { open, store, clock: { now: () => state.now, sleep: async () => {}, pause: async () => {} }, log };
  const tick = async (options: Partial<TickOptions> = {}) => {
    const found = await findUnlisted({ instances }, looks, new Map(), {
      ports,
      options: { ...ACT, ...options },
    });
    await found.keep();
    return { remarks: found.remarks, news: found.changes.map(({ node }) => node) };
  };
  return { tick, state, documents, trouble };
}

const both = named([place('a'), place('b')]);

describe('a Cluster of which the config names a part', () => {
  test('is asked at the next tick once more, then reported once, and asked once a day', async () => {
    const { tick, state } = aStage(both, () => nodesBy('a', 'abcd'));
    expect(await tick()).toMatchObject({
      remarks: [expect.stringContaining(`${place('c')}, ${place('d')}`)],
      news: [],
    });
    expect((await tick()).news).toEqual([place('c'), place('d')]);
    expect(await tick()).toMatchObject({ remarks: [expect.stringMatching(/^carts: /)], news: [] });
    expect(state.asked).toHaveLength(2);
    state.now += 24 * HOUR;
    expect((await tick()).news).toEqual([]);
    expect(state.asked).toEqual([place('a'), place('a'), place('a')]);
  });

  test.each(['noaddr', 'handshake', 'fail', 'fail?'])('%s is not meant', async (flag) => {
    const { tick } = aStage(both, () => nodesBy('a', 'abc', { c: flag }));
    expect((await tick()).remarks).toEqual([]);
  });

  test('a node that has gone and comes back is news again', async () => {
    let letters = 'abc';
    const { tick, state } = aStage(both, () => nodesBy('a', letters));
    const night = async () => {
      state.now += 24 * HOUR;
      return [(await tick()).news, (await tick()).news].flat();
    };
    expect(await night()).toEqual([place('c')]);
    letters = 'ab';
    expect(await night()).toEqual([]);
    letters = 'abc';
    expect(await night()).toEqual([place('c')]);
  });

  test('named by other addresses, each node is asked which one it is', async () => {
    const hidden = named(['carts-1.example:6379', 'carts-2.example:6379']);
    const letterOf = (node: string) => (node.includes('-1') ? 'a' : 'b');
    const complete = aStage(hidden, (node) => nodesBy(letterOf(node), 'ab'));
    expect(await complete.tick()).toEqual({ remarks: [], news: [] });
    const partly = aStage(hidden, (node) => nodesBy(letterOf(node), 'abc'));
    expect((await partly.tick()).remarks).toHaveLength(1);
    // Of one that does not answer, or refuses, it is unknown which one it is.
    const away = aStage(hidden, () => nodesBy('a', 'ab'), seen(hidden, ['carts-2.example:6379']));
    expect((await away.tick()).remarks).toEqual([]);
    const mute = aStage(hidden, (node) => (letterOf(node) === 'a' ? nodesBy('a', 'abc') : undefined));
    expect((await mute.tick()).remarks).toEqual([]);
  });

  test('of several instances that share a Cluster under other names, each node is asked once which one it is', async () => {
    const letters = 'abcdef';
    const shards = [...letters].map((letter) => named([`carts-${letter}.example:6379`], letter));
    const [first] = shards;
    const looks = shards.flatMap((shard) => seen(shard));
    const letterOf = (node: string) => node.replace(/^carts-(.).*/, '$1');
    if (!first) throw new Error('no shard');
    const { tick, state } = aStage(first, (node) => nodesBy(letterOf(node), `${letters}0`), looks, shards);
    expect((await tick()).remarks).toHaveLength(letters.length);
    // Each of the six for all nodes, and then which one it is.
    expect(state.asked).toHaveLength(2 * letters.length);
  });

  test('a node of another instance that does not answer may be the one, where that instance has nodes of the Cluster', async () => {
    const one = named(['carts-1.example:6379'], 'one');
    const two = named(['carts-2.example:6379', 'carts-3.example:6379'], 'two');
    const looks = [...seen(one), ...seen(two, ['carts-3.example:6379'])];
    const letterOf = (node: string) => (node.includes('-1') ? 'a' : 'b');
    const { tick } = aStage(one, (node) => nodesBy(letterOf(node), 'abc'), looks, [one, two]);
    expect((await tick()).remarks).toEqual([]);
  });

  test('which nodes there are is not asked for longer than the invocation has time', async () => {
    const shards = [...'abc'].map((letter) => named([`carts-${letter}.example:6379`], letter));
    const [first] = shards;
    if (!first) throw new Error('no shard');
    const looks = shards.flatMap((shard) => seen(shard));
    const { tick, state } = aStage(first, (node) => nodesBy(node.replace(/^carts-(.).*/, '$1'), 'abc0'), looks, shards);
    // It is over once the first three are asked.
    expect((await tick({ remaining: () => (state.asked.length < 3 ? MINUTE : 0) })).remarks).toEqual([]);
    expect(state.asked).toHaveLength(3);
  });

  test('in a tick of some instances, the others may have what is not named', async () => {
    const [one, two] = [named(['carts-1.example:6379'], 'one'), named(['carts-2.example:6379'], 'two')];
    const { tick } = aStage(one, () => nodesBy('a', 'ab'), seen(one), [one, two]);
    expect((await tick()).remarks).toEqual([]);
    const [byAddress, beside] = [named([place('a')], 'one'), named([place('b')], 'two')];
    const partly = aStage(byAddress, () => nodesBy('a', 'abc'), seen(byAddress), [byAddress, beside]);
    expect((await partly.tick()).remarks).toEqual([expect.stringContaining(`named here: ${place('c')}. `)]);
  });

  test('a server that refuses, or is gone again, is asked a day later', async () => {
    const { tick, state } = aStage(both, () => undefined);
    for (let count = 0; count < 3; count++) expect(await tick()).toEqual({ remarks: [], news: [] });
    expect(state.asked).toHaveLength(1);
    const gone = aStage(both, () => {
      throw new NodeFailure('unreachable', 'gone');
    });
    expect(await gone.tick()).toEqual({ remarks: [], news: [] });
  });

  test.each<[string, Partial<TickOptions>]>([
    ['ticks that follow a defrag', { scope: { kind: 'leased-nodes', nodes: [] } }],
    ['an invocation whose time is over', { remaining: () => 0 }],
    ['a worker of a stage that discovers Clusters', { part: { kind: 'batch', at: NOW, nodes: 9 } }],
  ])('%s ask nothing', async (_, options) => {
    const { tick, state, documents } = aStage(both, () => nodesBy('a', 'abc'));
    expect(await tick(options)).toEqual({ remarks: [], news: [] });
    expect(state.asked).toEqual([]);
    expect([...documents]).toEqual([]);
  });

  test('a state that is down, or takes no writes, ends no tick; a document that cannot be read is replaced', async () => {
    const down = aStage(both, () => nodesBy('a', 'abc'));
    down.trouble.down = true;
    expect(await down.tick()).toEqual({ remarks: [], news: [] });
    expect(down.state.warnings).toHaveLength(1);
    const full = aStage(both, () => nodesBy('a', 'abc'));
    full.trouble.readOnly = true;
    expect((await full.tick()).remarks).toHaveLength(1);
    const garbled = aStage(both, () => nodesBy('a', 'abc'));
    garbled.documents.set(membershipKey('carts'), { value: { at: 'x' }, version: 1 });
    await garbled.tick();
    expect((await garbled.tick()).news).toEqual([place('c')]);
    const newer = aStage(both, () => nodesBy('a', 'abc'));
    newer.documents.set(membershipKey('carts'), { value: { schema: 99 }, version: 1 });
    expect(await newer.tick()).toEqual({ remarks: [], news: [] });
  });
});

describe('replicas of a primary, by INFO', () => {
  const replication = (role: Replication['role'], replicas: readonly string[] = []): Replication => ({
    role,
    replicasSyncing: 0,
    ...(replicas.length > 0 && { replicas }),
  });
  const roles = (instance: InstanceConfig, listed: readonly string[], away: readonly string[] = []): readonly Look[] =>
    instance.nodes.map((node, index) => {
      if (away.includes(node.id)) return { instance, node, problem: { kind: 'timeout', message: '', expected: true } };
      const own = index === 0 ? replication('primary', listed) : replication('replica');
      const observation = anObservation({ node: node.id, runId: id(`${index}`), replication: own });
      return { instance, node, observation };
    });
  const other = named(['redis-1.example:6379', 'redis-2.example:6379']);

  test.each<[string, InstanceConfig, readonly string[], readonly string[], readonly string[]]>([
    ['all are named', both, [place('b')], [], []],
    ['one is not', both, [place('b'), place('c')], [], [place('c')]],
    ['all are named, by other addresses', other, [place('b')], [], []],
    ['one is not, and which one cannot be known', other, [place('b'), place('c')], [], []],
    ['one is not, or it is the one that does not answer', both, [place('c')], [place('b')], []],
  ])('%s', async (_, instance, listed, away, expected) => {
    const { tick, state, documents } = aStage(instance, () => undefined, roles(instance, listed, away));
    await tick();
    expect((await tick()).news).toEqual(expected);
    expect((await tick()).news).toEqual([]);
    expect(state.asked).toEqual([]);
    expect(documents.size).toBe(expected.length);
  });
});
