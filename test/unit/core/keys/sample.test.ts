import { expect, test } from 'vitest';
import { nextDatabase, type SamplingOptions, sampleKeys } from '../../../../core/keys/sample.ts';
import type { KeyReader } from '../../../../core/ports/key-reader.ts';
import { NodeFailure, type Session } from '../../../../core/ports/node-session.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';
import { aSpace } from './key-builders.ts';

/** A server on which each key takes `perKey` ms, in a world whose time passes only when something is done. */
function aWorld({ perKey = 0.01, counts = true, space = aSpace(), failAt = Number.POSITIVE_INFINITY } = {}) {
  const world = { time: 0, used: 0, drawn: 0, fork: false, byDatabase: new Map<number, number>(), largest: 0 };
  let since = 0;
  const reader: KeyReader = {
    space,
    way: 0.2,
    sent: 0,
    async draw(database, count) {
      if (world.drawn >= failAt) throw new NodeFailure('unreachable', 'gone');
      const cost = perKey * count;
      world.used += cost;
      world.time += cost + 0.6;
      since += cost / 2;
      world.drawn += count;
      world.largest = Math.max(world.largest, count);
      world.byDatabase.set(database, (world.byDatabase.get(database) ?? 0) + count);
      const facts = Array.from({ length: count }, (_, index) => ({ name: `k:${world.drawn + index}`, type: 'string' }));
      return { facts, vanished: 0, waits: [cost / 3 + 0.2, cost / 3 + 0.2, cost / 3 + 0.2] };
    },
    async spent() {
      const spent = since;
      since = 0;
      return counts ? spent : undefined;
    },
  };
  const look = async () =>
    anObservation({
      at: world.time,
      monotonic: world.time,
      persistence: { rdbBgsaveInProgress: world.fork },
      activity: { ownCommands: 0, cpuSeconds: 100 + world.used / 1000 },
    });
  const clock = {
    now: () => world.time,
    elapsed: () => world.time,
    pause: async (ms: number) => {
      world.time += ms;
    },
  };
  const run = async (over: Partial<SamplingOptions> = {}) =>
    await sampleKeys(
      { session: { look } as unknown as Session, reader, instance: anInstance(), observation: await look() },
      { samples: 5000, duration: 60_000, budget: 0.02, readValues: false, interrupted: () => false, ...over },
      clock,
    );
  return { world, run };
}

test('draws what it was asked for, within the budget', async () => {
  const { world, run } = aWorld();
  const { drawn, facts, end, cost } = await run();
  expect({ drawn, facts: facts.length, end }).toEqual({ drawn: 5000, facts: 5000, end: { kind: 'enough' } });
  expect(world.used / world.time).toBeLessThan(0.0201);
  expect(cost).toMatchObject({ by: 'commandstats', budget: 0.02 });
  expect(cost.share).toBeLessThanOrEqual(0.0201);
});

test('stays within the budget by latency where the server does not count', async () => {
  const { world, run } = aWorld({ counts: false });
  expect((await run()).cost.by).toBe('latency');
  expect(world.used / world.time).toBeLessThan(0.0201);
});

test('asks for fewer keys at once where each costs much, and ends when the time is over', async () => {
  const { world, run } = aWorld({ perKey: 5 });
  const { end, drawn } = await run();
  expect(end).toEqual({ kind: 'time' });
  expect(world.largest).toBeLessThanOrEqual(4);
  expect(drawn).toBeGreaterThan(100);
  expect(world.used / world.time).toBeLessThan(0.021);
});

test('stops at a guard, with what it has', async () => {
  const { world, run } = aWorld();
  const { end, drawn } = await run({
    interrupted: () => {
      world.fork = world.drawn > 1000;
      return false;
    },
  });
  expect(end).toEqual({ kind: 'guard', blocker: { kind: 'forking', child: 'bgsave' } });
  expect(drawn).toBeGreaterThan(1000);
  expect(drawn).toBeLessThan(5000);
});

test('draws nothing where a guard objects from the first', async () => {
  const { world, run } = aWorld();
  world.fork = true;
  expect(await run()).toMatchObject({ drawn: 0, end: { kind: 'guard' } });
  expect(world.drawn).toBe(0);
});

test('ends when it is interrupted, and when the server goes away, with what it has', async () => {
  const interrupted = aWorld();
  const { end, drawn } = await interrupted.run({ interrupted: () => interrupted.world.drawn > 100 });
  expect({ end, some: drawn > 100 }).toEqual({ end: { kind: 'interrupted' }, some: true });
  const gone = await aWorld({ failAt: 200 }).run();
  expect(gone).toMatchObject({ end: { kind: 'failed', message: 'gone' } });
  expect(gone.drawn).toBeGreaterThanOrEqual(200);
});

test('a bug is no end like the others', async () => {
  const { run } = aWorld();
  await expect(run({ interrupted: () => (undefined as never as () => boolean)() })).rejects.toThrow(TypeError);
});

test('an empty keyspace has no keys to draw, and a small one needs few draws', async () => {
  expect(await aWorld({ space: aSpace({ databases: [] }) }).run()).toMatchObject({ drawn: 0, end: { kind: 'empty' } });
  const small = aSpace({ databases: [{ index: 0, keys: 30, expires: 0 }] });
  expect(await aWorld({ space: small }).run()).toMatchObject({ drawn: 150, end: { kind: 'enough' } });
});

test('each database gets draws by its keys', async () => {
  const databases = [
    { index: 0, keys: 1000, expires: 0 },
    { index: 9, keys: 3000, expires: 0 },
  ];
  const { world, run } = aWorld({ space: aSpace({ databases }) });
  await run({ samples: 2000 });
  expect(Object.fromEntries(world.byDatabase)).toEqual({ 0: 500, 9: 1500 });
  expect(nextDatabase({ databases }, new Map([[0, 10]]), 400)).toEqual({ index: 9, left: 300 });
});
