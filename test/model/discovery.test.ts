import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../core/config/units.ts';
import { inventoryKey } from '../../core/state/keys.ts';
import { configOf } from '../support/job.ts';
import { fleetYaml, NAMED, nodeName } from './fleet.ts';
import { aNight, expectRest, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// A Cluster whose shards are found: leases, bounds and the end of a night, whatever its discovery says meanwhile.

const SHARDS = [0, 1, 2].map((index) => [nodeName('trio', index)]);
const NODES = SHARDS.flat();
const isOn = (world: LiveWorld) => NODES.filter((node) => server(world, node).isOn());

/** The three nodes of `trio` are three shards, each with more to defragment than a night can. */
function aClusterAtNight(): LiveWorld {
  const world = aNight('trio');
  world.config = configOf(
    fleetYaml().replace(
      /nodes: \[[^\]]*trio-0[^\]]*\]/,
      'discover: { cluster: { seeds: [redis://trio-0.redis.example:6379] } }\n    maxShardsAtOnce: 2',
    ),
  );
  expect(NAMED.find(({ id }) => id === 'trio')?.nodes).toEqual(NODES);
  world.shards = SHARDS;
  for (const node of NODES) server(world, node).fragment(100_000 * 2 ** 20);
  return world;
}

/** The model's S4 is about `trio` as one instance, whose nodes the config names. */
function broken({ violations }: LiveWorld): readonly string[] {
  return violations.filter((one) => !/^S4: .*(waits|, too)$/.test(one));
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
  world.violations.splice(0, world.violations.length, ...broken(world));
  await expectRest(world);
});

test('a canary that goes down keeps the whole Cluster from defrag for the night', async () => {
  const world = aClusterAtNight();
  await world.run();
  const [canary = ''] = isOn(world);
  server(world, canary).restart(world.now);
  await ticks(world, 24, () => expect(isOn(world)).toEqual([]));
});

interface Change {
  readonly what: string;
  readonly shards: (leased: string) => typeof SHARDS | undefined;
  readonly isInventoryLost?: true;
}

const CHANGES: readonly Change[] = [
  { what: 'names its node no more', shards: (leased) => SHARDS.filter((nodes) => !nodes.includes(leased)) },
  { what: 'fails', shards: () => undefined },
  { what: 'fails, with its inventory lost,', shards: () => undefined, isInventoryLost: true },
  { what: 'has moved all nodes into one shard', shards: () => [NODES] },
];

describe.each(CHANGES)('a discovery that $what while a defrag is on', ({ shards, isInventoryLost }) => {
  test('does not end what is on there too late, and never starts a second node beside it', async () => {
    const world = aClusterAtNight();
    await world.run();
    const [leased = ''] = isOn(world);
    world.shards = shards(leased);
    if (isInventoryLost) world.documents.delete(inventoryKey('trio'));
    await ticks(world, 4, () =>
      expect(isOn(world).filter((node) => node !== leased && server(world, leased).isOn())).toEqual([]),
    );
    world.pass(6 * HOUR);
    await world.run();
    expect(isOn(world)).toEqual([]);
    expect(broken(world)).toEqual([]);
  });
});
