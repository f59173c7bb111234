import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { discoverFleet } from '../../../../core/discovery/discover-fleet.ts';
import type { Discovered } from '../../../../core/domain/discovered.ts';
import { aStore } from '../../../model/store.ts';
import { NOW } from '../../../support/builders.ts';
import { configOf } from '../../../support/job.ts';

const config = configOf(`
instances:
  - id: carts
    discover: { cluster: { seeds: [redis://carts.example:6379] } }
  - id: sessions
    discover: { cluster: { seeds: [redis://sessions.example:6379] } }
`);
const found = (...nodes: readonly string[]): Discovered => ({
  shards: nodes.map((node) => ({ group: '', nodes: [{ address: addressOf(node, false) }] })),
  leftOut: [],
});

/** What is found of `carts` comes of `carts`; `sessions` is always well. */
function aFleet(carts: () => Discovered, { store, documents } = aStore()) {
  const logs: { readonly level: string; readonly message: string }[] = [];
  const at = (level: string) => (message: string) => void logs.push({ level, message });
  const ports = {
    store,
    clock: { now: () => NOW },
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    discover: async ({ id }: { readonly id: string }) => (id === 'carts' ? carts() : found('s-1:6379')),
  };
  return { logs, documents, discover: () => discoverFleet(config, ports) };
}

describe('one discovery among several', () => {
  test('that fails by a mistake of this program uses its inventory, and keeps no other instance from being watched', async () => {
    const state = aStore();
    await (await aFleet(() => found('c-1:6379'), state).discover()).keep();
    const broken = aFleet(() => {
      throw new TypeError('shards is not iterable');
    }, state);
    const fleet = await broken.discover();
    expect(fleet.config.instances.map(({ id }) => id)).toEqual(['carts/0001', 'sessions/0001']);
    expect(fleet.failures.get('carts')).toMatch(/^TypeError: shards is not iterable\. The inventory of .* is used$/);
    expect(broken.logs).toContainEqual({ level: 'error', message: 'unexpected failure of a discovery' });
  });

  test('whose inventory no document can hold is used all the same, and the others keep theirs', async () => {
    const { store, documents } = aStore();
    const write: typeof store.write = async (key, value, expected) => {
      if (key.endsWith('carts')) throw new TypeError('its JSON has 500000 bytes');
      return await store.write(key, value, expected);
    };
    const large = aFleet(() => found('c-1:6379'), { ...aStore(), documents, store: { ...store, write } });
    await (await large.discover()).keep();
    expect([...documents.keys()]).toEqual(['inventory#sessions']);
    expect(large.logs).toContainEqual({ level: 'error', message: 'inventory not kept' });
  });
});
