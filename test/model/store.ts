import { type StateStore, StateUnavailable, type Stored } from '../../functions/shared/state/store.ts';

/** The contract of a state store, in memory, with its troubles: not there, takes no writes, and somebody else was first. */
export function aStore() {
  const documents = new Map<string, Stored>();
  const trouble = { down: false, readOnly: false, losesNext: false };
  let version = 0;

  const answer = <T>(read: () => T): Promise<T> =>
    trouble.down ? Promise.reject(new StateUnavailable('the state is down')) : Promise.resolve(read());
  const change = <T>(write: () => T): Promise<T> =>
    trouble.readOnly ? Promise.reject(new StateUnavailable('the state takes no writes')) : answer(write);
  const isLost = () => {
    const lost = trouble.losesNext;
    trouble.losesNext = false;
    return lost;
  };
  const copy = (stored: Stored): Stored => ({ ...stored, value: structuredClone(stored.value) });

  const store: StateStore = {
    list: (prefix) =>
      answer(
        () => new Map([...documents].filter(([key]) => key.startsWith(prefix)).map(([key, one]) => [key, copy(one)])),
      ),
    read: (key) =>
      answer(() => {
        const stored = documents.get(key);
        return stored && copy(stored);
      }),
    write: (key, value, expected) =>
      change(() => {
        if (documents.get(key)?.version !== expected || isLost()) return { stored: false };
        version++;
        documents.set(key, { value: structuredClone(value), version });
        return { stored: true, version };
      }),
    remove: (key, expected) =>
      change(() => {
        if (documents.get(key)?.version !== expected || isLost()) return false;
        return documents.delete(key);
      }),
  };
  return { store, trouble, documents };
}
