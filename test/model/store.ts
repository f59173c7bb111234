import { type StateStore, StateUnavailable, type Stored } from '../../core/ports/state-store.ts';

/** The contract of a state store, in memory, with its troubles: not there, takes no writes, and somebody else was first. */
export function aStore() {
  const documents = new Map<string, Stored>();
  const trouble = {
    down: false,
    readOnly: false,
    losesNext: false,
    /** The next changes of keys that hold this text fail, or their answers alone are lost. */
    failsOn: undefined as string | undefined,
    answerLostOn: undefined as string | undefined,
    times: 1,
    /** How often something has failed. */
    failures: 0,
  };
  let version = 0;

  const answer = <T>(read: () => T): Promise<T> =>
    trouble.down ? Promise.reject(new StateUnavailable('the state is down')) : Promise.resolve(read());
  const change = <T>(key: string, write: () => T): Promise<T> => {
    if (trouble.readOnly) return Promise.reject(new StateUnavailable('the state takes no writes'));
    if (isHit('failsOn', key)) return Promise.reject(new StateUnavailable('the state throttles'));
    const isLost = isHit('answerLostOn', key);
    const done = answer(write);
    return isLost ? done.then(() => Promise.reject(new StateUnavailable('the state did not answer'))) : done;
  };
  const isHit = (kind: 'failsOn' | 'answerLostOn', key: string) => {
    const is = trouble[kind] !== undefined && key.includes(trouble[kind]);
    if (is) trouble.failures++;
    if (is && --trouble.times <= 0) Object.assign(trouble, { [kind]: undefined, times: 1 });
    return is;
  };
  const isLost = () => {
    const lost = trouble.losesNext;
    trouble.losesNext = false;
    return lost;
  };
  /** Who loses this one finds the same alert, which another job has written; and here there is none. */
  const isNewAlert = (key: string, expected: number | undefined) => key.startsWith('outbox#') && expected === undefined;
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
    readAll: (keys) =>
      answer(
        () =>
          new Map(
            keys.flatMap((key) => {
              const stored = documents.get(key);
              return stored ? [[key, copy(stored)] as const] : [];
            }),
          ),
      ),
    write: (key, value, expected) =>
      change(key, () => {
        if (documents.get(key)?.version !== expected || (!isNewAlert(key, expected) && isLost()))
          return { stored: false };
        version++;
        documents.set(key, { value: structuredClone(value), version });
        return { stored: true, version };
      }),
    remove: (key, expected) =>
      change(key, () => {
        if (documents.get(key)?.version !== expected || isLost()) return false;
        return documents.delete(key);
      }),
  };
  return { store, trouble, documents };
}
