import { expect, test } from 'vitest';
import { systemClock } from '../../core/adapters/clock.ts';
import { HOUR } from '../../core/config/units.ts';
import { BATCH_VERSION } from '../../core/reconcile/batch.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { work } from '../../core/reconcile/work.ts';
import { membershipKey } from '../../core/state/keys.ts';
import { aCluster, type Cluster, type ClusterNode } from '../support/cluster.ts';
import { clientOf } from '../support/fragmented.ts';
import { aJob, configOf, type Job, OPEN } from '../support/job.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
import { plainServer } from '../support/servers.ts';

// Nodes of a Cluster that the config does not name, though it names others of it.

const LONG = { timeout: 600_000 };

/** By instance: its nodes. */
const yamlOf = (instances: Readonly<Record<string, readonly string[]>>, more = '') =>
  `notifications: { digest: never }
instances:
${Object.entries(instances)
  .map(([id, nodes]) => `  - id: ${id}\n    nodes: [${nodes.map((node) => `"redis://${node}"`).join(', ')}]${OPEN}\n`)
  .join('')}${more}`;

const addressesOf = (cluster: Cluster, ...indexes: readonly number[]) =>
  indexes.map((index) => cluster.node(index).address);
/** The same servers, by a name that their Cluster does not use. */
const byName = (addresses: readonly string[]) => addresses.map((one) => one.replace('127.0.0.1', 'localhost'));
const reported = ({ alerts }: Job) => alerts.filter(({ event }) => event === 'node-unlisted').map(({ node }) => node);
const said = ({ remarks }: Tick) => remarks.filter((remark) => remark.includes('not named here'));

/** Every command that its clients have sent to a node, by INFO commandstats. */
async function askedOf({ redis }: ClusterNode): Promise<number> {
  const stats = await redis.info('commandstats');
  return Number(/cmdstat_cluster\|nodes:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

/** A clock that can be put forward. */
function aClock() {
  const real = systemClock();
  let ahead = 0;
  return { ...real, now: () => real.now() + ahead, forward: (by: number) => (ahead += by) };
}

test('nodes that the config does not name are reported once, by name, and asked for once a day', LONG, async () => {
  await using cluster = await aCluster();
  const missing = addressesOf(cluster, 1, 4);
  const clock = aClock();
  using job = aJob(yamlOf({ carts: addressesOf(cluster, 0, 2, 3, 5) }), { clock });
  expect(said(await job.tick())).toHaveLength(1);
  // Seen twice before it is reported: a node that is about to leave, or to be named, is no news.
  expect(reported(job)).toEqual([]);
  const second = await job.tick();
  expect(reported(job).toSorted()).toEqual(missing.toSorted());
  expect(said(second)[0]).toMatch(/^carts: its Cluster has 2 nodes that are not named here: 127\.0\.0\.1:\d+, /);

  const before = await Promise.all(cluster.nodes.map(askedOf));
  const third = await job.tick();
  expect(await Promise.all(cluster.nodes.map(askedOf))).toEqual(before);
  expect(said(third)).toEqual(said(second));
  expect(reported(job)).toHaveLength(2);

  // A day later one node is asked, once.
  clock.forward(25 * HOUR);
  await job.tick();
  const after = await Promise.all(cluster.nodes.map(askedOf));
  expect(after.reduce((sum, calls) => sum + calls)).toBe(before.reduce((sum, calls) => sum + calls) + 1);
  expect(reported(job)).toHaveLength(2);

  // Who adds them to the config hears nothing more of it.
  using whole = aJob(yamlOf({ carts: addressesOf(cluster, 0, 1, 2, 3, 4, 5) }), { stateFile: job.stateFile, clock });
  expect(said(await whole.tick())).toEqual([]);
  expect(said(await whole.tick())).toEqual([]);
  expect(reported(whole)).toEqual([]);

  // A new node is one more report.
  const added = await cluster.add();
  clock.forward(25 * HOUR);
  for (let tick = 0; tick < 3; tick++) await whole.tick();
  expect(reported(whole)).toEqual([added.address]);
});

test('ids decide, not addresses: names and several instances of one Cluster', LONG, async () => {
  await using cluster = await aCluster();
  const all = [0, 1, 2, 3, 4, 5];
  using named = aJob(yamlOf({ carts: byName(addressesOf(cluster, ...all)) }));
  for (let tick = 0; tick < 2; tick++) expect(said(await named.tick())).toEqual([]);
  expect(reported(named)).toEqual([]);

  const [one, two] = [byName(addressesOf(cluster, 0, 3)), byName(addressesOf(cluster, 1, 4, 2))];
  using split = aJob(yamlOf({ one, two }));
  for (let tick = 0; tick < 2; tick++) await split.tick();
  expect(new Set(reported(split))).toEqual(new Set(addressesOf(cluster, 5)));

  // What a discovery has found is named by it.
  const seed = cluster.node(0).address;
  const more = `  - id: rest\n    discover: { cluster: { seeds: ["redis://${seed}"] } }${OPEN}\n`;
  using mixed = aJob(yamlOf({ carts: addressesOf(cluster, 0, 3) }, more));
  for (let tick = 0; tick < 2; tick++) expect(said(await mixed.tick())).toEqual([]);
});

test('what is not live is not reported, and nothing is said while a named node could be the one', LONG, async () => {
  await using cluster = await aCluster();
  await cluster.node(5).server.stop();
  await expect
    .poll(async () => String(await cluster.node(0).redis.call('CLUSTER', 'NODES')), { timeout: 60_000 })
    .toContain('slave,fail ');
  using job = aJob(yamlOf({ carts: addressesOf(cluster, 0, 1, 2, 3, 4) }));
  for (let tick = 0; tick < 2; tick++) expect(said(await job.tick())).toEqual([]);

  // Named by an address at which no server answers: it may be the fifth node.
  const [first = '', ...others] = addressesOf(cluster, 0, 1, 2, 3);
  using away = aJob(yamlOf({ carts: [first, ...others, 'localhost:1'] }));
  for (let tick = 0; tick < 2; tick++) expect(said(await away.tick())).toEqual([]);
});

test(
  'a server that refuses CLUSTER, one without Cluster, and a check and a plan, which write nothing',
  LONG,
  async () => {
    await using cluster = await aCluster({ shards: 2, replicas: false });
    const yaml = yamlOf({ carts: addressesOf(cluster, 0) });
    using job = aJob(yaml);
    for (const mode of ['watch', 'plan'] as const) expect(said(await job.tick({ mode }))).toHaveLength(1);
    expect(await job.ports.store.read(membershipKey('carts'))).toBeUndefined();

    await cluster.node(0).redis.call('ACL', 'SETUSER', 'default', '-cluster');
    const refused = await job.tick();
    expect(refused.outcomes.map(({ kind }) => kind)).toEqual(['observed']);
    expect(refused.troubles).toEqual([]);
    expect(said(refused)).toEqual([]);
    await job.tick();
    expect(reported(job)).toEqual([]);

    await using single = await plainServer();
    using alone = aJob(yamlOf({ single: [`127.0.0.1:${single.port}`] }));
    expect(said(await alone.tick())).toEqual([]);
    expect(await alone.ports.store.read(membershipKey('single'))).toBeUndefined();
  },
);

test(
  'a worker knows the nodes of other batches by their addresses, and keeps silent where that is not enough',
  LONG,
  async () => {
    await using cluster = await aCluster({ shards: 3, replicas: false });
    const at = Date.now();
    const batchOf = (others: readonly string[] | undefined) =>
      ({ part: { kind: 'batch', at, nodes: 3, ...(others && { others }) } }) as const;
    const told = async (nodes: readonly string[], others: readonly string[] | undefined) => {
      using job = aJob(yamlOf({ carts: nodes }));
      for (let tick = 0; tick < 2; tick++) await job.tick(batchOf(others));
      // Workers leave it to the dispatch to send.
      const outbox = await job.ports.store.list('outbox#');
      return [...outbox.keys()].filter((key) => key.includes('node-unlisted')).length;
    };
    const [first, ...rest] = cluster.nodes.map(({ address }) => address);
    expect(await told([first ?? ''], rest)).toBe(0);
    expect(await told([first ?? ''], rest.slice(1))).toBe(1);
    expect(await told(byName([first ?? '']), byName(rest))).toBe(0);
    expect(await told([first ?? ''], undefined)).toBe(0);
  },
);

test('a replica that the config does not name, by INFO; not one that only has another name there', LONG, async () => {
  await using primary = await plainServer();
  const follow = ['--replicaof', '127.0.0.1', `${primary.port}`, '--repl-diskless-sync-delay', '0'];
  await using replica = await plainServer({ args: follow });
  await using other = await plainServer({ args: follow });
  const client = clientOf(primary);
  await expect.poll(async () => (await client.info('replication')).match(/state=online/g)?.length).toBe(2);
  client.disconnect();
  const [one, two, three] = [primary, replica, other].map(({ port }) => `127.0.0.1:${port}`) as [
    string,
    string,
    string,
  ];
  using job = aJob(yamlOf({ sessions: [one, two] }));
  expect(said(await job.tick())).toHaveLength(1);
  for (let tick = 0; tick < 3; tick++) await job.tick();
  expect(reported(job)).toEqual([three]);

  using named = aJob(yamlOf({ sessions: byName([one, two, three]) }));
  for (let tick = 0; tick < 2; tick++) expect(said(await named.tick())).toEqual([]);
  expect(await named.ports.store.read(membershipKey('sessions'))).toBeUndefined();
  // One of them is missing, and which one cannot be known.
  using unclear = aJob(yamlOf({ sessions: byName([one, two]) }));
  for (let tick = 0; tick < 2; tick++) expect(said(await unclear.tick())).toEqual([]);
});

test('check, run and status say it; status by what the job has seen', LONG, async () => {
  await using cluster = await aCluster({ shards: 2, replicas: false });
  using place = aWorkplace();
  const [one = '', two = ''] = addressesOf(cluster, 0, 1);
  place.write('prod.yml', yamlOf({ carts: [one] }));
  const ran = async (...args: readonly string[]) =>
    await runOffpeak([...args, '-c', 'prod.yml'], { cwd: place.folder });
  const words = /carts: its Cluster has a node that is not named here/;
  expect((await ran('status')).stdout).not.toMatch(words);
  expect((await ran('check')).stdout).toMatch(words);
  expect((await ran('status')).stdout).not.toMatch(words);
  expect((await ran('run')).stdout.replace(/\s+/g, ' ')).toMatch(words);
  const status = await ran('status');
  expect(status.stdout).toMatch(words);
  expect(status.stdout).toContain(two);
  expect(JSON.parse((await ran('status', '--json')).stdout).remarks).toEqual([expect.stringMatching(words)]);
  // Named since then: what was seen of the nodes of before counts no more.
  place.write('prod.yml', yamlOf({ carts: [one, two] }));
  expect((await ran('status')).stdout).not.toMatch(words);
  expect((await ran('check')).stdout).not.toMatch(words);
});

test(
  'a message of the queue with a part of a Cluster: the worker knows what the config names beside it',
  LONG,
  async () => {
    await using cluster = await aCluster({ shards: 3, replicas: false });
    const [one, two, three] = addressesOf(cluster, 0, 1, 2) as [string, string, string];
    const reportedOf = async (yaml: string) => {
      using job = aJob(yaml);
      const config = configOf(yaml);
      const batch = { schema: BATCH_VERSION, stage: config.stage, number: 0, nodes: 3, instances: [{ id: 'one' }] };
      for (const at of [Date.now() - 1000, Date.now()])
        await work(JSON.stringify({ ...batch, at }), config, job.ports, { holder: 'test', remaining: () => 60_000 });
      const alerts = [...(await job.ports.store.list('outbox#')).keys()].filter((key) => key.includes('node-unlisted'));
      return alerts.map((key) => [one, two, three].filter((node) => key.includes(node)).join());
    };
    expect(await reportedOf(yamlOf({ one: [one], two: [two, three] }))).toEqual([]);
    expect(await reportedOf(yamlOf({ one: [one], two: [two] }))).toEqual([three]);
    const rest = `  - id: rest\n    discover: { cluster: { seeds: ["redis://${two}"] } }${OPEN}\n`;
    expect(await reportedOf(yamlOf({ one: [one] }, rest))).toEqual([]);
  },
);
