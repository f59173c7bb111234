import { afterEach, beforeEach, describe } from 'vitest';
import type { StateStore } from '../../core/ports/state-store.ts';
import { conditionalWrites, removals } from './state-store-conditions.ts';
import { keysAndPrefixes, valuesAsGiven } from './state-store-documents.ts';
import { concurrentCallers } from './state-store-races.ts';

interface StoreUnderTest {
  readonly store: StateStore;
  /** A second handle on the same state, as another process would have it. */
  another(): Promise<StateStore>;
  dispose(): Promise<void>;
}

/** What each test of the contract works with: two handles on one state, empty at its start. */
export interface Handles {
  readonly store: StateStore;
  readonly other: StateStore;
  /** Writes through `store` where a conflict would be a fault; gives the version. */
  mustWrite(key: string, value: unknown, expected?: number): Promise<number>;
}

/**
 * What every state store has to do, whatever it keeps its documents in. It knows nothing of files, and asks no more of
 * keys, values and sizes than a DynamoDB item can hold.
 */
export function stateStoreContract(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a state store`, () => {
    let made: StoreUnderTest | undefined;
    let handles: Handles | undefined;

    beforeEach(async () => {
      made = await makeStore();
      handles = handlesOf(made.store, await made.another());
    });
    afterEach(async () => {
      await made?.dispose();
      made = undefined;
    });

    const current = (): Handles => {
      if (handles === undefined) throw new Error('only a running test has handles');
      return handles;
    };
    for (const suite of [conditionalWrites, removals, keysAndPrefixes, valuesAsGiven, concurrentCallers])
      suite(current);
  });
}

function handlesOf(store: StateStore, other: StateStore): Handles {
  return {
    store,
    other,
    async mustWrite(key, value, expected) {
      const result = await store.write(key, value, expected);
      if (!result.stored) throw new Error(`a conflict that nobody can have caused, on ${JSON.stringify(key)}`);
      return result.version;
    },
  };
}
