import type { ChildProcess } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { StateStore } from '../../core/ports/state-store.ts';
import { nextMessage } from './state-contenders.ts';
import type { Handles } from './state-store-contract.ts';

export function concurrentCallers(handles: () => Handles): void {
  describe('callers at the same time', () => {
    test('of 20 who create one key, exactly one wins, and its value is the one that is there', async () => {
      const { store, other } = handles();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).write('lease#a', { caller: i }, undefined)),
      );
      const winners = results.flatMap((result, i) =>
        result.stored ? [{ value: { caller: i }, version: result.version }] : [],
      );
      expect(winners).toHaveLength(1);
      expect(await store.read('lease#a')).toEqual(winners[0]);
    });

    test('of 10 who remove one version, exactly one did it', async () => {
      const { store, other, mustWrite } = handles();
      const version = await mustWrite('lease#a', 1);
      const removed = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? store : other).remove('lease#a', version)),
      );
      expect(removed.filter(Boolean)).toHaveLength(1);
    });

    test('no increment is lost when everybody retries after a conflict', async () => {
      const { store, other, mustWrite } = handles();
      await mustWrite('count', 0);
      await Promise.all([store, other, store, other].map((handle) => increment(handle, 5)));
      expect((await store.read('count'))?.value).toBe(20);
    });

    test('those who write different keys all succeed', async () => {
      const { store, other } = handles();
      const keys = Array.from({ length: 20 }, (_, i) => `node#${i}`);
      const results = await Promise.all(keys.map((key, i) => (i % 2 === 0 ? store : other).write(key, key, undefined)));
      expect(results.every(({ stored }) => stored)).toBe(true);
      expect([...(await store.list('node#')).keys()].sort()).toEqual([...keys].sort());
    });
  });
}

async function increment(store: StateStore, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const stored = await store.read('count');
    if (stored === undefined) throw new Error('the counter is gone');
    if ((await store.write('count', Number(stored.value) + 1, stored.version)).stored) done++;
  }
}

/** Two processes write one lease at the same time, round after round: one gets it every time, under a version never seen before. */
export async function raceForOneLease(
  children: readonly ChildProcess[],
  store: StateStore,
  rounds: number,
): Promise<void> {
  expect(await Promise.all(children.map(nextMessage))).toEqual(['ready', 'ready']);
  const versions: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const answers = children.map(nextMessage);
    children.forEach((child, holder) => void child.send({ round, holder }));
    const winners = (await Promise.all(answers)).flatMap((result, holder) =>
      isStored(result) ? [{ value: { round, holder }, version: result.version }] : [],
    );
    expect(winners, `round ${round}`).toHaveLength(1);
    const lease = await store.read('lease#sessions');
    expect(lease).toEqual(winners[0]);
    versions.push(lease?.version ?? 0);
    expect(await store.remove('lease#sessions', lease?.version ?? 0)).toBe(true);
  }
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
}

function isStored(result: unknown): result is { readonly version: number } {
  return typeof result === 'object' && result !== null && 'version' in result && typeof result.version === 'number';
}
