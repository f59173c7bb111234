import type { JobStore, StateStore, Stored } from '../ports/state-store.ts';
import { GROUP_LEASE, isLeaseKey, LEASE } from '../state/keys.ts';
import { type Leases, leasesOf } from './lease-store.ts';

/**
 * Keeps a copy of each lease that is read or written. While the store cannot be read, the job can still restore the settings of a lease
 * that it knows. The copy may be out of date, so the job uses it only to restore settings, and reads the server first.
 */
export function cacheLeases(store: StateStore): JobStore {
  let known = new Map<string, Stored>();
  const isKept = (key: string) => isLeaseKey(key) || key.startsWith(GROUP_LEASE);
  const note = (key: string, stored: Stored | undefined) => {
    if (!isKept(key)) return;
    if (stored) known.set(key, stored);
    else known.delete(key);
  };
  return {
    async list(prefix) {
      const documents = await store.list(prefix);
      known = new Map([...known].filter(([key]) => !key.startsWith(prefix)));
      for (const [key, stored] of documents) note(key, stored);
      return documents;
    },
    async read(key) {
      const stored = await store.read(key);
      note(key, stored);
      return stored;
    },
    async readAll(keys) {
      const documents = await store.readAll(keys);
      for (const key of keys) note(key, documents.get(key));
      return documents;
    },
    async write(key, value, expected) {
      // As it is at the call, like what is stored.
      const copy = isKept(key) ? structuredClone(value) : undefined;
      const written = await store.write(key, value, expected);
      if (written.stored) note(key, { value: copy, version: written.version });
      return written;
    },
    async remove(key, expected) {
      const isRemoved = await store.remove(key, expected);
      if (isRemoved) note(key, undefined);
      return isRemoved;
    },
    lastKnownLeases: (prefix = LEASE) => new Map([...known].filter(([key]) => key.startsWith(prefix))),
  };
}

/** None where nothing is kept. */
export function lastKnownLeases({ lastKnownLeases: known }: JobStore): Leases {
  return leasesOf(known?.() ?? new Map(), () => {});
}
