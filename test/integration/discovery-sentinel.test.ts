import { expect, test } from 'vitest';
import { aJob, OPEN } from '../support/job.ts';
import { refusedPort } from '../support/offpeak.ts';
import { aSentinelSet } from '../support/sentinel.ts';

const LONG = { timeout: 120_000 };

const yamlOf = (sentinels: readonly string[], more = '') =>
  `notifications: { digest: never }
instances:
  - id: sessions
    discover: { sentinel: { name: main, sentinels: ${JSON.stringify(sentinels)}${more} } }${OPEN}
`;

const rolesIn = (tick: Awaited<ReturnType<ReturnType<typeof aJob>['tick']>>) =>
  new Map(
    tick.outcomes.map(({ node, before }) => [node, before?.observation.replication.role ?? 'unreachable'] as const),
  );

test(
  'the sentinels name the nodes: after a failover, a new replica and the end of one the next tick is right',
  LONG,
  async () => {
    await using set = await aSentinelSet();
    using job = aJob(yamlOf(set.urls));
    const first = await job.tick();
    const addresses = () => set.nodes.map(({ port }) => `127.0.0.1:${port}`).toSorted();
    expect(first.instances.map(({ id }) => id)).toEqual(['sessions']);
    expect([...rolesIn(first).keys()].toSorted()).toEqual(addresses());
    expect(first.remarks).toEqual([]);

    const primary = await set.failOver();
    expect(rolesIn(await job.tick()).get(primary)).toBe('primary');
    expect(job.alerts).toEqual([]);

    const added = await set.add();
    expect(rolesIn(await job.tick()).get(`127.0.0.1:${added.port}`)).toBe('replica');
    expect(job.alerts).toMatchObject([{ event: 'node-found', instance: 'sessions', node: `127.0.0.1:${added.port}` }]);

    // The sentinels still name it: that it does not answer has to be seen. One sentinel that is gone does not matter.
    await added.stop();
    await set.end(0);
    const later = await job.tick();
    expect(rolesIn(later).get(`127.0.0.1:${added.port}`)).toBe('unreachable');
    expect(later.outcomes).toHaveLength(4);
    expect(later.undiscovered).toEqual([]);
  },
);

test(
  'a password of the sentinels, which is not that of the nodes; without it, and with another name, it is said',
  LONG,
  async () => {
    await using set = await aSentinelSet({ password: 'of-the-sentinels' });
    const env = { SENTINEL: 'of-the-sentinels', WRONG: 'not-that-one' };
    using job = aJob(yamlOf(set.urls, ', credentials: { password: env:SENTINEL }'), { env });
    expect((await job.tick()).outcomes).toHaveLength(3);

    using without = aJob(yamlOf(set.urls), { env });
    const refused = await without.tick();
    expect(refused.undiscovered).toEqual(['sessions']);
    expect(refused.remarks.join()).toMatch(/NOAUTH|credentials/);

    using wrong = aJob(yamlOf(set.urls, ', credentials: { password: env:WRONG }'), { env });
    const [why = ''] = (await wrong.tick()).remarks;
    expect(why).toMatch(/^sessions: its nodes could not be found now: none of the 3 sentinels names the nodes of main/);
    expect(why).not.toContain('not-that-one');
    expect(why).toMatch(/WRONGPASS\. Check the secret that discover\.sentinel\.credentials\.password names/);
    expect(why.match(/WRONGPASS/g)).toHaveLength(1);

    using unknown = aJob(
      yamlOf(set.urls, ', credentials: { password: env:SENTINEL }').replace('name: main', 'name: other'),
      { env },
    );
    expect((await unknown.tick()).remarks.join()).toMatch(/knows no primary of the name other: SENTINEL MASTERS lists/);
  },
);

test('a data node is not a sentinel; where all sentinels are dead, the nodes of before are watched', LONG, async () => {
  await using set = await aSentinelSet();
  using data = aJob(yamlOf([set.nodes[0]?.url ?? '']));
  expect((await data.tick()).remarks.join()).toMatch(/is not a sentinel/);

  using job = aJob(yamlOf(set.urls));
  await job.tick();
  for (const sentinel of [0, 1, 2]) await set.end(sentinel);
  const blind = await job.tick();
  expect(blind.outcomes.map(({ kind }) => kind)).toEqual(['observed', 'observed', 'observed']);
  expect(blind.undiscovered).toEqual(['sessions']);
  expect(blind.remarks.join()).toMatch(/The inventory of .* is used/);

  using never = aJob(yamlOf([`redis://127.0.0.1:${await refusedPort()}`]));
  const nothing = await never.tick();
  expect(nothing.outcomes).toEqual([]);
  expect(nothing.remarks.join()).toMatch(/There is no earlier inventory: none of its nodes is watched/);
});
