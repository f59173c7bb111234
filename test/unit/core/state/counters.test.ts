import { expect, test } from 'vitest';
import type { Counters } from '../../../../core/domain/report.ts';
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

test('come back as they were, in documents that DynamoDB takes', async () => {
  const { store, documents } = aStore();
  const counters = some(2_001);
  await writeCounters(store, await readCounters(store), counters);
  expect([...documents.keys()]).toEqual([0, 1, 2].map((part) => COUNTERS + part));
  expect(Math.max(...[...documents.values()].map(({ value }) => JSON.stringify(value).length))).toBeLessThan(400_000);
  expect((await readCounters(store)).byNode).toEqual(counters);
});

test('those of a later tick replace them', async () => {
  const { store } = aStore();
  await writeCounters(store, await readCounters(store), some(3));
  await writeCounters(store, await readCounters(store), some(3, NOW + 1));
  expect((await readCounters(store)).byNode).toEqual(some(3, NOW + 1));
});

test('of two jobs, the one that was first is left alone', async () => {
  const { store } = aStore();
  const seen = await readCounters(store);
  await writeCounters(store, seen, some(1, NOW + 1));
  await writeCounters(store, seen, some(1));
  expect((await readCounters(store)).byNode).toEqual(some(1, NOW + 1));
});

test('of a fleet that has shrunk, the documents that are left over do not count', async () => {
  const { store } = aStore();
  await writeCounters(store, await readCounters(store), some(1_500));
  await writeCounters(store, await readCounters(store), some(900, NOW + 1));
  const { byNode } = await readCounters(store);
  expect([...some(900).keys()].map((node) => byNode.get(node)?.at)).toEqual(Array(900).fill(NOW + 1));
});
