import { describe, expect, test } from 'vitest';
import { MINUTE } from '../../core/config/units.ts';
import { aFragmentedGroup, aNight, expectRest, first, fragment, server } from './night.ts';
import type { LiveWorld } from './world.ts';

/** Nights up to a tick that does one thing; the tick is then killed before and after each of its effects, one after the other. */
const NIGHTS: Readonly<Record<string, () => Promise<LiveWorld>>> = {
  'starts a defrag': async () => {
    const world = aNight('trio');
    fragment(world);
    return world;
  },
  'stops a defrag': async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    world.pass(31 * MINUTE);
    return world;
  },
  purges: async () => {
    const world = aNight('trio');
    server(world, first).retain(300 * 2 ** 20, world.now);
    return world;
  },
  'switches a parameter group': async () => aFragmentedGroup(),
  'restores a parameter group': async () => {
    const world = aFragmentedGroup();
    await world.run();
    world.pass(31 * MINUTE);
    return world;
  },
  'reports a parameter group': async () => {
    const world = aFragmentedGroup();
    await world.run();
    world.pass(31 * MINUTE);
    await world.run();
    world.pass(5 * MINUTE);
    return world;
  },
};

describe.each(Object.entries(NIGHTS))('a job that %s', (_, until) => {
  test.each(['before', 'after'] as const)('is killed %s any of its effects: all is clean and told', async (when) => {
    let effect = 0;
    for (let isKilled = true; isKilled; ) {
      effect++;
      const world = await until();
      isKilled = !(await world.run({ effect, when }));
      world.pass(3 * MINUTE);
      await expectRest(world);
    }
    expect(effect).toBeGreaterThan(20);
  });
});
