import { expect, test } from 'vitest';
import { EMPTY_HISTORY } from '../../../../core/domain/node-history.ts';
import { keepRecord } from '../../../../core/leases/records.ts';
import type { StateStore } from '../../../../core/ports/state-store.ts';
import { runKey } from '../../../../core/state/keys.ts';
import { noteRun } from '../../../../core/state/runs.ts';
import { aStore } from '../../../model/store.ts';
import { aLease, NOW, RUN_ID } from '../../../support/builders.ts';

const KEY = runKey(RUN_ID);

test('each record that is kept keeps the run that leads to it for as long', async () => {
  const { store } = aStore();
  const lease = aLease({ applied: { activedefrag: 'yes' }, expiresAt: NOW });
  await keepRecord(store, lease);
  const first = await store.read(KEY);
  expect(first?.value).toMatchObject({ node: lease.node });
  await keepRecord(store, lease);
  const second = await store.read(KEY);
  expect(second?.value).toEqual(first?.value);
  expect(second?.version).toBeGreaterThan(first?.version ?? 0);
});

/** Before each of the first `times` writes of this job, another job notes the same process. */
function contended(store: StateStore, times: number): StateStore {
  let left = times;
  return {
    ...store,
    write: async (key, value, version) => {
      if (left-- > 0) await noteRun(store, RUN_ID, 'c:6379');
      return await store.write(key, value, version);
    },
  };
}

test('of two jobs that note one process at the same moment, both do, and each history is kept', async () => {
  const { store } = aStore();
  expect(await noteRun(contended(store, 1), RUN_ID, 'b:6379', EMPTY_HISTORY)).toBe(true);
  expect((await store.read(KEY))?.value).toMatchObject({ node: 'b:6379', history: EMPTY_HISTORY });
});

test('one that loses twice says so', async () => {
  const { store } = aStore();
  expect(await noteRun(contended(store, 2), RUN_ID, 'b:6379', EMPTY_HISTORY)).toBe(false);
  expect((await store.read(KEY))?.value).toMatchObject({ node: 'c:6379' });
});
