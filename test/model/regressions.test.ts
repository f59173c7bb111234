import { expect, test } from 'vitest';
import { HOUR, MINUTE } from '../../core/config/units.ts';
import { quarantineKey } from '../../core/state/keys.ts';
import { nodeName } from './fleet.ts';
import { aNight, expectRest, first, fragment, second, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// What the model has once found, told step by step.

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

test('a human changes a setting while nobody knows that a job has died after CONFIG SET: the switch still goes back', async () => {
  const world = await killedAfter('trio', 'defrag-on', fragment);
  server(world, first).set('hz', '20', 'human');
  world.pass(2 * MINUTE);
  await expectRest(world);
  expect(server(world, first).settings.hz).toBe('20');
});

test('a human switches defrag on after a job has died between giving back and dropping the lease: it stays on', async () => {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  world.pass(31 * MINUTE);
  for (let effect = 1; server(world, first).isOn(); effect++) {
    await world.run({ effect, when: 'after' });
    if (server(world, first).isOn()) world.pass(2 * MINUTE);
  }
  expect([...world.documents.keys()]).toContain('lease#trio');
  server(world, first).set('activedefrag', 'yes', 'human');
  world.pass(2 * MINUTE);
  await world.run();
  expect(server(world, first).settings.activedefrag).toBe('yes');
  expect([...world.documents.keys()]).not.toContain('lease#trio');
  server(world, first).set('activedefrag', 'no', 'human');
  await expectRest(world);
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

test('a server that nobody can reach for two days, behind exchanged addresses, gets its settings back all the same', async () => {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  expect(server(world, first).isOn()).toBe(true);
  world.answering.set(first, second).set(second, first);
  world.hasMoved = true;
  server(world, first).reachable = false;
  for (let hours = 0; hours < 48; hours += 6) {
    world.pass(6 * HOUR);
    await world.run();
  }
  expect([...world.documents.keys()].filter((key) => key.startsWith('lease#'))).toEqual([
    quarantineKey({ instance: 'trio', runId: server(world, first).runId() }),
  ]);
  await expectRest(world);
});

test('another server that has just started is taken for the one of a lease: that one still gets its settings back', async () => {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  world.answering.set(first, second).set(second, first);
  world.hasMoved = true;
  server(world, first).reachable = false;
  world.pass(10 * MINUTE);
  server(world, second).restart(world.now);
  await world.run();
  expect([...world.documents.keys()].filter((key) => key === 'lease#trio')).toEqual([]);
  server(world, first).reachable = true;
  server(world, first).set('hz', '20', 'human');
  await world.run();
  expect(server(world, first).taken()).toEqual([]);
  // What it was taken for at first is not what it has been: its defrag ended because its time was over.
  const ends = world.deliveries.map(({ alert }) => alert.event).filter((event) => event !== 'settings-changed');
  expect(ends).toEqual(['defrag-started', 'lease-lost', 'defrag-aborted']);
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

test('a lease of a newer version, whose server has restarted since: nothing is set on it', async () => {
  const world = aNight('trio');
  fragment(world);
  server(world, first).set('active-defrag-cycle-max', '60', 'human');
  await world.run();
  expect(server(world, first).taken()).toContain('active-defrag-cycle-max');
  server(world, first).restart(world.now);
  const stored = world.documents.get('lease#trio');
  if (!stored) throw new Error('no lease');
  const value = { ...(stored.value as object), phase: 'coasting', progress: { form: 2 } };
  world.documents.set('lease#trio', { ...stored, value });
  world.pass(5 * MINUTE);
  await world.run();
  // What its file says, which is what our defrag had set as well.
  expect(server(world, first).settings['active-defrag-cycle-max']).toBe('25');
  await expectRest(world);
});
