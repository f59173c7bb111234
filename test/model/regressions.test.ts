import { expect, test } from 'vitest';
import { MINUTE } from '../../functions/shared/config/units.ts';
import { isWindowOpen } from './calendar.ts';
import { comeToRest } from './commands.ts';
import { FLEET, nodeName } from './fleet.ts';
import { isEveryDeedTold, judge } from './invariants.ts';
import { aWorld, type LiveWorld } from './world.ts';

/** What the model has once found, told step by step. */
function aNight(instance: string): LiveWorld {
  const world = aWorld(Date.parse('2026-03-07T18:00:00Z'), () => 0, judge);
  const window = FLEET.find(({ id }) => id === instance)?.window;
  while (window && !isWindowOpen(world.now, window)) world.pass(10 * MINUTE);
  return world;
}

function server(world: LiveWorld, node: string) {
  const found = world.servers.get(node);
  if (!found) throw new Error(`no server ${node}`);
  return found;
}

async function expectRest(world: LiveWorld): Promise<void> {
  await comeToRest(world);
  isEveryDeedTold(world);
  expect(world.violations).toEqual([]);
  expect([...world.servers.values()].flatMap((one) => one.taken())).toEqual([]);
  expect([...world.documents.keys()].filter((key) => /^(lease|outbox)#/.test(key))).toEqual([]);
}

/** Kills ticks before one effect after the other, until one has done `kind` and has not lived to say so. */
async function killedAfter(instance: string, kind: string, prepare: (world: LiveWorld) => void): Promise<LiveWorld> {
  for (let effect = 1; effect < 80; effect++) {
    const world = aNight(instance);
    prepare(world);
    await world.run({ effect, when: 'after' });
    if (world.deeds.some((deed) => deed.kind === kind)) return world;
  }
  throw new Error(`no tick has done ${kind}`);
}

const [first, second] = [nodeName('trio', 1), nodeName('trio', 0)];
const fragment = (world: LiveWorld) => server(world, first).fragment(300 * 2 ** 20);

test('a human changes a setting while nobody knows that a job has died after CONFIG SET: the switch still goes back', async () => {
  const world = await killedAfter('trio', 'defrag-on', fragment);
  server(world, first).set('hz', '20', 'human');
  world.pass(2 * MINUTE);
  await expectRest(world);
  expect(server(world, first).settings.hz).toBe('20');
});

test('a lease is given back to its server wherever its server answers', async () => {
  const world = aNight('trio');
  fragment(world);
  world.answering.set(first, second).set(second, first);
  world.hasMoved = true;
  await world.run();
  expect(server(world, first).isOn()).toBe(true);
  await expectRest(world);
});

test('a purge whose job has died is told, though its server answers at another address by then', async () => {
  const world = await killedAfter('trio', 'purge', (night) => {
    server(night, first).retain(300 * 2 ** 20, night.now);
    night.answering.set(first, second).set(second, first);
    night.hasMoved = true;
  });
  await expectRest(world);
});

test('two jobs that die one after the other while a topic is down leave nothing untold', async () => {
  const world = await killedAfter('denied', 'purge', (night) =>
    server(night, nodeName('denied', 0)).retain(300 * 2 ** 20, night.now),
  );
  world.topic.isDown = true;
  for (let effect = 10; effect < 60; effect += 5) {
    world.pass(5 * MINUTE);
    await world.run({ effect, when: 'before' });
  }
  await expectRest(world);
});
