import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../core/config/units.ts';
import { CACHE_SERVERS, DEFAULT_GROUP, GROUP } from './caches.ts';
import { nodeName } from './fleet.ts';
import { isUnderway, restart } from './invariants.ts';
import { aFragmentedGroup, expectRest, server } from './night.ts';

// What the model has found on parameter groups, and what the random walk meets seldom: each as a test of its own.

/** Of the version of most other servers. */
const second = CACHE_SERVERS[1] ?? '';

describe('a parameter group in which a person has set active-defrag-cycle-max', () => {
  test('gets it back with the switch or after it: no cycle takes its longer share', async () => {
    const world = aFragmentedGroup();
    await world.run();
    expect(world.cloud.group.isOurs()).toBe(true);
    world.pass(MINUTE);
    await world.run(undefined, { release: 'released' });
    expect(world.cloud.group.values['active-defrag-cycle-max']).toEqual({
      value: '60',
      source: 'user',
      owner: 'human',
    });
    expect(world.groupRuns).toHaveLength(1);
    await expectRest(world);
  });
});

test('a server that went down under its group keeps a worker that is ahead of its own from a defrag of its version', async () => {
  const world = aFragmentedGroup();
  await world.run();
  expect(world.cloud.group.isOurs()).toBe(true);
  world.pass(MINUTE);
  restart(world, second);
  const beside = nodeName('beside', 0);
  server(world, beside).fragment(300 * 2 ** 20);
  world.pass(4 * MINUTE);
  const letters = await world.handOut();
  const [own = ''] = letters.filter((letter) => letter.includes('"beside"'));
  await world.deliver(own);
  expect(server(world, beside).isOn()).toBe(false);
  for (const letter of letters) if (letter !== own) await world.deliver(letter);
  await expectRest(world);
});

test('a change that AWS makes late is waited for, and restored', async () => {
  const world = aFragmentedGroup();
  world.cloud.trouble = { call: 'set', how: 'late', times: 1 };
  await world.run();
  world.pass(20 * SECOND);
  await world.run();
  expect(world.cloud.group.taken()).toEqual([]);
  world.pass(MINUTE);
  expect(world.cloud.group.isOurs()).toBe(true);
  await expectRest(world);
});

test('while AWS applies a change of a person, nothing is switched', async () => {
  const world = aFragmentedGroup();
  world.cloud.type('active-defrag-threshold-lower', '33', world.now);
  await world.run();
  expect(world.cloud.group.isOurs()).toBe(false);
  world.pass(MINUTE);
  await world.run();
  expect(world.cloud.group.isOurs()).toBe(true);
  await expectRest(world);
});

test('a cluster that joins the group during its run ends it', async () => {
  const world = aFragmentedGroup();
  const baskets = world.cloud.clusters.get('baskets');
  if (!baskets) throw new Error('no baskets');
  world.cloud.give(baskets, DEFAULT_GROUP, world.now);
  world.pass(MINUTE);
  await world.run();
  expect(world.cloud.group.isOurs()).toBe(true);
  world.cloud.give(baskets, GROUP, world.now);
  world.pass(MINUTE);
  await world.run();
  expect(world.cloud.group.isOurs()).toBe(false);
  await expectRest(world);
});

test('a group of two nodes is not switched beside two others, where three may be under defrag', async () => {
  const world = aFragmentedGroup();
  for (const name of [nodeName('beside', 0), nodeName('old', 0)]) server(world, name).fragment(300 * 2 ** 20);
  await world.run();
  expect(isUnderway(world)).toHaveLength(2);
  expect(world.cloud.group.isOurs()).toBe(false);
  await expectRest(world);
});

test('a store that takes no writes keeps no group switched beyond its end', async () => {
  const world = aFragmentedGroup();
  await world.run();
  world.trouble.readOnly = true;
  world.wasReadOnly = true;
  world.pass(31 * MINUTE);
  await world.run();
  expect(world.cloud.group.taken()).toEqual([]);
  world.trouble.readOnly = false;
  await expectRest(world);
});
