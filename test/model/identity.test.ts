import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../core/config/units.ts';
import { putPause } from '../../core/state/pauses.ts';
import { configOf } from '../support/job.ts';
import { fleetYaml, NAMED, type NamedInstance, nodeName } from './fleet.ts';
import { aNight, first, fragment, second, server } from './night.ts';
import type { LiveWorld } from './world.ts';

// Leases, pauses, histories and crashes belong to a node, whatever its instance is called (red-team F4, F19).

const third = nodeName('trio', 2);
const TRIO = NAMED.find(({ id }) => id === 'trio') as NamedInstance;
const others = NAMED.filter(({ id }) => id !== 'trio');
const isOn = (world: LiveWorld) => [first, second, third].map((node) => server(world, node).isOn());
const plans = (world: LiveWorld, node: string) =>
  world.logs.flatMap((log) => {
    const { fields } = log as {
      readonly fields?: { readonly node?: string; readonly plan?: { readonly reason: string } };
    };
    return fields?.node === node && fields.plan ? [fields.plan.reason] : [];
  });

function configured(world: LiveWorld, ...instances: readonly NamedInstance[]): void {
  world.config = configOf(fleetYaml([...others, ...instances]));
}

const renamed: NamedInstance = { ...TRIO, id: 'terzetto' };
const RENAMES: readonly (readonly [string, readonly NamedInstance[]])[] = [
  ['renamed', [renamed]],
  ['renamed, its nodes in another order', [{ ...renamed, nodes: TRIO.nodes.toReversed() }]],
  ['renamed, and its name given to others', [renamed, { ...TRIO, nodes: ['new-0.redis.example:6379'] }]],
  ['merged with another one', [{ ...TRIO, id: 'all', nodes: [...TRIO.nodes, 'new-0.redis.example:6379'] }]],
];

/** More than a night of holes, on every node. */
function fragmentAll(world: LiveWorld): void {
  for (const node of [first, second, third]) server(world, node).fragment(100_000 * 2 ** 20);
}

describe.each(RENAMES)('F4: an instance that is %s', (_, instances) => {
  test('keeps its lease: no second node starts, and the first is given back in time', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    await world.run();
    expect(isOn(world)).toEqual([true, false, false]);
    configured(world, ...instances);
    for (let ticks = 0; ticks < 3; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
      expect(isOn(world)).toEqual([true, false, false]);
    }
    world.pass(6 * HOUR);
    await world.run();
    expect(isOn(world)).toEqual([false, false, false]);
    expect(world.violations).toEqual([]);
  });

  test('stays paused', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    await putPause(world.store, 'trio', {
      until: world.now + 4 * HOUR,
      reason: 'release',
      by: 'sre',
      at: world.now,
      nodes: TRIO.nodes,
    });
    configured(world, ...instances);
    await world.run();
    expect(isOn(world)).toEqual([false, false, false]);
    expect(plans(world, first)).toContain('paused');
  });

  test('keeps its cooldown, and what was told of its server', async () => {
    const world = aNight('trio');
    fragment(world);
    await world.run();
    world.pass(30 * SECOND);
    await world.run();
    expect(isOn(world)).toEqual([false, false, false]);
    const starts = world.deeds.filter(({ kind }) => kind === 'defrag-on').length;
    configured(world, ...instances);
    fragment(world);
    world.pass(MINUTE);
    await world.run();
    expect(plans(world, first).at(-1)).toBe('cooling-down');
    expect(world.deeds.filter(({ kind }) => kind === 'defrag-on')).toHaveLength(starts);
  });

  test('keeps its canary: a replica that restarted under our defrag keeps its peers from one', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    await world.run();
    server(world, first).restart(world.now);
    world.pass(MINUTE);
    await world.run();
    configured(world, ...instances);
    for (let ticks = 0; ticks < 3; ticks++) {
      world.pass(5 * MINUTE);
      await world.run();
    }
    expect(isOn(world)).toEqual([false, false, false]);
    expect(plans(world, third).at(-1)).toBe('canary-died');
  });
});

describe('F4: an instance that is split', () => {
  test('keeps the lease of the node that has it, and the rest of its new instance waits', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    await world.run();
    configured(world, { ...TRIO, nodes: [second] }, { ...TRIO, id: 'pair', nodes: [first, third] });
    world.pass(5 * MINUTE);
    await world.run();
    // What is left of the old instance still has the lease's name: it waits, too.
    expect(isOn(world)).toEqual([true, false, false]);
    world.pass(6 * HOUR);
    await world.run();
    expect(isOn(world)).toEqual([false, false, false]);
  });

  test('and merged again, with a lease on each of two nodes: the later one ends', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    configured(world, { ...TRIO, nodes: [second, third] }, { ...TRIO, id: 'single', nodes: [first] });
    await world.run();
    expect(isOn(world)).toEqual([true, false, true]);
    configured(world, TRIO);
    world.pass(5 * MINUTE);
    await world.run();
    expect(isOn(world).filter(Boolean)).toHaveLength(1);
    world.pass(6 * HOUR);
    await world.run();
    expect(isOn(world)).toEqual([false, false, false]);
  });
});

test('F4: two jobs with the configs of before and after a renaming: never two nodes at once', async () => {
  for (let effect = 1; effect < 60; effect++) {
    const world = aNight('trio');
    fragmentAll(world);
    const before = world.config;
    // The other job's whole tick, at each moment of this one's.
    await world.run(
      undefined,
      {},
      {
        effect,
        step: async () => {
          world.config = configOf(fleetYaml([...others, { ...renamed, nodes: [third, first, second] }]));
          await world.run();
          world.config = before;
        },
      },
    );
    expect(isOn(world).filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(world.violations.filter((text) => text.startsWith('S4'))).toEqual([]);
  }
});

test('F4: a pause of an instance that the config does not have is said, and whom it keeps quiet', async () => {
  const world = aNight('trio');
  const pause = { until: world.now + HOUR, reason: 'release', by: 'sre', at: world.now };
  await putPause(world.store, 'trio', { ...pause, nodes: TRIO.nodes });
  await putPause(world.store, 'gone', pause);
  configured(world, renamed);
  await world.run();
  const said = world.logs.map((log) => (log as { readonly message: string }).message);
  expect(said).toContainEqual(
    expect.stringMatching(
      /no instance trio, .* are in terzetto now, .* `npx offpeak resume trio -c …` \(with the config of test; .+ removes it$/,
    ),
  );
  expect(said).toContainEqual(expect.stringMatching(/no instance gone, .* it pauses nothing/));
});

test('what 0.1 has stored under the names of instances is kept, the stricter of several, and stored once', async () => {
  const world = aNight('trio');
  fragment(world);
  const known = { learned: {}, ineffective: { purge: 0, defrag: 0 } };
  const crashed = { version: '7.0.15', at: world.now - HOUR };
  const lastDefragAt = world.now - MINUTE;
  await world.store.write(`node#trio#${first}`, { ...known, lastDefragAt, crashed }, undefined);
  await world.store.write(`node#earlier#${first}`, { ...known, lastDefragAt: world.now - HOUR }, undefined);
  for (let ticks = 0; ticks < 2; ticks++) {
    await world.run();
    expect(plans(world, first).at(-1)).toBe('denied-version');
    expect(world.documents.get(`history#${first}`)?.value).toMatchObject({
      crashed,
      byAction: { defrag: { ineffective: 0, lastAt: lastDefragAt } },
    });
  }
  const { version } = world.documents.get(`history#${first}`) ?? {};
  await world.run();
  expect(world.documents.get(`history#${first}`)?.version).toBe(version);
});

test('a history follows its server to another address, and is not left to the server that answers there now', async () => {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  world.pass(30 * SECOND);
  await world.run();
  expect(isOn(world)).toEqual([false, false, false]);
  // A failover of two addresses: the server of `first` answers at `second`.
  world.answering.set(first, second).set(second, first);
  fragment(world);
  server(world, second).fragment(300 * 2 ** 20);
  world.pass(MINUTE);
  await world.run();
  expect(plans(world, second).at(-1)).toBe('cooling-down');
  expect(server(world, second).isOn()).toBe(true);
  expect(server(world, first).isOn()).toBe(false);
});

test('a history is not lost while another server answers at its address', async () => {
  const world = aNight('trio');
  fragment(world);
  await world.run();
  world.pass(30 * SECOND);
  await world.run();
  // The other one has a history, too.
  const known = { learned: {}, ineffective: { purge: 0, defrag: 0 }, runId: server(world, third).runId() };
  await world.store.write(`history#${third}`, known, undefined);
  for (const at of [third, first]) {
    world.answering.set(first, at);
    world.pass(MINUTE);
    await world.run();
  }
  fragment(world);
  world.pass(MINUTE);
  await world.run();
  expect(plans(world, first).at(-1)).toBe('cooling-down');
});

describe('F19: one server under two addresses', () => {
  const twice = (world: LiveWorld, ...instances: readonly NamedInstance[]) => {
    world.answering.set(third, first);
    configured(world, ...instances);
  };
  const told = (world: LiveWorld) => world.deliveries.filter(({ alert }) => alert.event === 'same-server');

  test.each([
    ['of one instance', [TRIO]],
    [
      'of two instances',
      [
        { ...TRIO, nodes: [second, first] },
        { ...TRIO, id: 'other', nodes: [third] },
      ],
    ],
  ])('%s: it is acted on once, and the second address is only watched, and said once', async (_, instances) => {
    const world = aNight('trio');
    server(world, first).retain(300 * 2 ** 20, world.now);
    twice(world, ...instances);
    for (let ticks = 0; ticks < 3; ticks++) {
      await world.run();
      world.pass(5 * MINUTE);
    }
    expect(world.deeds.filter(({ server: name }) => name === first).map(({ kind }) => kind)).toEqual(['purge']);
    expect(told(world)).toMatchObject([{ alert: { node: third, severity: 'warning' } }]);
    expect(plans(world, third)).toEqual(['same-server', 'same-server', 'same-server']);
    const seen = world.published.filter(({ name, value }) => name === 'Reachable' && value === 1);
    expect(seen.filter(({ dimensions }) => dimensions.Node === third)).toHaveLength(3);
  });

  test('a defrag of ours on it is not called a stranger', async () => {
    const world = aNight('trio');
    fragmentAll(world);
    await world.run();
    world.pass(MINUTE);
    twice(world, TRIO);
    await world.run();
    expect(world.deliveries.map(({ alert }) => alert.event)).not.toContain('foreign-defrag');
    expect(isOn(world)).toEqual([true, false, false]);
  });
});
