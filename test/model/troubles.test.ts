import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../functions/shared/config/units.ts';
import { nodeName } from './fleet.ts';
import { aNight, expectRest, first, fragment, second, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// Troubles of the world that last, told step by step.

const third = nodeName('trio', 2);
const events = (world: LiveWorld, from = 0) =>
  world.deliveries.slice(from).map(({ alert }) => `${alert.event} ${alert.node}`);
const leases = (world: LiveWorld) => [...world.documents.keys()].filter((key) => key.startsWith('lease#'));
const retain = (world: LiveWorld, ...nodes: string[]) => {
  for (const node of nodes) server(world, node).retain(300 * 2 ** 20, world.now);
};

describe('a state store', () => {
  async function defragmenting(): Promise<LiveWorld> {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    expect(server(world, first).isOn()).toBe(true);
    return world;
  }

  test('that takes no writes keeps no defrag on beyond its window', async () => {
    const world = await defragmenting();
    world.trouble.readOnly = true;
    world.pass(6 * HOUR);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    expect(leases(world)).toEqual(['lease#trio']);
    expect(world.deliveries.at(-1)?.alert).toMatchObject({
      event: 'state-unavailable',
      why: expect.stringMatching(/takes no writes; no setting of ours is left on, but the lease stays/),
    });
    await expectRest(world);
  });

  test('that cannot be read keeps no defrag on beyond its window, where the job knows of its lease', async () => {
    const world = await defragmenting();
    world.trouble.down = true;
    world.pass(6 * HOUR);
    // Another container than the one that started it.
    await world.run();
    expect(server(world, first).isOn()).toBe(true);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    await expectRest(world);
  });

  test('that cannot be read gives no right to switch off what a human has switched on since', async () => {
    const world = await defragmenting();
    world.trouble.down = true;
    for (const [name, value] of Object.entries({ ...server(world, first).owed }))
      server(world, first).set(name, value.value, 'human');
    server(world, first).set('activedefrag', 'yes', 'human');
    world.pass(6 * HOUR);
    await world.run();
    await world.run();
    expect(server(world, first).settings.activedefrag).toBe('yes');
  });

  test('that takes no writes has no alert sent again and again', async () => {
    const world = await defragmenting();
    world.topic.isDown = true;
    world.pass(31 * MINUTE);
    await world.run();
    Object.assign(world.topic, { isDown: false });
    world.trouble.readOnly = true;
    for (let ticks = 0; ticks < 5; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    const ends = () => events(world).filter((event) => event === `defrag-aborted ${first}`);
    expect(ends()).toEqual([]);
    world.trouble.readOnly = false;
    world.pass(5 * MINUTE);
    await world.run();
    expect(ends()).toHaveLength(1);
  });
});

describe('a node that is leased and does not answer', () => {
  test('keeps its instance for a day; then its lease is set aside, that is told, and the others are tended', async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    server(world, first).reachable = false;
    server(world, third).fragment(300 * 2 ** 20);
    world.pass(23 * HOUR);
    await world.run();
    expect(leases(world)).toEqual(['lease#trio']);
    world.pass(24 * HOUR);
    const told = world.deliveries.length;
    await world.run();
    expect(events(world, told)).toContain(`action-failed ${first}`);
    expect(world.deliveries.slice(told).find(({ alert }) => alert.node === first)?.alert.why).toMatch(
      /has not answered for a day .*CONFIG SET activedefrag no/,
    );
    expect(leases(world)).not.toContain('lease#trio');
    await world.run();
    expect(server(world, third).isOn()).toBe(true);
    await expectRest(world);
  });
});

describe('a purge that is not answered', () => {
  test('is the only one of its instance until its server answers again', async () => {
    const world = aNight('trio');
    const [slow, other] = [second, first];
    Object.assign(server(world, slow), {
      role: 'replica',
      hangsInPurge: true,
      traits: { ...server(world, slow).traits, backgroundThread: false },
    });
    retain(world, slow, other);
    await world.run();
    const purged = () => world.deeds.filter(({ kind }) => kind === 'purge').map(({ node }) => node);
    expect(purged()).toEqual([slow]);
    Object.assign(server(world, slow), { reachable: false, hangsInPurge: false });
    world.pass(5 * MINUTE);
    await world.run();
    expect(purged()).toEqual([slow]);
    server(world, slow).reachable = true;
    world.pass(5 * MINUTE);
    await world.run();
    world.pass(5 * MINUTE);
    await world.run();
    expect(purged()).toEqual([slow, other]);
    expect(events(world)).toEqual([`action-failed ${slow}`, `purged ${other}`]);
    await expectRest(world);
  });
});

describe('a server that hangs up on silent clients', () => {
  test('is looked at anew when its turn comes', async () => {
    const world = aNight('trio');
    // Twelve seconds between the looks at the first, while the second waits.
    retain(world, first, third);
    for (const node of [first, third]) server(world, node).idleTimeout = 5 * SECOND;
    server(world, first).opsPerSecond = 4000;
    const published = world.published.length;
    await world.run();
    expect(world.published.slice(published).filter(({ name, value }) => name === 'Reachable' && value === 0)).toEqual(
      [],
    );
  });
});

describe('a defrag whose goal is met', () => {
  test('is not judged before what it has freed had its time to leave, though a guard forbids the purge', async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    server(world, first).lazyfreePending = 3;
    Object.assign(server(world, first), { traits: { ...server(world, first).traits, backgroundThread: true } });
    world.pass(20 * SECOND);
    await world.run();
    expect(events(world)).toEqual([`defrag-started ${first}`, `defrag-finished ${first}`]);
    expect(world.deeds.some(({ kind }) => kind === 'purge')).toBe(false);
    await expectRest(world);
  });
});

describe('a schedule of hours', () => {
  test('leaves no defrag to itself when the invocation ends', async () => {
    const world = aNight('trio');
    world.config = { ...world.config, schedule: { ...world.config.schedule, every: HOUR } };
    server(world, first).fragment(60 * 1024 * 2 ** 20);
    await world.run(undefined, { follows: true });
    expect(server(world, first).taken()).toEqual([]);
    expect(events(world)).toEqual([`defrag-started ${first}`, `defrag-aborted ${first}`]);
    await expectRest(world);
  });

  test('of minutes leaves it to the next one', async () => {
    const world = aNight('trio');
    server(world, first).fragment(60 * 1024 * 2 ** 20);
    await world.run(undefined, { follows: true });
    expect(server(world, first).isOn()).toBe(true);
    expect(events(world)).toEqual([`defrag-started ${first}`]);
  });
});
