import { describe, expect, test } from 'vitest';
import type { Handles } from './state-store-contract.ts';

export function conditionalWrites(handles: () => Handles): void {
  describe('conditions', () => {
    test('an empty store has nothing', async () => {
      const { store } = handles();
      expect(await store.read('lease#sessions')).toBeUndefined();
      expect((await store.list('')).size).toBe(0);
    });

    test('what one handle wrote, every handle reads at once', async () => {
      const { store, other, mustWrite } = handles();
      const version = await mustWrite('lease#sessions', { holder: 'a' });
      expect(await other.read('lease#sessions')).toEqual({ value: { holder: 'a' }, version });
      expect(await store.read('lease#sessions')).toEqual({ value: { holder: 'a' }, version });
    });

    test('a key is created only where there is none', async () => {
      const { store, other, mustWrite } = handles();
      const version = await mustWrite('lease#sessions', 'first');
      expect(await store.write('lease#sessions', 'second', undefined)).toEqual({ stored: false });
      expect(await other.write('lease#sessions', 'third', undefined)).toEqual({ stored: false });
      expect(await store.read('lease#sessions')).toEqual({ value: 'first', version });
    });

    test('a key that is not there cannot be updated', async () => {
      const { store } = handles();
      expect(await store.write('lease#sessions', 'x', 1)).toEqual({ stored: false });
      expect(await store.read('lease#sessions')).toBeUndefined();
    });

    test('an update with the version that is there is stored, under a higher one', async () => {
      const { other, mustWrite } = handles();
      const first = await mustWrite('k', 1);
      const second = await mustWrite('k', 2, first);
      const third = await mustWrite('k', 3, second);
      expect([second > first, third > second]).toEqual([true, true]);
      expect(await other.read('k')).toEqual({ value: 3, version: third });
    });

    test('an update with an older or a guessed version conflicts and changes nothing', async () => {
      const { store, other, mustWrite } = handles();
      const first = await mustWrite('k', 1);
      const second = await mustWrite('k', 2, first);
      for (const expected of [first, second + 1, 0, -1, Number.MAX_SAFE_INTEGER]) {
        expect(await other.write('k', 'lost', expected), `expected ${expected}`).toEqual({ stored: false });
      }
      expect(await store.read('k')).toEqual({ value: 2, version: second });
    });

    test('writing the same value again still counts as a change', async () => {
      const { mustWrite } = handles();
      const first = await mustWrite('k', 1);
      expect(await mustWrite('k', 1, first)).toBeGreaterThan(first);
    });
  });
}

export function removals(handles: () => Handles): void {
  describe('removal', () => {
    test('a key is removed under its own version only, and only once', async () => {
      const { store, other, mustWrite } = handles();
      const first = await mustWrite('k', 1);
      const second = await mustWrite('k', 2, first);
      expect(await other.remove('k', first)).toBe(false);
      expect(await other.remove('k', second + 1)).toBe(false);
      expect(await store.read('k')).toEqual({ value: 2, version: second });
      expect(await other.remove('k', second)).toBe(true);
      expect(await store.read('k')).toBeUndefined();
      expect((await store.list('')).size).toBe(0);
      expect(await store.remove('k', second)).toBe(false);
    });

    test('a key that never was cannot be removed', async () => {
      const { store } = handles();
      expect(await store.remove('k', 1)).toBe(false);
    });

    test('an old holder can neither change nor remove what was created after a removal', async () => {
      const { store, other, mustWrite } = handles();
      const seen = new Set<number>();
      for (let round = 0; round < 5; round++) {
        const created = await mustWrite('lease#a', { round });
        const updated = await mustWrite('lease#a', { round, again: true }, created);
        for (const old of seen) {
          expect(await other.write('lease#a', 'stolen', old)).toEqual({ stored: false });
          expect(await other.remove('lease#a', old)).toBe(false);
        }
        expect([seen.has(created), seen.has(updated)]).toEqual([false, false]);
        seen.add(created).add(updated);
        expect(await store.remove('lease#a', updated)).toBe(true);
      }
    });

    test('removing one key leaves the others and their versions alone', async () => {
      const { store, other, mustWrite } = handles();
      const a = await mustWrite('a', 1);
      const b = await mustWrite('b', 2);
      await store.remove('a', a);
      expect(await other.list('')).toEqual(new Map([['b', { value: 2, version: b }]]));
    });
  });
}
