import { expect, test } from 'vitest';
import { planIn } from '../../core/domain/outcome.ts';
import { clientOf, fragment } from '../support/fragmented.ts';
import { aJob, OPEN } from '../support/job.ts';
import { refusedPort } from '../support/offpeak.ts';
import { aSentinelSet, until } from '../support/sentinel.ts';

const LONG = { timeout: 600_000 };

const yamlOf = (sentinels: readonly string[], more = '', body = '') =>
  `notifications: { digest: never }
instances:
  - id: sessions
    discover: { sentinel: { name: main, sentinels: ${JSON.stringify(sentinels)}${more} } }${OPEN}${body}
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
    expect(why).toMatch(
      /WRONGPASS\. Check the secret that discover\.sentinel\.credentials\.password names \(env:\w+\)/,
    );
    expect(why.match(/WRONGPASS/g)).toHaveLength(1);

    using unknown = aJob(
      yamlOf(set.urls, ', credentials: { password: env:SENTINEL }').replace('name: main', 'name: other'),
      { env },
    );
    const { remarks, troubles } = await unknown.tick();
    expect(remarks.join()).toMatch(/knows no primary of the name other: SENTINEL MASTERS lists/);
    expect(troubles).toEqual(remarks);
  },
);

test('a data node is not a sentinel; where all sentinels are dead, the nodes of before are watched', LONG, async () => {
  await using set = await aSentinelSet();
  using data = aJob(yamlOf([set.nodes[0]?.url ?? '']));
  expect((await data.tick()).remarks.join()).toMatch(/is not a sentinel: .* Name the port of a sentinel/);

  const seeds = `instances: [{ id: carts, discover: { cluster: { seeds: ${JSON.stringify(set.urls.slice(0, 1))} } } }]`;
  using asSeed = aJob(`notifications: { digest: never }\n${seeds}`);
  const seed = await asSeed.tick();
  expect(seed.remarks.join()).toMatch(/it does not know CLUSTER\. A Sentinel belongs under `discover\.sentinel`/);
  expect(seed.troubles).toEqual(seed.remarks);

  using job = aJob(yamlOf(set.urls));
  await job.tick();
  for (const sentinel of [0, 1, 2]) await set.end(sentinel);
  const blind = await job.tick();
  expect(blind.outcomes.map(({ kind }) => kind)).toEqual(['observed', 'observed', 'observed']);
  expect(blind.undiscovered).toEqual(['sessions']);
  expect(blind.troubles).toEqual([]);
  expect(blind.instances.map(({ found }) => found?.unsettled)).toEqual(['undiscovered']);
  expect(blind.remarks.join()).toMatch(/The inventory of .* is used/);

  using never = aJob(yamlOf([`redis://127.0.0.1:${await refusedPort()}`]));
  const nothing = await never.tick();
  expect(nothing.outcomes).toEqual([]);
  expect(nothing.remarks.join()).toMatch(/There is no earlier inventory: none of its nodes is watched/);
});

test('while the sentinels agree that the primary is down, nothing is started on its replicas', LONG, async () => {
  await using set = await aSentinelSet();
  const [primary, ...replicas] = set.nodes.map((node) => clientOf(node));
  const sentinels = set.urls.map((url) => clientOf({ port: Number(new URL(url).port) }));
  for (const client of [...replicas, ...sentinels]) client.on('error', () => undefined);
  try {
    if (!primary) throw new Error('the set has no primary');
    // A replica that gets all data at once has no holes.
    for (const replica of replicas)
      await until(async () => (await replica.info('replication')).includes('master_link_status:up') || undefined);
    await fragment(primary, 100 * 2 ** 20);
    await primary.wait(2, 30_000);
    // None of them may take over, so that it stays like that.
    for (const replica of replicas) await replica.config('SET', 'replica-priority', '0');
    for (const sentinel of sentinels) await sentinel.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '500');
    primary.disconnect();
    await set.nodes[0]?.stop();
    const flags = async () => String((await sentinels[0]?.call('SENTINEL', 'MASTER', 'main')) ?? '');
    await until(async () => (await flags()).includes('o_down') || undefined);
    using job = aJob(yamlOf(set.urls, '', '\n    defrag: { minReclaim: 8MiB }\n    purge: { minReclaim: 8MiB }'));
    const { outcomes, instances, leased } = await job.tick();
    expect(instances.map(({ found }) => found?.unsettled)).toEqual(['failover']);
    expect(leased).toEqual([]);
    const seen = outcomes.filter(({ before }) => before);
    expect(seen).toHaveLength(2);
    for (const outcome of seen)
      expect(planIn(outcome)).toMatchObject({
        kind: 'skip',
        blockers: expect.arrayContaining([{ kind: 'failover' }]),
      });
  } finally {
    for (const client of [...replicas, ...sentinels]) client.disconnect();
  }
});
