import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import pLimit from 'p-limit';
import type { StateStore } from '../../ports/state-store.ts';
import { copyAsJson } from '../json-value.ts';
import type { Contents } from './contents.ts';
import { withFileLock } from './file-lock.ts';
import { load, locate, replace, unavailable } from './state-file.ts';

/**
 * A store in one JSON file, for runs from a terminal: people can read it, and any number of processes of one machine
 * can share it. The file (mode 0600) and its folder come with the first write, an empty `<path>.lock` beside it; a missing
 * file is an empty store.
 *
 * @param options.lockWait for how many milliseconds, from its call on, a change may wait for other writers; default
 *   5000. Reads never wait.
 */
export function createFileStore(path: string, options: { readonly lockWait?: number } = {}): StateStore {
  const { lockWait = 5_000 } = options;
  // Whole, so that messages name the place whatever folder the run started in.
  const place = resolve(path);
  // One at a time from this handle: a hundred writes queue up here instead of polling one lock against each other.
  const inTurn = pLimit(1);

  /** Applies `change` to what is stored; undefined from it (its condition does not hold) writes nothing. */
  function update(change: (before: Contents) => Contents | undefined): Promise<Contents | undefined> {
    const deadline = performance.now() + lockWait;
    return inTurn(async () => {
      const file = await locate(place);
      await makeFolder(file);
      return withFileLock(`${file}.lock`, deadline, async () => {
        const after = change(await load(file));
        if (after !== undefined) await replace(file, after);
        return after;
      });
    });
  }

  return {
    async list(prefix) {
      const { documents } = await load(place);
      return new Map([...documents].filter(([key]) => key.startsWith(prefix)));
    },
    async read(key) {
      return (await load(place)).documents.get(key);
    },
    async write(key, value, expected) {
      const copy = copyAsJson(key, value);
      const after = await update((before) => put(before, key, copy, expected));
      return after === undefined ? { stored: false } : { stored: true, version: after.next - 1 };
    },
    async remove(key, expected) {
      return (await update((before) => drop(before, key, expected))) !== undefined;
    },
  };
}

function put(before: Contents, key: string, value: unknown, expected: number | undefined): Contents | undefined {
  if (before.documents.get(key)?.version !== expected) return undefined;
  const documents = new Map(before.documents).set(key, { value, version: before.next });
  return { next: before.next + 1, documents };
}

function drop(before: Contents, key: string, expected: number): Contents | undefined {
  if (before.documents.get(key)?.version !== expected) return undefined;
  const documents = new Map(before.documents);
  documents.delete(key);
  return { next: before.next, documents };
}

/** Private from the start: what is remembered of a server is nobody else's business. */
async function makeFolder(file: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unavailable(file, 'cannot be written', error);
  }
}
