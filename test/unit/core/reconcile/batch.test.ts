import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { instancesOf } from '../../../../core/discovery/resolve.ts';
import type { NamedShard } from '../../../../core/domain/discovered.ts';
import { MOST_BYTES } from '../../../../core/ports/batch-queue.ts';
import { batchesOf, configOf, readBatch } from '../../../../core/reconcile/batch.ts';
import { takeBatch } from '../../../../core/state/batches.ts';
import { createFileStore } from '../../../../core/state/file/file-store.ts';
import { configOf as parsed } from '../../../support/job.ts';

const AT = Date.UTC(2026, 10, 24, 2, 15);

function stage(instances: readonly string[], more = '') {
  return parsed(`${more}\ninstances:\n${instances.map((one) => `  - ${one}`).join('\n')}\n`);
}

const single = (n: number) => `{ id: node-${n}, url: "redis://node-${n}.example" }`;
const replicated = (n: number, nodes: number) =>
  `{ id: group-${n}, nodes: [${Array.from({ length: nodes }, (_, i) => `"redis://g${n}-${i}.example"`).join(', ')}] }`;

const shard = (name: string, nodes = 2): NamedShard => ({
  group: '',
  name,
  nodes: Array.from({ length: nodes }, (_, i) => ({
    address: addressOf(`s${name}-${i}.example:6379`, false),
    identity: `${name}${i}`,
  })),
  overrides: { maxStall: 2, acts: false },
});
const CLUSTER = '{ id: sessions, discover: { cluster: { seeds: ["redis://seed.example"] } } }';

describe('the instances of a tick', () => {
  test.each([
    ['25 instances', Array.from({ length: 60 }, (_, n) => single(n)), [25, 25, 10]],
    ['50 nodes', Array.from({ length: 20 }, (_, n) => replicated(n, 6)), [8, 8, 4]],
    ['one instance, however many nodes it has', [replicated(0, 100), single(1)], [1, 1]],
  ])('are put into messages of at most %s', (_, instances, sizes) => {
    const batches = batchesOf(stage(instances), new Map(), AT);
    expect(batches.map(({ instances: some }) => some.length)).toEqual(sizes);
    expect(batches.map(({ number }) => number)).toEqual(sizes.map((_, number) => number));
    expect(batches.flatMap((one) => one.instances.map(({ id }) => id))).toHaveLength(instances.length);
    for (const batch of batches) expect(readBatch(JSON.stringify(batch))).toEqual(batch);
  });

  test.each([
    ['parameter-group', [30]],
    ['config', [25, 5]],
  ])('that one parameter group serves stay together where Offpeak may switch it (%s)', (through, sizes) => {
    const managed = {
      service: 'elasticache',
      region: 'eu-west-1',
      status: 'available',
      parameterGroup: 'own',
    } as const;
    const found = Array.from({ length: 30 }, (_, n): NamedShard => {
      const group = `g${n}`;
      return { ...shard(String(n), 1), group, managed: { ...managed, group } };
    });
    const config = stage([
      `{ id: caches, discover: { elasticache: { groups: ["*"] } }, defrag: { through: ${through} } }`,
    ]);
    const instances = config.instances.flatMap((one) => instancesOf(one, found));
    const batches = batchesOf({ ...config, instances }, new Map([['caches', { shards: found }]]), AT);
    expect(batches.map(({ instances: some }) => some.length)).toEqual(sizes);
  });

  test('of 10,000 nodes with the longest names stay below what SQS takes', () => {
    const found = Array.from({ length: 10_000 }, (_, n) => {
      const long = { ...shard(String(n), 1), tags: 'x'.repeat(20_000) };
      return long as NamedShard;
    });
    const config = stage([CLUSTER]);
    const instances = config.instances.flatMap((one) => instancesOf(one, found));
    const bodies = batchesOf({ ...config, instances }, new Map([['sessions', { shards: found }]]), AT).map((one) =>
      Buffer.byteLength(JSON.stringify(one)),
    );
    expect(Math.max(...bodies)).toBeLessThan(MOST_BYTES);
    expect(bodies.length).toBeGreaterThan(10_000 / 25);
  });
});

describe('a worker', () => {
  const config = stage([CLUSTER, single(1)]);
  const resolved = {
    ...config,
    instances: config.instances.flatMap((one) =>
      one.discover ? instancesOf(one, [shard('0001'), shard('0002')]) : [one],
    ),
  };
  const found = new Map([['sessions', { shards: [shard('0001'), shard('0002')] }]]);

  test('makes the same instances of a message as the dispatch had', () => {
    const [batch] = batchesOf(resolved, found, AT);
    if (!batch) throw new Error('a batch expected');
    const read = readBatch(JSON.stringify(batch));
    expect(configOf(read as typeof batch, config)).toMatchObject({
      gone: [],
      config: { instances: resolved.instances },
    });
  });

  test('of a shard that is not found any more it checks the node with the lease', () => {
    const instances = resolved.instances.map((one) =>
      one.id === 'sessions/0002' ? { ...one, nodes: one.nodes.slice(0, 1) } : one,
    );
    const [batch] = batchesOf({ ...resolved, instances }, new Map(), AT);
    if (!batch) throw new Error('a batch expected');
    const own = configOf(batch, config).config.instances;
    expect(own.map(({ id, nodes }) => [id, nodes.length])).toEqual([
      ['sessions/0001', 2],
      ['sessions/0002', 1],
      ['node-1', 1],
    ]);
  });

  test('leaves out what its own config does not have, and checks the rest', () => {
    const [batch] = batchesOf(resolved, found, AT);
    if (!batch) throw new Error('a batch expected');
    const other = stage([single(1), '{ id: sessions, url: "redis://named.example" }']);
    const { gone, config: own } = configOf(batch, other);
    expect(gone).toEqual(['sessions/0001', 'sessions/0002']);
    expect(own.instances.map(({ id }) => id)).toEqual(['node-1']);
    expect(configOf(batch, stage([single(2)]))).toMatchObject({
      gone: ['sessions/0001', 'sessions/0002', 'node-1'],
      config: { instances: [] },
    });
  });

  test.each([
    ['no JSON', '{'],
    ['another object', '{"Records": []}'],
    ['no instances', '{"schema": 1, "stage": "a", "at": 1, "number": 0}'],
    ['a time beyond calendars', '{"schema":1,"stage":"a","at":1e300,"number":0,"nodes":1,"instances":[]}'],
  ])('refuses %s, without its text', (_, body) => {
    expect(() => readBatch(body)).toThrow(/^the message is not a batch: accepted is/);
  });

  test('reads no further than the schema of another version', () => {
    expect(readBatch('{"schema": 2, "instances": 7}')).toEqual({ schema: 2 });
  });
});

test('a batch is taken once for a tick, by one of several workers, and never for an earlier tick', async () => {
  const store = createFileStore(join(tmpdir(), `offpeak-batches-${randomUUID()}`));
  const taken = await Promise.all([1, 2, 3].map(() => takeBatch(store, 7, AT)));
  expect(taken.filter(Boolean)).toHaveLength(1);
  expect(await takeBatch(store, 7, AT - 1)).toBe(false);
  expect(await takeBatch(store, 7, AT + 300_000)).toBe(true);
  expect(await takeBatch(store, 8, AT)).toBe(true);
});
