import { expect } from 'vitest';
import { MINUTE } from '../../core/config/units.ts';
import { CACHE_SERVERS } from './caches.ts';
import { isGroupAtRest } from './caches-laws.ts';
import { isWindowOpen } from './calendar.ts';
import { comeToRest } from './commands.ts';
import { CACHES, CART, EVERY_INSTANCE_OF_MODEL, nodeName } from './fleet.ts';
import { isEveryDeedTold, judge } from './invariants.ts';
import { aWorld, type LiveWorld } from './world.ts';

export const [first, second] = [nodeName('trio', 1), nodeName('trio', 0)];

/** Holes that are worth a defrag. */
export function fragment(world: LiveWorld): void {
  server(world, first).fragment(300 * 2 ** 20);
}

/** A world in which the window of an instance has just opened. */
export function aNight(instance: string): LiveWorld {
  const found = [CART, CACHES].filter(({ id }) => id === instance);
  const world = aWorld(Date.parse('2026-03-07T18:00:00Z'), () => 0, judge, found);
  const window = EVERY_INSTANCE_OF_MODEL.find(({ id }) => id === instance)?.window;
  while (window && !isWindowOpen(world.now, window)) world.pass(10 * MINUTE);
  return world;
}

/** Both nodes of the group are worth a defrag, and a person has set one of its parameters. */
export function aFragmentedGroup(): LiveWorld {
  const world = aNight('caches');
  world.cloud.type('active-defrag-cycle-max', '60', world.now);
  for (const name of CACHE_SERVERS) server(world, name).fragment(300 * 2 ** 20);
  world.pass(MINUTE);
  return world;
}

/** A world in which our defrag has just been switched on. */
export async function defragmenting(): Promise<LiveWorld> {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  expect(server(world, first).isOn()).toBe(true);
  return world;
}

export function server(world: LiveWorld, node: string) {
  const found = world.servers.get(node);
  if (!found) throw new Error(`no server ${node}`);
  return found;
}

export async function expectRest(world: LiveWorld): Promise<void> {
  await comeToRest(world);
  isEveryDeedTold(world);
  isGroupAtRest(world);
  expect(world.violations).toEqual([]);
  expect([...world.servers.values()].flatMap((one) => one.taken())).toEqual([]);
  expect([...world.documents.keys()].filter((key) => /^(lease#[^#]*$|group-lease#|outbox#)/.test(key))).toEqual([]);
}
