import { expect, test } from 'vitest';
import type { Counters } from '../../../../core/domain/report.ts';
import type { StateStore } from '../../../../core/ports/state-store.ts';
import { readCounters, writeCounters } from '../../../../core/state/counters.ts';
import { COUNTERS } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import { NOW, RUN_ID } from '../../../support/builders.ts';

const some = (count: number, at = NOW) =>
  new Map(
    Array.from({ length: count }, (_, index): [string, Counters] => [
      `${'long-name.'.repeat(20)}${index}.example:6379`,
      { at, runId: RUN_ID, commands: 9_007_199_254_740_991, cpuSeconds: 123_456.789_012 },
    ]),
  );

const namesOf = (counters: ReadonlyMap<string, Counters>) => [...counters.keys()];

/** One tick that has seen these nodes, of all that it is about. */
async function tick(store: StateStore, seen: ReadonlyMap<string, Counters>, nodes = namesOf(seen)) {
  await writeCounters(store, await readCounters(store, nodes), seen);
}

test('come back as they were, in documents that DynamoDB takes', async () => {
  const { store, documents } = aStore();
  const counters = some(2_001);
  await tick(store, counters);
  expect([...documents.keys()].map((key) => key.replace(/[0-9a-f]{32}$/, ''))).toEqual(Array(3).fill(COUNTERS));
  expect(Math.max(...[...documents.values()].map(({ value }) => JSON.stringify(value).length))).toBeLessThan(400_000);
  expect((await readCounters(store, namesOf(counters))).byNode).toEqual(counters);
});

test('those of a later tick replace them', async () => {
  const { store, documents } = aStore();
  await tick(store, some(3));
  await tick(store, some(3, NOW + 1));
  expect((await readCounters(store, namesOf(some(3)))).byNode).toEqual(some(3, NOW + 1));
  expect(documents.size).toBe(1);
});

test('of two jobs, the one that was first is left alone', async () => {
  const { store } = aStore();
  const seen = await readCounters(store, namesOf(some(1)));
  await writeCounters(store, seen, some(1, NOW + 1));
  await writeCounters(store, seen, some(1));
  expect((await readCounters(store, namesOf(some(1)))).byNode).toEqual(some(1, NOW + 1));
});

test('two jobs, each with a part of the fleet, have documents of their own', async () => {
  const { store } = aStore();
  const all = [...some(10)];
  const [first, second] = [new Map(all.slice(0, 5)), new Map(all.slice(5))];
  const before = await readCounters(store, namesOf(first));
  await tick(store, second);
  await writeCounters(store, before, first);
  for (const part of [first, second]) expect((await readCounters(store, namesOf(part))).byNode).toEqual(part);
});

test('a node that was not seen has none, and the others keep their document', async () => {
  const { store } = aStore();
  const nodes = namesOf(some(3));
  await tick(store, some(3));
  await tick(store, some(2, NOW + 1), nodes);
  expect((await readCounters(store, nodes)).byNode).toEqual(some(2, NOW + 1));
});
