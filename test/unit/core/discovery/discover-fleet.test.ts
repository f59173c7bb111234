import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { discoverFleet } from '../../../../core/discovery/discover-fleet.ts';
import type { Discovered } from '../../../../core/domain/discovered.ts';
import { DiscoveryFailure } from '../../../../core/ports/discovery.ts';
import { mistakesOfFleet } from '../../../../core/reconcile/remarks.ts';
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

describe('what is known while a discovery fails', () => {
  const failing = (isMistake: boolean) => (): Discovered => {
    throw new DiscoveryFailure('no seed answers', { isMistake });
  };

  test.each([true, false])('a mistake is one until a person mends it: %s', async (isMistake) => {
    const fleet = await aFleet(failing(isMistake)).discover();
    expect(fleet.mistakes.has('carts')).toBe(isMistake);
    expect(mistakesOfFleet(fleet, () => true)).toHaveLength(isMistake ? 1 : 0);
    expect(mistakesOfFleet(fleet, () => false)).toEqual([]);
  });

  test('what is under way there is unknown; where it works, only that is said which is known', async () => {
    const state = aStore();
    await (await aFleet(() => found('c-1:6379'), state).discover()).keep({ isWhole: true });
    const { config: now } = await aFleet(failing(false), state).discover();
    expect(now.instances.map(({ id, found: origin }) => [id, origin?.unsettled])).toEqual([
      ['carts/0001', 'undiscovered'],
      ['sessions/0001', undefined],
    ]);
  });
});

test('a tick of some instances keeps the first inventory, for the names of the shards, and leaves later ones', async () => {
  const state = aStore();
  await (await aFleet(() => found('c-1:6379'), state).discover()).keep({ isWhole: false });
  const first = state.documents.get('inventory#carts');
  expect(first?.value).toMatchObject({ schema: 1, at: NOW });
  const second = await aFleet(() => found('c-2:6379'), state).discover();
  await second.keep({ isWhole: false });
  expect(state.documents.get('inventory#carts')).toBe(first);
  // They are still to be reported.
  expect((await aFleet(() => found('c-2:6379'), state).discover()).changes).not.toEqual([]);
  await second.keep({ isWhole: true });
  expect((await aFleet(() => found('c-2:6379'), state).discover()).changes).toEqual([]);
});

describe('an inventory that cannot be read', () => {
  test.each([
    ['a text', 'garbled', true],
    ['other fields', { schema: 1, at: 'x' }, true],
    ['shards that are none', { schema: 1, at: NOW, shards: 'bm8gZ3ppcA==' }, true],
    ['of a newer version', { schema: 99, at: NOW, shards: '' }, false],
  ])('%s', async (_, value, isReplaced) => {
    const state = aStore();
    state.documents.set('inventory#carts', { value: value as object, version: 1 });
    const fleet = aFleet(() => found('c-1:6379'), state);
    const { keep, changes } = await fleet.discover();
    await keep({ isWhole: true });
    expect(changes).toEqual([]);
    if (isReplaced) expect(state.documents.get('inventory#carts')?.value).toMatchObject({ schema: 1, at: NOW });
    else expect(state.documents.get('inventory#carts')?.value).toBe(value);
    const said = fleet.logs.filter(({ message }) => message === 'inventory replaced');
    expect(said).toHaveLength(isReplaced ? 1 : 0);
  });
});

describe('one discovery among several', () => {
  test('that fails by a mistake of this program uses its inventory, and keeps no other instance from being watched', async () => {
    const state = aStore();
    await (await aFleet(() => found('c-1:6379'), state).discover()).keep({ isWhole: true });
    const broken = aFleet(() => {
      throw new TypeError('shards is not iterable');
    }, state);
    const fleet = await broken.discover();
    expect(fleet.config.instances.map(({ id }) => id)).toEqual(['carts/0001', 'sessions/0001']);
    expect(fleet.failures.get('carts')).toMatch(/^TypeError: shards is not iterable\. The inventory of .* is used$/);
    expect(broken.logs).toContainEqual({ level: 'error', message: 'unexpected failure of a discovery' });
    expect([...fleet.mistakes]).toEqual(['carts']);
  });

  test('whose inventory no document can hold is used all the same, and the others keep theirs', async () => {
    const { store, documents } = aStore();
    const write: typeof store.write = async (key, value, expected) => {
      if (key.endsWith('carts')) throw new TypeError('its JSON has 500000 bytes');
      return await store.write(key, value, expected);
    };
    const large = aFleet(() => found('c-1:6379'), { ...aStore(), documents, store: { ...store, write } });
    await (await large.discover()).keep({ isWhole: true });
    expect([...documents.keys()]).toEqual(['inventory#sessions']);
    expect(large.logs).toContainEqual({ level: 'error', message: 'inventory not kept' });
  });
});
