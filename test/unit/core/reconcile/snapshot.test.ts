import { describe, expect, test } from 'vitest';
import { EMPTY_HISTORY, withAction } from '../../../../core/domain/node-history.ts';
import { keepRecord } from '../../../../core/leases/records.ts';
import type { StateStore } from '../../../../core/ports/state-store.ts';
import { followServers } from '../../../../core/reconcile/follow-histories.ts';
import { nodesAround, readState } from '../../../../core/reconcile/snapshot.ts';
import { historyKey, leaseKey, recordKey, runKey } from '../../../../core/state/keys.ts';
import { updateHistory } from '../../../../core/state/node-history.ts';
import { aStore } from '../../../model/store.ts';
import { aLease, anInstance } from '../../../support/builders.ts';

const [A, B, OLD] = ['a.example:6379', 'b.example:6379', 'old.example:6379'];
const [RUN_A, RUN_B] = ['a'.repeat(40), 'b'.repeat(40)];
const log = { info: () => {}, warn: () => {}, error: () => {} };

/** A store that notes which documents are asked for. */
function aWatchedStore() {
  const { store, documents, trouble } = aStore();
  const asked: string[] = [];
  const watched: StateStore = {
    ...store,
    list: (prefix) => {
      asked.push(`${prefix}*`);
      return store.list(prefix);
    },
    readAll: (keys) => {
      asked.push(...keys);
      return store.readAll(keys);
    },
  };
  return { store: watched, documents, trouble, asked };
}

const remember = (store: StateStore, node: string, runId: string, lastAt = 1) =>
  updateHistory(store, node, () => withAction({ ...EMPTY_HISTORY, runId }, 'purge', { lastAt }));
const lastPurge = (state: { historyOf(node: string): typeof EMPTY_HISTORY }, node: string) =>
  state.historyOf(node).byAction.purge?.lastAt;

describe('what a tick reads', () => {
  test('is what is stored of its nodes, and nothing of others, however many there are', async () => {
    const { store, asked } = aWatchedStore();
    for (let n = 0; n < 50; n++) await remember(store, `other-${n}:1`, `${n}`.padStart(40, '0'));
    await remember(store, A, RUN_A);
    asked.length = 0;
    const state = await readState(store, [A, B]);
    expect(asked.toSorted()).toEqual(
      ['lease#*', 'node#*', 'pause#*', ...[A, B].flatMap((node) => [historyKey(node), recordKey(node)])].toSorted(),
    );
    expect(lastPurge(state, A)).toBe(1);
    expect(state.stored).toHaveLength(1);
  });

  test('includes a lease on a node that the config no longer names, and what was reported of it', async () => {
    const { store } = aWatchedStore();
    await store.write(leaseKey('gone'), aLease({ instance: 'gone', node: OLD }), undefined);
    await updateHistory(store, OLD, (history) => ({ ...history, notified: ['stranded-lease'] }));
    const state = await readState(store, [A]);
    expect([...state.leases.keys()]).toEqual(['gone']);
    expect(state.historyOf(OLD).notified).toEqual(['stranded-lease']);
  });

  test('survives a lease of 0.1.0 whose node no key can hold', async () => {
    const { store, asked } = aWatchedStore();
    await store.write(leaseKey('odd'), aLease({ instance: 'odd', node: 'x'.repeat(2_000) }), undefined);
    expect([...(await readState(store, [A])).leases.keys()]).toEqual(['odd']);
    expect(asked.filter((key) => key.length > 1_000)).toEqual([]);
  });

  test('includes the peers of the nodes that it is about', () => {
    const nodes = [A, B].map((id) => ({ id, host: id, port: 6379, tls: false }));
    const config = { instances: [anInstance({ id: 'one', nodes }), anInstance({ id: 'two' })] };
    expect(nodesAround(config, { kind: 'nodes', nodes: [{ instance: 'one', node: B }] })).toEqual([A, B]);
    expect(nodesAround(config, { kind: 'fleet' })).toHaveLength(3);
  });
});

describe('a server that answers at another address', () => {
  test('is found by its process, although the config no longer names the address before', async () => {
    const { store, documents } = aWatchedStore();
    await remember(store, OLD, RUN_A, 7);
    const record = { instance: 'one', node: OLD, runId: RUN_A, acquiredAt: 1, expiresAt: 2, prior: {}, applied: {} };
    await store.write(recordKey(OLD), record, undefined);
    const ports = { store, log, newcomers: new Map() };
    const state = await followServers(await readState(store, [A]), new Map([[A, RUN_A]]), ports, { isKept: true });
    expect(lastPurge(state, A)).toBe(7);
    expect(state.records).toMatchObject([{ key: recordKey(A), record: { node: A, runId: RUN_A } }]);
    expect(documents.get(historyKey(A))?.value).toMatchObject({ runId: RUN_A });
    expect(documents.get(runKey(RUN_A))?.value).toMatchObject({ node: A });
  });

  test.each([true, false])('keeps its record for the ticks after, with a history (%s)', async (hasHistory) => {
    const { store } = aWatchedStore();
    if (hasHistory) await remember(store, OLD, RUN_A, 7);
    await keepRecord(store, aLease({ node: OLD, runId: RUN_A, applied: { hz: '50' } }));
    const ports = { store, log, newcomers: new Map() };
    const tick = async () =>
      await followServers(await readState(store, [A]), new Map([[A, RUN_A]]), ports, { isKept: true });
    const first = await tick();
    // Anything that is noted of the node: from now on its process leads here.
    await remember(store, A, RUN_A, 8);
    const second = await tick();
    expect(first.records).toMatchObject([{ record: { runId: RUN_A } }]);
    expect(second.records).toEqual(first.records);
  });

  test('is asked for once, where nothing is stored of it, and again when it is another one', async () => {
    const { store, asked } = aWatchedStore();
    const ports = { store, log, newcomers: new Map<string, string>() };
    const tick = async (runId: string) => {
      const state = await readState(store, [A]);
      asked.length = 0;
      await followServers(state, new Map([[A, runId]]), ports, { isKept: true });
      return [...asked];
    };
    expect(await tick(RUN_A)).toEqual([runKey(RUN_A)]);
    expect(await tick(RUN_A)).toEqual([]);
    expect(await tick(RUN_B)).toEqual([runKey(RUN_B)]);
  });

  test('is kept apart, with its history, while another one answers at its address', async () => {
    const { store, documents } = aWatchedStore();
    await remember(store, A, RUN_A, 7);
    const ports = { store, log };
    const first = await followServers(await readState(store, [A]), new Map([[A, RUN_B]]), ports, { isKept: true });
    // A restarted server keeps what is known of its address.
    expect(lastPurge(first, A)).toBe(7);
    await remember(store, B, RUN_B, 9);
    await followServers(await readState(store, [A, B]), new Map([[A, RUN_B]]), ports, { isKept: true });
    expect(documents.get(runKey(RUN_A))?.value).toMatchObject({ node: A, history: { runId: RUN_A } });
    const runs = new Map([
      [A, RUN_A],
      [B, RUN_B],
    ]);
    const back = await followServers(await readState(store, [A, B]), runs, ports, { isKept: true });
    expect(lastPurge(back, A)).toBe(7);
  });

  test('is not acted on while what is stored of it elsewhere cannot be read', async () => {
    const { store, trouble } = aWatchedStore();
    const state = await readState(store, [A, B]);
    trouble.down = true;
    const followed = await followServers(state, new Map([[A, RUN_A]]), { store, log }, { isKept: true });
    expect(followed.obstacle('one', A)).toBe('the state is down');
    expect(followed.obstacle('one', B)).toBeUndefined();
  });
});
