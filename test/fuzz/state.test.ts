import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flush } from '../../core/alerts/outbox.ts';
import { readState } from '../../core/reconcile/snapshot.ts';
import { historyKey, leaseKey, OUTBOX } from '../../core/state/keys.ts';
import { aStore } from '../model/store.ts';
import { aLease } from '../support/builders.ts';
import { RUNS } from './runs.ts';

/** A lease as it is written, with some of it replaced or gone. */
const lease = fc
  .tuple(fc.array(fc.tuple(fc.constantFrom(...Object.keys(aLease())), fc.option(fc.jsonValue(), { nil: undefined }))))
  .map(([changes]) => {
    const broken: Record<string, unknown> = { ...aLease() };
    for (const [name, value] of changes) {
      if (value === undefined) delete broken[name];
      else broken[name] = value;
    }
    return broken;
  });

const document = fc.oneof(fc.jsonValue(), lease);
const silent = { info: () => {}, warn: () => {}, error: () => {} };

test('a document that cannot be read is named, and keeps no other from being read', async () => {
  await fc.assert(
    fc.asyncProperty(document, document, document, async (first, second, third) => {
      const { store } = aStore();
      const keys = [leaseKey('carts'), historyKey('carts.redis.example:6379'), `${OUTBOX}one`];
      for (const [index, value] of [first, second, third].entries())
        await store.write(keys[index] ?? '', value, undefined);
      await store.write(leaseKey('sessions'), aLease(), undefined);
      const state = await readState(store, ['carts.redis.example:6379']);
      expect(state.leases.get('sessions')?.lease).toEqual(aLease());
      for (const [key, why] of state.unreadable) expect(why).toContain(key);
      const isKnown = state.leases.has('carts') || state.unreadable.has(leaseKey('carts'));
      expect(isKnown).toBe(true);
      const clock = { now: () => 0, sleep: async () => {}, pause: async () => {} };
      const alerts = { send: async () => ({ sent: 1, rejected: [] }) };
      expect((await flush({ store, clock, alerts, log: silent }, 'a', [])).rejected).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test('a pause that cannot be read forbids what it may have forbidden', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (pause) => {
      const { store } = aStore();
      await store.write('pause#carts', pause, undefined);
      const { obstacle } = await readState(store, []);
      expect(obstacle('carts', 'n')).toContain('pause#carts');
    }),
    { numRuns: RUNS },
  );
});
