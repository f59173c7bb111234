import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../core/config/units.ts';
import { isWindowOpen } from './calendar.ts';
import { FLEET, nodeName } from './fleet.ts';
import { restart } from './invariants.ts';
import { aNight, defragmenting, expectRest, first, fragment, second, server } from './night.ts';
import { HEAVY, MANY, QUIET } from './server.ts';
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
  test('that takes no writes keeps no defrag on beyond its window', async () => {
    const world = await defragmenting();
    world.trouble.readOnly = true;
    world.pass(6 * HOUR);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    expect(leases(world)).toEqual(['lease#trio']);
    expect(world.deliveries.at(-1)?.alert).toMatchObject({
      event: 'state-unavailable',
      why: expect.stringMatching(/takes no writes; no setting of the lease is left on, but the lease stays/),
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

describe('a state store that fails once', () => {
  const NIGHTS = [
    [
      'a defrag is stopped',
      async () => {
        const world = aNight('trio');
        fragment(world);
        await world.run();
        world.pass(31 * MINUTE);
        return world;
      },
    ],
    [
      'pages are purged',
      async () => {
        const world = aNight('trio');
        retain(world, first);
        return world;
      },
    ],
  ] as const;

  const often = NIGHTS.flatMap(([what, until]) => [1, 2].map((times) => [times, what, until] as const));

  test.each(often)(
    '%d times for the outbox, as %s, by a job that is then killed after any of its effects: it is told',
    async (times, _, until) => {
      for (let effect = 1, isKilled = true; isKilled; effect++) {
        const world = await until();
        Object.assign(world.trouble, { failsOn: `outbox#test/trio/${first}`, times });
        isKilled = !(await world.run({ effect, when: 'after' }));
        world.trouble.failsOn = undefined;
        world.pass(3 * MINUTE);
        await expectRest(world);
      }
    },
  );

  test.each(NIGHTS)('to answer for the outbox, as %s: nothing is told twice', async (_, until) => {
    const world = await until();
    world.trouble.answerLostOn = `outbox#test/trio/${first}`;
    await world.run();
    world.pass(3 * MINUTE);
    await expectRest(world);
  });
});

describe('a CONFIG SET that arrives when nobody waits for it any more', () => {
  test.each([
    ['at once', 0],
    ['when its lease has been given up', 10 * MINUTE],
  ])('%s: is given back', async (_, delay) => {
    const world = aNight('trio');
    fragment(world);
    server(world, first).delaysNext = true;
    await world.run();
    // Its job counts as busy for a quarter of a minute.
    world.pass(MINUTE);
    await world.run();
    expect(leases(world)).not.toContain('lease#trio');
    server(world, first).holes = 0;
    world.pass(delay);
    for (const arrive of server(world, first).underWay) arrive();
    // Judged as a start of its own, without its lease: that it comes late is nobody's decision.
    world.violations.length = 0;
    expect(server(world, first).isOn()).toBe(true);
    world.pass(MINUTE);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    await expectRest(world);
  });

  test('that never arrives leaves nothing in the store, and no right to what a human sets later', async () => {
    const world = aNight('trio');
    fragment(world);
    server(world, first).delaysNext = true;
    await world.run();
    server(world, first).holes = 0;
    for (let ticks = 0; ticks < 8; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    expect(leases(world)).toEqual([]);
    server(world, first).set('hz', '100', 'human');
    server(world, first).set('activedefrag', 'yes', 'human');
    await expectRest(world).catch(() => undefined);
    expect(server(world, first).settings).toMatchObject({ activedefrag: 'yes', hz: '100' });
  });
});

describe('a human at the keyboard', () => {
  async function defragmenting(node: string, instance: string): Promise<LiveWorld> {
    const world = aNight(instance);
    server(world, node).fragment(300 * 2 ** 20);
    return world;
  }

  test.each([
    ['all at once', first, 'trio'],
    ['one at a time', nodeName('old', 0), 'old'],
  ])(
    'who changes a setting after a job has died at its start leaves nothing of ours on (%s)',
    async (_, node, instance) => {
      for (let effect = 1; effect < 80; effect++) {
        const world = await defragmenting(node, instance);
        if (await world.run({ effect, when: 'after' })) break;
        server(world, node).set('hz', '20', 'human');
        world.pass(2 * MINUTE);
        await expectRest(world);
        expect(server(world, node).settings.hz).toBe('20');
      }
    },
  );

  test('who sets something right before we give back finds it as it was set', async () => {
    for (let effect = 1, isReached = true; isReached; effect++) {
      const world = await defragmenting(first, 'trio');
      await world.run();
      world.pass(31 * MINUTE);
      isReached = false;
      const step = () => {
        isReached = true;
        server(world, first).set('hz', '20', 'human');
      };
      // Whether it was overwritten for an instant, only its end can tell.
      await world.run(undefined, {}, { effect, step });
      if (isReached) expect(server(world, first).settings.hz, `before effect ${effect}`).toBe('20');
    }
  });

  test('who switches defrag on right before we do keeps it', async () => {
    for (let effect = 1, isReached = true; isReached; effect++) {
      const world = await defragmenting(first, 'trio');
      isReached = false;
      const step = () => {
        isReached = true;
        if (!server(world, first).isOn()) server(world, first).set('activedefrag', 'yes', 'human');
        else isReached = false;
      };
      await world.run(undefined, {}, { effect, step });
      if (!isReached) break;
      // Nor is anything else changed under it.
      expect(server(world, first).taken(), `before effect ${effect}`).toEqual([]);
      world.pass(6 * HOUR);
      await world.run();
      expect(server(world, first).settings.activedefrag, `before effect ${effect}`).toBe('yes');
    }
  });

  test('who switches defrag on after it was given back without the store keeps it', async () => {
    const world = await defragmenting(first, 'trio');
    await world.run();
    world.trouble.readOnly = true;
    world.pass(6 * HOUR);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    server(world, first).set('activedefrag', 'yes', 'human');
    world.trouble.readOnly = false;
    world.pass(5 * MINUTE);
    await world.run();
    expect(server(world, first).settings.activedefrag).toBe('yes');
    expect(world.violations).toEqual([]);
  });
});

describe('a canary', () => {
  test.each([false, true])(
    'that restarts under our defrag keeps its peers from one for the night (memory fails: %s)',
    async (fails) => {
      const world = aNight('trio');
      for (const node of [first, second, third]) server(world, node).fragment(300 * 2 ** 20);
      await world.run();
      expect(server(world, first).isOn()).toBe(true);
      server(world, first).restart(world.now);
      world.pass(MINUTE);
      if (fails) world.trouble.failsOn = 'history#trio-';
      await world.run();
      for (let ticks = 0; ticks < 10; ticks++) {
        world.pass(5 * MINUTE);
        await world.run();
      }
      expect(world.deeds.filter(({ kind }) => kind === 'defrag-on').map(({ node }) => node)).toEqual([first]);
      world.pass(24 * HOUR);
      await world.run();
      expect(world.deeds.filter(({ kind }) => kind === 'defrag-on').map(({ node }) => node)).not.toEqual([first]);
      await expectRest(world);
    },
  );
});

test('a canary of another version, as while an instance is upgraded, keeps its peers from one all the same', async () => {
  const world = aNight('trio');
  const canary = server(world, first);
  Object.assign(canary, { traits: { ...canary.traits, version: '7.0.14' } });
  for (const node of [first, second, third]) server(world, node).fragment(300 * 2 ** 20);
  await world.run();
  expect(canary.isOn()).toBe(true);
  canary.restart(world.now);
  for (let ticks = 0; ticks < 10; ticks++) {
    world.pass(5 * MINUTE);
    await world.run();
  }
  expect(world.deeds.filter(({ kind }) => kind === 'defrag-on').map(({ node }) => node)).toEqual([first]);
  await expectRest(world);
});

describe('replicas first', () => {
  test('also where the lease on them could not be taken', async () => {
    const world = aNight('trio');
    for (const node of [first, second, third]) server(world, node).fragment(300 * 2 ** 20);
    Object.assign(world.trouble, { failsOn: 'lease#trio', times: 2 });
    await world.run();
    await world.run();
    expect(world.deeds.filter(({ kind, node }) => kind === 'defrag-on' && node === second)).toEqual([]);
    await expectRest(world);
  });
});

describe('a job that is suspended for minutes', () => {
  /** The effect by which a tick purges. */
  async function purging(): Promise<number> {
    for (let effect = 1; ; effect++) {
      const world = aNight('trio');
      retain(world, first);
      await world.run({ effect, when: 'after' });
      if (world.deeds.length > 0) return effect;
    }
  }

  test('before any effect but the purge itself does not purge what another one has taken over', async () => {
    // Between its last look at the clock and what it then sends nothing can help a job that is stopped.
    const itself = await purging();
    for (let effect = 1, isReached = true; isReached; effect++) {
      if (effect === itself) continue;
      const world = aNight('trio');
      retain(world, first);
      isReached = false;
      const step = async () => {
        isReached = true;
        // For the laws it was dead for that time: what it was about to send is sent by the other one.
        world.deaths++;
        world.pass(2 * MINUTE);
        await world.run();
      };
      await world.run(undefined, {}, { effect, step });
      world.pass(3 * MINUTE);
      expect(world.violations, `before effect ${effect}`).toEqual([]);
      await expectRest(world);
    }
    expect(itself).toBeGreaterThan(5);
  });
});

describe('a node that is leased and does not answer', () => {
  test('keeps its instance for a day; then its lease is quarantined, that is told, and the others are tended', async () => {
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
      /has not answered for a day [\s\S]*, type:\nCONFIG SET activedefrag no\n/,
    );
    expect(leases(world)).not.toContain('lease#trio');
    await world.run();
    expect(server(world, third).isOn()).toBe(true);
    await expectRest(world);
  });
});

test('a purge is the only action of its instance in a tick: what it was good for shows first', async () => {
  const world = aNight('trio');
  const others = [first, third].map((node) => server(world, node));
  for (const other of others) Object.assign(other, { traits: { ...other.traits, backgroundThread: false } });
  retain(world, first, third);
  const purged = () => world.deeds.filter(({ kind }) => kind === 'purge').map(({ node }) => node);
  await world.run();
  expect(purged()).toEqual([first]);
  world.pass(5 * MINUTE);
  await world.run();
  expect(purged()).toEqual([first, third]);
  await expectRest(world);
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
    Object.assign(server(world, first), HEAVY);
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

describe('traffic', () => {
  test('of many commands that cost little neither keeps a defrag from starting nor ends one', async () => {
    const world = aNight('trio');
    for (const node of [first, second, third]) Object.assign(server(world, node), MANY);
    server(world, first).fragment(60 * 1024 * 2 ** 20);
    await world.run();
    for (let ticks = 0; ticks < 3; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    expect(server(world, first).isOn()).toBe(true);
    expect(events(world)).toEqual([`defrag-started ${first}`]);
  });

  test('that fills the main thread lets nothing start', async () => {
    const world = aNight('trio');
    for (const node of [first, second, third]) Object.assign(server(world, node), HEAVY);
    fragment(world);
    await world.run();
    expect(world.deeds).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  test('of many commands lets nothing start where the CPU is not reported', async () => {
    const world = aNight('debian');
    const node = nodeName('debian', 0);
    Object.assign(server(world, node), MANY, { traits: { ...server(world, node).traits, backgroundThread: false } });
    retain(world, node);
    await world.run();
    expect(world.deeds).toEqual([]);
    Object.assign(server(world, node), QUIET);
    await world.run();
    expect(world.deeds.map(({ kind }) => kind)).toEqual(['purge']);
    expect(world.violations).toEqual([]);
  });

  test('that has just begun when a defrag ends leaves its pages to the decay', async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    world.pass(5 * MINUTE);
    // By the average since the last look it is idle.
    Object.assign(server(world, first), HEAVY, { traits: { ...server(world, first).traits, backgroundThread: true } });
    await world.run();
    expect(events(world)).toEqual([`defrag-started ${first}`, `defrag-finished ${first}`]);
    expect(world.deeds.some(({ kind }) => kind === 'purge')).toBe(false);
    await expectRest(world);
  });
});

describe('a defrag that nothing brings to its goal', () => {
  async function endless(): Promise<LiveWorld> {
    const world = aNight('trio');
    server(world, first).fragment(200 * 1024 * 2 ** 20);
    await world.run();
    for (let ticks = 0; ticks < 5; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    expect(server(world, first).isOn()).toBe(true);
    return world;
  }

  test('ends when its time is over', async () => {
    const world = await endless();
    world.pass(6 * MINUTE);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
    expect(world.deliveries.at(-1)?.alert.id).toContain('defrag-aborted');
    await expectRest(world);
  });

  test.each([
    ['a fork', { forking: true }],
    ['traffic', HEAVY],
  ])('ends at %s', async (_, guard) => {
    const world = await endless();
    Object.assign(server(world, first), guard);
    world.pass(3 * MINUTE);
    await world.run();
    expect(server(world, first).taken()).toEqual([]);
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

describe('cycles that are longer than promised', () => {
  const setting = (world: LiveWorld) => server(world, first).settings['active-defrag-cycle-max'];

  async function overrunning(took: number): Promise<LiveWorld> {
    const world = aNight('trio');
    server(world, first).fragment(60 * 1024 * 2 ** 20);
    await world.run();
    server(world, first).cycleTook = took;
    return world;
  }

  test('make a run gentler, step by step, and it recovers when it is calm', async () => {
    const world = await overrunning(40);
    const seen = [setting(world)];
    for (let look = 0; look < 3; look++) {
      world.pass(4 * SECOND);
      await world.run();
      seen.push(setting(world));
    }
    expect(seen).toEqual(['25', '12', '6', '3']);
    server(world, first).cycleTook = 0;
    world.pass(4 * MINUTE);
    await world.run();
    expect(setting(world)).toBe('6');
    expect(events(world)).toEqual([`defrag-started ${first}`]);
    await expectRest(world);
  });

  test('end it only when the gentlest settings have overrun for a minute', async () => {
    const world = await overrunning(40);
    const isOn: boolean[] = [];
    for (let look = 0; look < 20; look++) {
      world.pass(4 * SECOND);
      await world.run();
      isOn.push(server(world, first).isOn());
    }
    expect(isOn.indexOf(false)).toBe(18);
    expect(events(world).at(-1)).toBe(`defrag-aborted ${first}`);
    await expectRest(world);
  });

  test.each(['before', 'after'] as const)(
    'and a job that is killed %s any effect of a step leaves nothing on',
    async (when) => {
      for (let effect = 1; effect < 14; effect++) {
        const world = await overrunning(40);
        world.pass(4 * SECOND);
        await world.run({ effect, when });
        world.pass(MINUTE);
        await world.run();
        await expectRest(world);
      }
    },
  );

  test('what a human switches off between the look and the step stays off', async () => {
    for (let effect = 1; effect < 9; effect++) {
      const world = await overrunning(40);
      world.pass(4 * SECOND);
      const step = () => server(world, first).set('activedefrag', 'no', 'human');
      const before = setting(world);
      await world.run(undefined, {}, { effect, step });
      if (before === '25' && server(world, first).owners.activedefrag === 'human') {
        expect(server(world, first).isOn()).toBe(false);
      }
      await expectRest(world);
    }
  });

  test('a setting that a human has chosen meanwhile stays theirs', async () => {
    const world = await overrunning(40);
    server(world, first).set('active-defrag-cycle-max', '60', 'human');
    world.pass(4 * SECOND);
    await world.run();
    expect(setting(world)).toBe('60');
    expect(server(world, first).settings['active-defrag-cycle-min']).toBe('12');
    await expectRest(world);
  });
});

describe('F8: the brakes of the stage', () => {
  const [solo, beside, old] = [nodeName('solo', 0), nodeName('beside', 0), nodeName('old', 0)];
  const start = (world: LiveWorld, ...nodes: string[]) => {
    for (const node of nodes) server(world, node).fragment(300 * 2 ** 20);
  };
  const on = (world: LiveWorld) => [...world.servers].filter(([, one]) => one.isOn()).map(([name]) => name);
  /** A time at which the windows of solo, beside, old and trio are all open. */
  function everybody(): LiveWorld {
    const world = aNight('solo');
    const { trio, old: second } = Object.fromEntries(FLEET.map(({ id, window }) => [id, window]));
    while (trio && second && !(isWindowOpen(world.now, trio) && isWindowOpen(world.now, second))) world.pass(MINUTE);
    expect(FLEET.filter(({ window }) => isWindowOpen(world.now, window)).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['solo', 'trio', 'old', 'beside']),
    );
    return world;
  }
  const why = (world: LiveWorld, node: string) =>
    world.logs
      .map((line) => (line as { fields?: { node?: string; why?: string } }).fields)
      .findLast((fields) => fields?.node === node)?.why;

  test('two nodes of the stage at once, whatever else would be worth it; one of a host', async () => {
    const world = everybody();
    start(world, solo, beside, old, first);
    await world.run();
    expect(on(world)).toHaveLength(2);
    expect(on(world).filter((node) => [solo, beside].includes(node))).toHaveLength(1);
    expect(world.violations).toEqual([]);
    await expectRest(world);
  });

  test('two jobs at once are no more than one', async () => {
    const world = everybody();
    start(world, solo, beside, old, first);
    await Promise.all([world.run(), world.run()]);
    // A job that loses the lease to the other one has claimed its place all the same, for a moment.
    expect(on(world).length).toBeOneOf([1, 2]);
    expect(world.violations).toEqual([]);
    await expectRest(world);
  });

  test('who waits says for whom', async () => {
    const world = everybody();
    for (const node of [old, first]) server(world, node).fragment(3000 * 2 ** 20);
    await world.run();
    start(world, solo);
    world.pass(20 * SECOND);
    await world.run();
    expect(on(world)).toEqual(expect.arrayContaining([old, first]));
    expect(why(world, solo)).toContain('other nodes of the stage are being defragmented (2 of 2: ');
    expect(why(world, solo)).toContain(old);
    await expectRest(world);
  });

  test('a primary of another version does not come before its replicas that wait for the stage', async () => {
    const world = everybody();
    start(world, solo);
    await world.run();
    restart(world, solo);
    const primary = server(world, second);
    primary.traits = { ...primary.traits, version: '7.0.14' };
    start(world, first, second, third);
    for (let ticks = 0; ticks < 3; ticks++) {
      world.pass(MINUTE);
      await world.run();
      expect(on(world)).toEqual([]);
    }
    expect(why(world, first)).toContain('a server of this version may have crashed during active defrag');
    expect(why(world, second)).toContain(
      `this node waits for its turn, because another node or job acts on this instance (`,
    );
    await expectRest(world);
  });

  test.each([
    ['two defrags', [solo, beside], []],
    ['a defrag and a purge', [solo], [beside]],
  ])('a host has one server at work: %s', async (_, fragmented, retaining) => {
    const world = everybody();
    for (const node of fragmented) server(world, node).fragment(3000 * 2 ** 20);
    retain(world, ...retaining);
    await world.run();
    world.pass(20 * SECOND);
    await world.run();
    expect(world.deeds).toHaveLength(1);
    expect([why(world, solo), why(world, beside)].join()).toContain(
      'this server waits for its turn, because Offpeak acts on another one on its host',
    );
    await expectRest(world);
  });

  test('two purges on one host follow each other in one tick', async () => {
    const world = everybody();
    retain(world, solo, beside);
    await world.run();
    expect(world.deeds.map(({ kind, node }) => `${kind} ${node}`).toSorted()).toEqual([
      `purge ${solo}`,
      `purge ${beside}`,
    ]);
    await expectRest(world);
  });

  test('a server that restarts under our defrag keeps its version from one in the same tick, and for the night', async () => {
    const world = everybody();
    start(world, solo);
    await world.run();
    restart(world, solo);
    start(world, first, old);
    world.pass(MINUTE);
    await world.run();
    expect(on(world)).toEqual([old]);
    expect(why(world, first)).toMatch(/during active defrag \(solo-0\.redis\.example:6379 restarted /);
    world.pass(HOUR);
    await world.run();
    expect(world.deeds.filter(({ kind, node }) => kind === 'defrag-on' && node === first)).toEqual([]);
    await expectRest(world);
  });

  const FAILING = [
    ['does not answer', { reachable: false }],
    ['could not be checked', { answersWith: 'garbage' }],
    ['could not be checked', { answersWith: 'errors' }],
  ] as const;
  const WELL = { reachable: true, answersWith: undefined };

  describe.each(FAILING)('one that %s (%o)', (how, failing) => {
    test('does so until it answers again as the process that it was', async () => {
      const world = everybody();
      start(world, solo);
      await world.run();
      Object.assign(server(world, solo), failing);
      start(world, first);
      world.pass(MINUTE);
      await world.run();
      expect(on(world)).toEqual([solo]);
      expect(why(world, first)).toContain(`(solo-0.redis.example:6379 ${how})`);
      Object.assign(server(world, solo), WELL);
      world.pass(MINUTE);
      await world.run();
      expect(server(world, first).isOn()).toBe(true);
      expect(world.violations).toEqual([]);
      await expectRest(world);
    });

    test('and for the night where it has restarted meanwhile', async () => {
      const world = everybody();
      start(world, solo);
      await world.run();
      Object.assign(server(world, solo), failing);
      restart(world, solo);
      start(world, first);
      for (const state of [{}, WELL, {}]) {
        Object.assign(server(world, solo), state);
        world.pass(20 * MINUTE);
        await world.run();
        expect(on(world)).toEqual([]);
      }
      expect(why(world, first)).toContain('(solo-0.redis.example:6379 restarted ');
      expect(world.violations).toEqual([]);
      await expectRest(world);
    });
  });

  test('one that dies of the CONFIG SET itself brakes what the same tick has not started yet', async () => {
    const world = everybody();
    start(world, solo);
    const dying = server(world, solo);
    dying.delaysNext = true;
    await world.run();
    expect([...world.documents]).toContainEqual([
      'brakes',
      expect.objectContaining({
        value: expect.objectContaining({ falls: [expect.objectContaining({ node: solo, how: 'vanished' })] }),
      }),
    ]);
    await expectRest(world);
  });

  test('a document of the brakes that fails keeps the lease, and what has befallen is not forgotten', async () => {
    const world = everybody();
    start(world, solo);
    await world.run();
    restart(world, solo);
    start(world, first);
    world.pass(MINUTE);
    Object.assign(world.trouble, { failsOn: 'brakes', times: 2 });
    await world.run();
    expect(leases(world)).toContain('lease#solo');
    world.pass(2 * MINUTE);
    await world.run();
    expect(leases(world)).not.toContain('lease#solo');
    expect(server(world, first).isOn()).toBe(false);
    await expectRest(world);
  });

  describe('messages of a queue in any order', () => {
    const letterOf = (letters: readonly string[], instance: string) =>
      letters.find((letter) => JSON.parse(letter).instances[0].id === instance) ?? '';
    /** A defrag runs on `solo`, and `first`, of the same version, wants one. */
    const aStage = async () => {
      const world = everybody();
      server(world, solo).fragment(3000 * 2 ** 20);
      await world.run();
      start(world, first);
      return world;
    };

    test.each([
      ['restarted', (world: LiveWorld) => restart(world, solo)],
      ['gone', (world: LiveWorld) => void Object.assign(server(world, solo), { reachable: false })],
      ['full of garbage', (world: LiveWorld) => void Object.assign(server(world, solo), { answersWith: 'garbage' })],
    ])(
      'a worker waits for the one whose server under defrag is %s, and starts none of its version',
      async (_, fall) => {
        const world = await aStage();
        fall(world);
        world.pass(MINUTE);
        const letters = await world.handOut();
        await world.deliver(letterOf(letters, 'trio'));
        expect(server(world, first).isOn()).toBe(false);
        await world.deliver(letterOf(letters, 'solo'));
        world.pass(5 * MINUTE);
        for (const letter of await world.handOut()) await world.deliver(letter);
        expect(server(world, first).isOn()).toBe(false);
        expect(world.violations).toEqual([]);
        await expectRest(world);
      },
    );

    test('does not wait for what that worker has seen: its server answers with errors', async () => {
      const world = await aStage();
      server(world, solo).answersWith = 'errors';
      world.pass(MINUTE);
      const letters = await world.handOut();
      await world.deliver(letterOf(letters, 'solo'));
      const { now } = world;
      await world.deliver(letterOf(letters, 'trio'));
      expect(world.now - now).toBeLessThan(20 * SECOND);
      expect(why(world, first)).toContain('(solo-0.redis.example:6379 could not be checked)');
      expect(on(world)).toEqual([solo]);
      expect(world.violations).toEqual([]);
      await expectRest(world);
    });

    test('where that server is well, it starts one as soon as the other worker has said so', async () => {
      const world = await aStage();
      world.pass(MINUTE);
      const letters = await world.handOut();
      await Promise.all(['trio', 'solo'].map((instance) => world.deliver(letterOf(letters, instance))));
      expect(on(world)).toEqual([solo, first]);
      expect(world.violations).toEqual([]);
      await expectRest(world);
    });

    test('and where nobody says so, in a later tick', async () => {
      const world = await aStage();
      world.pass(MINUTE);
      await world.deliver(letterOf(await world.handOut(), 'trio'));
      expect(on(world)).toEqual([solo]);
      world.pass(5 * MINUTE);
      const letters = await world.handOut();
      for (const instance of ['solo', 'trio']) await world.deliver(letterOf(letters, instance));
      expect(server(world, first).isOn()).toBe(true);
      await expectRest(world);
    });
  });
});

describe('F9: the last node that answers', () => {
  test('is left alone, by defrag and by purges', async () => {
    const world = aNight('trio');
    server(world, second).fragment(300 * 2 ** 20);
    retain(world, second);
    for (const node of [first, third]) server(world, node).reachable = false;
    await world.run();
    world.pass(5 * MINUTE);
    await world.run();
    expect(world.deeds).toEqual([]);
    server(world, first).reachable = true;
    server(world, third).reachable = true;
    world.pass(5 * MINUTE);
    await world.run();
    expect(server(world, second).isOn()).toBe(true);
    await expectRest(world);
  });
});
