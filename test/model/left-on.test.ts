import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../core/config/units.ts';
import { aNight, defragmenting, first, fragment, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// S11: what was ours and is still on is recognised and ended, or told (red-team F2, F3, F14).

const DAY = 24 * HOUR;

/** The lease of that night ends, and weeks go by. */
async function weeksLater(world: LiveWorld): Promise<void> {
  world.pass(6 * HOUR);
  await world.run();
  expect(server(world, first).taken()).toEqual([]);
  world.pass(20 * DAY);
  await world.run();
}

async function restarted(world: LiveWorld): Promise<void> {
  server(world, first).restart(world.now);
  world.pass(5 * MINUTE);
  await world.run();
}

const told = (world: LiveWorld, event: string) =>
  world.deliveries.map(({ alert }) => alert).filter((alert) => alert.event === event && alert.node === first);
const isLike = (world: LiveWorld, before: Record<string, string>) =>
  expect(server(world, first).settings).toEqual(before);

describe('F2: a CONFIG REWRITE during a lease', () => {
  test('is noticed when the lease ends, and told with its remedy', async () => {
    const world = await defragmenting();
    server(world, first).rewrite();
    await weeksLater(world);
    expect(told(world, 'config-rewritten')).toMatchObject([{ next: expect.stringContaining('Type CONFIG REWRITE') }]);
  });

  test('is not seen where there was none, or only before the lease', async () => {
    const world = aNight('trio');
    server(world, first).rewrite();
    fragment(world);
    await world.run();
    await weeksLater(world);
    expect(told(world, 'defrag-started')).toHaveLength(1);
    expect(told(world, 'config-rewritten')).toEqual([]);
  });

  test('is given back by the record after a restart weeks later, once, outside of every window', async () => {
    const world = aNight('trio');
    const before = { ...server(world, first).settings };
    fragment(world);
    await world.run();
    server(world, first).rewrite();
    await weeksLater(world);
    world.pass(12 * HOUR);
    await restarted(world);
    isLike(world, before);
    expect(told(world, 'left-on')).toMatchObject([{ title: expect.stringContaining('restored') }]);
    world.pass(5 * MINUTE);
    await world.run();
    expect(told(world, 'left-on')).toHaveLength(1);
    // The file still has them: the next restart brings them back, and they go back again.
    world.pass(DAY);
    await restarted(world);
    isLike(world, before);
    expect(told(world, 'left-on')).toHaveLength(2);
  });

  test.each(['hz', 'latency-monitor-threshold', 'active-defrag-cycle-max'])(
    'F3: is given back though a human has changed %s meanwhile and rewritten the file',
    async (name) => {
      const world = await defragmenting();
      server(world, first).set(name, '77', 'human');
      server(world, first).rewrite();
      await weeksLater(world);
      await restarted(world);
      expect(server(world, first).taken()).toEqual([]);
      expect(server(world, first).settings).toMatchObject({ activedefrag: 'no', [name]: '77' });
    },
  );

  test('F3: and a restart during the lease: what is ours goes back, what is theirs stays', async () => {
    const world = await defragmenting();
    server(world, first).set('latency-monitor-threshold', '100', 'human');
    server(world, first).rewrite();
    await restarted(world);
    expect(server(world, first).taken()).toEqual([]);
    expect(server(world, first).settings).toMatchObject({ activedefrag: 'no', 'latency-monitor-threshold': '100' });
    expect(told(world, 'config-rewritten')).toHaveLength(1);
    expect(told(world, 'lease-lost')).toMatchObject([
      { next: expect.stringMatching(/^None of Offpeak's settings is left on/) },
    ]);
  });

  test('is none where the file has always held a value that the lease had set: nothing is changed after the restart', async () => {
    const world = aNight('trio');
    server(world, first).set('active-defrag-cycle-max', '60', 'human');
    fragment(world);
    await world.run();
    await restarted(world);
    expect(server(world, first).taken()).toEqual([]);
    expect(server(world, first).settings['active-defrag-cycle-max']).toBe('25');
    expect(world.violations).toEqual([]);
  });

  test('is given back at each restart, also after one in mid-lease, which quarantines the lease', async () => {
    const world = await defragmenting();
    server(world, first).rewrite();
    await restarted(world);
    expect(server(world, first).taken()).toEqual([]);
    world.pass(20 * DAY);
    await restarted(world);
    expect(server(world, first).taken()).toEqual([]);
    expect(told(world, 'left-on')).toHaveLength(1);
  });

  test('is told once a day, with what stood there before, where the server does not take it back', async () => {
    const world = await defragmenting();
    server(world, first).rewrite();
    await weeksLater(world);
    server(world, first).deniesConfig = true;
    await restarted(world);
    for (let ticks = 0; ticks < 8; ticks++) {
      world.pass(6 * HOUR);
      await world.run();
    }
    const alerts = told(world, 'left-on');
    expect(alerts.length).toBeGreaterThanOrEqual(2);
    expect(alerts.length).toBeLessThanOrEqual(4);
    expect(alerts[0]?.next).toContain('CONFIG SET active-defrag-cycle-min 1');
    server(world, first).deniesConfig = false;
    world.pass(HOUR);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
  });

  test.each([
    ['after it was given back by the record', true],
    ['after the lease had ended', false],
  ])('leaves alone what a human types on the same process %s, and asks whose it is', async (_, isRestarted) => {
    const world = await defragmenting();
    const ours = { ...server(world, first).settings };
    if (isRestarted) server(world, first).rewrite();
    await weeksLater(world);
    if (isRestarted) await restarted(world);
    for (const [name, value] of Object.entries(ours)) server(world, first).set(name, value, 'human');
    for (let ticks = 0; ticks < 3; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    isLike(world, ours);
    expect(told(world, 'left-on').at(-1)?.next).toContain('If no person has set them');
  });

  test('leaves alone a switch of which the lease had changed nothing else', async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    const ours = { ...server(world, first).settings };
    await weeksLater(world);
    // All but the switch stands as we would set it: a human's own tuning.
    for (const [name, value] of Object.entries({ ...ours, activedefrag: 'no' }))
      server(world, first).set(name, value, 'human');
    server(world, first).rewrite();
    server(world, first).restart(world.now);
    fragment(world);
    world.pass(DAY);
    for (let steps = 0; steps < 3; steps++) {
      await world.run();
      world.pass(HOUR);
    }
    server(world, first).set('activedefrag', 'yes', 'human');
    await world.run();
    expect(server(world, first).isOn()).toBe(true);
  });

  test('is given back by one of two jobs at once, and by the next one after a job that died at any of its effects', async () => {
    for (let effect = 1, isKilled = true; isKilled; effect++) {
      const world = await defragmenting();
      server(world, first).rewrite();
      await weeksLater(world);
      server(world, first).restart(world.now);
      world.pass(5 * MINUTE);
      const [isAlive] = await Promise.all([world.run({ effect, when: 'after' }), world.run()]);
      isKilled = !isAlive;
      world.pass(MINUTE);
      await world.run();
      expect(server(world, first).taken()).toEqual([]);
      expect(world.violations).toEqual([]);
    }
  });
});

describe('F14: a state that was lost or restored', () => {
  test('lost in mid-lease: the values tell, a person is told what to type, once a day until it is gone', async () => {
    const world = await defragmenting();
    world.documents.clear();
    for (let ticks = 0; ticks < 6; ticks++) {
      world.pass(6 * HOUR);
      await world.run();
    }
    expect(server(world, first).isOn()).toBe(true);
    const alerts = told(world, 'left-on');
    expect(alerts.length).toBeGreaterThanOrEqual(2);
    expect(alerts.length).toBeLessThanOrEqual(3);
    expect(alerts[0]?.next).toContain('CONFIG SET activedefrag no\nCONFIG SET hz 10');
    expect(told(world, 'foreign-defrag')).toEqual([]);
    const many = alerts.length;
    for (const [name, { value }] of Object.entries({ ...server(world, first).owed }))
      server(world, first).set(name, value, 'human');
    world.pass(DAY);
    await world.run();
    expect(told(world, 'left-on')).toHaveLength(many);
  });

  test.each([
    ['hz', '500'],
    ['active-defrag-ignore-bytes', '1048576'],
    ['latency-monitor-threshold', '1'],
  ])(
    'restored with a lease that is long over: a human who has set %s to %s since keeps it, and is told',
    async (name, value) => {
      const world = await defragmenting();
      const backup = structuredClone([...world.documents]);
      await weeksLater(world);
      server(world, first).set(name, value, 'human');
      world.documents.clear();
      for (const [key, document] of backup) world.documents.set(key, document);
      world.pass(MINUTE);
      await world.run();
      expect(server(world, first).settings[name]).toBe(value);
      expect(told(world, 'left-on')).toHaveLength(1);
      expect([...world.documents.keys()].filter((key) => key.startsWith('lease#'))).toEqual([]);
    },
  );

  test('restored with a lease that is long over, where a human has switched defrag on since: it stays on', async () => {
    const world = await defragmenting();
    const backup = structuredClone([...world.documents]);
    await weeksLater(world);
    server(world, first).set('activedefrag', 'yes', 'human');
    server(world, first).set('active-defrag-cycle-max', '60', 'human');
    for (const [key, document] of backup) world.documents.set(key, document);
    world.pass(MINUTE);
    await world.run();
    expect(server(world, first).settings).toMatchObject({ activedefrag: 'yes', 'active-defrag-cycle-max': '60' });
  });

  test('restored with a lease that is long over, on a server on which all of ours stands: it is given back', async () => {
    const world = await defragmenting();
    const backup = structuredClone([...world.documents]);
    world.documents.clear();
    world.pass(20 * DAY);
    await world.run();
    for (const [key, document] of backup) world.documents.set(key, document);
    world.pass(MINUTE);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
  });
});

describe('a rollback', () => {
  const lease = (world: LiveWorld) => world.documents.get('lease#trio')?.value as Record<string, unknown>;

  test('ends the lease of a newer version by what it understands of it', async () => {
    const world = await defragmenting();
    const { progress: _, before: __, ...known } = lease(world);
    const stored = world.documents.get('lease#trio');
    world.documents.set('lease#trio', {
      value: { ...known, phase: 'coasting', progress: { form: 2 }, before: [], wishes: ['x'] },
      version: stored?.version ?? 0,
    });
    world.pass(2 * MINUTE);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    expect([...world.documents.keys()].filter((key) => key.startsWith('lease#'))).toEqual([]);
    expect(told(world, 'defrag-aborted')).toMatchObject([{ why: expect.stringContaining('newer version') }]);
  });

  test('keeps what it does not know of a lease when it writes it again', async () => {
    const world = await defragmenting();
    Object.assign(lease(world), { wishes: ['x'] });
    const { at } = lease(world).progress as { readonly at: number };
    world.pass(2 * SECOND);
    await world.run();
    expect(lease(world)).toMatchObject({ wishes: ['x'] });
    expect((lease(world).progress as { readonly at: number }).at).toBeGreaterThan(at);
  });
});
