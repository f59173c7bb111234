import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../core/config/units.ts';
import { inventoryKey } from '../../core/state/keys.ts';
import { CART_SERVERS, CART_SHARDS, GARBLED, giveRoles, move, resharded, type Shards } from './group.ts';
import { restart } from './invariants.ts';
import { aNight, expectRest, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// A Cluster whose shards are found: leases, bounds and the end of a night, whatever its discovery says meanwhile.

const isOn = (world: LiveWorld) => CART_SERVERS.filter((node) => server(world, node).isOn());

/** Each of its servers has more to defragment than a night can. */
function aClusterAtNight(): LiveWorld {
  const world = aNight('cart');
  for (const node of CART_SERVERS) server(world, node).fragment(100_000 * 2 ** 20);
  return world;
}

const without = (leased: string): Shards => resharded(CART_SHARDS, leased, CART_SHARDS.length + 1);

function reshard(world: LiveWorld, shards: Shards): void {
  world.group.shards = shards;
  giveRoles(shards, world.servers);
}

async function ticks(world: LiveWorld, count: number, see: () => void = () => {}): Promise<void> {
  for (let tick = 0; tick < count; tick++) {
    world.pass(5 * MINUTE);
    await world.run();
    see();
  }
}

test('one shard is the canary of all; when its run has ended, two are acted on at once, and never more', async () => {
  const world = aClusterAtNight();
  await world.run();
  const [canary = ''] = isOn(world);
  expect(isOn(world)).toHaveLength(1);
  let most = 0;
  let wasCanaryOff = false;
  await ticks(world, 24, () => {
    if (!server(world, canary).isOn()) wasCanaryOff = true;
    if (!wasCanaryOff) expect(isOn(world)).toEqual([canary]);
    most = Math.max(most, isOn(world).length);
  });
  expect(most).toBe(2);
  await expectRest(world);
});

test('a canary that goes down keeps the whole Cluster from defrag for the night, whatever versions it runs', async () => {
  const world = aClusterAtNight();
  expect(new Set(CART_SHARDS.flat().map((node) => server(world, node).traits.version)).size).toBe(2);
  await world.run();
  const [canary = ''] = isOn(world);
  restart(world, canary);
  await ticks(world, 24, () => expect(isOn(world)).toEqual([]));
  await expectRest(world);
});

test('the tick that finds a server down under its defrag starts none on another shard, whatever version that has', async () => {
  const world = aClusterAtNight();
  for (let tick = 0; tick < 20 && isOn(world).length < 2; tick++) await ticks(world, 1);
  const [fallen = '', other = ''] = isOn(world);
  const versionOf = (node: string) => server(world, node).traits.version;
  // Nothing of the stage stands against what waits: it is of the other version, and in a shard of its own.
  const waiting = CART_SERVERS.filter(
    (node) => ![fallen, other].includes(node) && !world.deeds.some((deed) => deed.node === node),
  );
  const next = waiting.find((node) => versionOf(node) !== versionOf(fallen)) ?? '';
  expect(next).not.toBe('');
  reshard(world, [[fallen], [other], [next]]);
  restart(world, fallen);
  await ticks(world, 1, () => expect(isOn(world)).toEqual([other].filter((node) => server(world, node).isOn())));
  expect(world.violations).toEqual([]);
  await expectRest(world);
});

test('a node that leaves its Cluster is given back by the next tick', async () => {
  const world = aClusterAtNight();
  await world.run();
  const [leased = ''] = isOn(world);
  reshard(world, without(leased));
  await ticks(world, 1);
  expect(server(world, leased).taken()).toEqual([]);
  await expectRest(world);
});

async function expectNoneUntilOver(world: LiveWorld, trouble: 'isUnsettled' | 'isFailing'): Promise<void> {
  await ticks(world, 3, () => expect(isOn(world)).toEqual([]));
  world.group[trouble] = false;
  await ticks(world, 1);
  expect(isOn(world)).toHaveLength(1);
  await expectRest(world);
}

test('while a failover is under way nothing is started, and afterwards it is', async () => {
  const world = aClusterAtNight();
  world.group.isUnsettled = true;
  await expectNoneUntilOver(world, 'isUnsettled');
});

test('while the discovery fails nothing is started, and afterwards it is', async () => {
  const world = aClusterAtNight();
  world.pass(-12 * HOUR);
  await world.run();
  world.pass(12 * HOUR);
  fail(world);
  await expectNoneUntilOver(world, 'isFailing');
});

test('an inventory that cannot be read is replaced by the next discovery', async () => {
  const world = aClusterAtNight();
  await world.run();
  const key = inventoryKey('cart');
  world.documents.set(key, { value: GARBLED, version: world.documents.get(key)?.version ?? 0 });
  await ticks(world, 1);
  expect(world.documents.get(key)?.value).toMatchObject({ schema: 1 });
  await expectRest(world);
});

interface Change {
  readonly what: string;
  readonly step: (world: LiveWorld, leased: string) => unknown;
}

function fail(world: LiveWorld): void {
  world.group.isFailing = true;
}

const CHANGES: readonly Change[] = [
  { what: 'names its node no more', step: (world, leased) => reshard(world, without(leased)) },
  {
    what: 'names none of its shard any more',
    step: (world, leased) =>
      reshard(
        world,
        CART_SHARDS.filter((its) => !its.includes(leased)),
      ),
  },
  { what: 'fails', step: fail },
  {
    what: 'fails, with its inventory lost,',
    step: (world) => {
      fail(world);
      world.documents.delete(inventoryKey('cart'));
    },
  },
  {
    what: 'fails, with an inventory that cannot be read,',
    step: (world) => {
      fail(world);
      const key = inventoryKey('cart');
      world.documents.set(key, { value: GARBLED, version: world.documents.get(key)?.version ?? 0 });
    },
  },
  { what: 'has moved all nodes into one shard', step: (world) => reshard(world, [CART_SHARDS.flat()]) },
  {
    what: 'names its node at another address',
    step: (world, leased) => {
      world.hasMoved = true;
      move(world, leased, true);
    },
  },
];

describe.each(CHANGES)('a discovery that $what while a defrag is on', ({ step }) => {
  test('does not end what is on there too late, and never starts a second node beside it', async () => {
    const world = aClusterAtNight();
    await world.run();
    const [leased = ''] = isOn(world);
    step(world, leased);
    await ticks(world, 4, () =>
      expect(isOn(world).filter((node) => node !== leased && server(world, leased).isOn())).toEqual([]),
    );
    world.pass(6 * HOUR);
    await world.run();
    expect(isOn(world)).toEqual([]);
    expect(world.violations).toEqual([]);
    await expectRest(world);
  });
});
