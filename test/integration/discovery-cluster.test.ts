import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Tick } from '../../core/reconcile/scope.ts';
import { inventoryKey } from '../../core/state/keys.ts';
import { type Authority, anAuthority } from '../support/certificates.ts';
import { aCluster, type Cluster } from '../support/cluster.ts';
import { aJob, OPEN } from '../support/job.ts';
import { refusedPort } from '../support/offpeak.ts';
import { plainServer } from '../support/servers.ts';

const LONG = { timeout: 600_000 };

const yamlOf = (seeds: readonly string[], more = '', body = '') =>
  `notifications: { digest: never }
instances:
  - id: carts
    discover: { cluster: { seeds: ${JSON.stringify(seeds.map((seed) => (seed.includes('//') ? seed : `redis://${seed}`)))}${more} } }${OPEN}${body}
`;

/** By shard: its nodes with their roles, sorted. */
const shardsIn = ({ outcomes }: Tick) =>
  Object.fromEntries(
    [...Map.groupBy(outcomes, ({ instance }) => instance)].map(([id, its]) => [
      id,
      its.map(({ node, before }) => `${node} ${before?.observation.replication.role ?? 'unseen'}`).toSorted(),
    ]),
  );
const rolesOf = (cluster: Cluster, ...pairs: readonly (readonly [number, string])[]) =>
  pairs.map(([index, role]) => `${cluster.node(index).address} ${role}`).toSorted();
function tlsFiles(authority: Authority): readonly string[] {
  const { cert, key } = authority.issue('localhost', { altName: 'DNS:localhost,IP:127.0.0.1' });
  return Object.entries({ 'cert-file': cert, 'key-file': key, 'ca-cert-file': authority.ca }).flatMap(([name, pem]) => {
    const path = join(authority.folder, `cluster-${name}`);
    writeFileSync(path, pem);
    return [`--tls-${name}`, path];
  });
}
const shardOf = (tick: Tick, address: string) => tick.outcomes.find(({ node }) => node === address)?.instance ?? '';

test(
  'after a failover, a resharding, a new shard, a replaced node, the next tick is right without a deployment',
  LONG,
  async () => {
    await using cluster = await aCluster();
    using job = aJob(yamlOf([cluster.node(0).address]));
    const first = await job.tick();
    expect(Object.keys(shardsIn(first)).toSorted()).toEqual(['carts/0001', 'carts/0002', 'carts/0003']);
    const shard = [0, 1, 2].map((index) => shardOf(first, cluster.node(index).address));
    for (const index of [0, 1, 2])
      expect(shardsIn(first)[shard[index] ?? '']).toEqual(rolesOf(cluster, [index, 'primary'], [index + 3, 'replica']));
    expect(job.alerts).toEqual([]);

    await cluster.failOver(3);
    const afterFailover = await job.tick();
    expect(shardsIn(afterFailover)[shard[0] ?? '']).toEqual(rolesOf(cluster, [3, 'primary'], [0, 'replica']));

    await cluster.moveSlots([100, 101, 102], 1);
    expect(Object.keys(shardsIn(await job.tick())).toSorted()).toEqual(shard.toSorted());
    expect(job.alerts).toEqual([]);

    // The replica of the third shard is replaced by one at another port, and that one gets a shard of its own.
    const replacement = await cluster.add(2);
    await cluster.remove(5);
    const replaced = await job.tick();
    expect(shardsIn(replaced)[shard[2] ?? '']).toEqual(rolesOf(cluster, [2, 'primary'], [6, 'replica']));
    expect(job.alerts.map(({ event }) => event).toSorted()).toEqual(['node-found', 'node-gone']);
    expect(job.alerts.map(({ node }) => node)).toContain(replacement.address);

    const added = await cluster.add();
    await cluster.moveSlots([200, 201], 7);
    const grown = await job.tick();
    expect(shardOf(grown, added.address)).toBe('carts/0004');
    expect(grown.outcomes).toHaveLength(7);
    // What was found is reported once.
    const before = job.alerts.length;
    await job.tick();
    expect(job.alerts).toHaveLength(before);

    // Its only seed dies: the inventory is used, and the failure is said.
    await cluster.remove(0);
    const blind = await job.tick();
    expect(blind.undiscovered).toEqual(['carts']);
    // A seed that is away is no mistake.
    expect(blind.troubles).toEqual([]);
    expect(blind.remarks.join()).toMatch(/ECONNREFUSED.* The inventory of .* is used/);
    expect(blind.outcomes).toHaveLength(7);
    expect(job.metrics.findLast(({ name }) => name === 'InstancesUndiscovered')).toMatchObject({ value: 1 });
  },
);

test('a replica that has died is still a node of its shard, as its primary lacks a copy', LONG, async () => {
  await using cluster = await aCluster();
  using job = aJob(yamlOf([cluster.node(0).address]));
  const first = await job.tick();
  await cluster.node(5).server.stop();
  await expect
    .poll(async () => String(await cluster.node(0).redis.call('CLUSTER', 'NODES')), { timeout: 60_000 })
    .toContain('slave,fail ');
  const after = await job.tick();
  const shard = shardOf(first, cluster.node(5).address);
  expect(shardsIn(after)[shard]).toEqual(
    [`${cluster.node(2).address} primary`, `${cluster.node(5).address} unseen`].toSorted(),
  );
  expect(job.alerts.filter(({ event }) => event === 'node-gone')).toEqual([]);
});

test(
  'a primary that has died stays in its shard, whose replica has taken over; the shard keeps its name',
  LONG,
  async () => {
    await using cluster = await aCluster();
    using job = aJob(yamlOf([cluster.node(0).address]));
    const shard = shardOf(await job.tick(), cluster.node(2).address);
    await cluster.node(2).server.stop();
    const tookOver = async () => (await cluster.node(5).redis.info('replication')).includes('role:master');
    await expect.poll(tookOver, { timeout: 60_000 }).toBe(true);
    await expect
      .poll(async () => shardsIn(await job.tick()), { timeout: 60_000 })
      .toMatchObject({
        [shard]: [`${cluster.node(2).address} unseen`, `${cluster.node(5).address} primary`].toSorted(),
      });
    expect(job.alerts.filter(({ event }) => event.startsWith('node-'))).toEqual([]);
  },
);

test('an inventory of another version, and one that is lost', LONG, async () => {
  await using cluster = await aCluster({ shards: 2, replicas: false });
  using job = aJob(yamlOf([cluster.node(0).address]));
  const first = await job.tick();
  const { store } = job.ports;
  const key = inventoryKey('carts');
  const stored = await store.read(key);
  expect(await store.write(key, { ...Object(stored?.value), schema: 99 }, stored?.version)).toMatchObject({
    stored: true,
  });
  // While the seed answers nothing is missing but the names, and what a newer version has written is left alone.
  expect((await job.tick()).outcomes).toHaveLength(2);
  expect((await store.read(key))?.value).toMatchObject({ schema: 99 });

  const newer = await store.read(key);
  await store.remove(key, newer?.version ?? 0);
  expect(shardsIn(await job.tick())).toEqual(shardsIn(first));
  expect(job.alerts).toEqual([]);
  const again = await store.read(key);
  await store.write(key, { ...Object(again?.value), schema: 99 }, again?.version);
  using blind = aJob(yamlOf([`127.0.0.1:${await refusedPort()}`]), { stateFile: job.stateFile });
  const { remarks, outcomes } = await blind.tick();
  expect(outcomes).toEqual([]);
  expect(remarks.join()).toMatch(/The last inventory cannot be used: /);
});

test('hostnames, and addresses that are reached elsewhere', LONG, async () => {
  const names = () => ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
  await using cluster = await aCluster({ shards: 2, replicas: false, args: names });
  const ports = [0, 1].map((index) => cluster.node(index).server.port);
  using job = aJob(yamlOf([cluster.node(0).address]));
  const seen = await job.tick();
  expect(seen.outcomes.map(({ node, kind }) => `${node} ${kind}`).toSorted()).toEqual(
    ports.map((port) => `localhost:${port} observed`).toSorted(),
  );

  const natMap = Object.fromEntries(ports.map((port) => [`localhost:${port}`, `127.0.0.1:${port}`]));
  using mapped = aJob(yamlOf([cluster.node(0).address], `, natMap: ${JSON.stringify(natMap)}`));
  expect((await mapped.tick()).outcomes.map(({ node }) => node).toSorted()).toEqual(
    ports.map((port) => `127.0.0.1:${port}`).toSorted(),
  );
});

test('TLS, where the servers are built with it', LONG, async (context) => {
  using authority = anAuthority();
  const cluster = await aCluster({ shards: 2, replicas: false, start: plainServer, tls: tlsFiles(authority) }).catch(
    (error: Error) => error,
  );
  if (cluster instanceof Error && !/tls-port/.test(cluster.message)) throw cluster;
  if (cluster instanceof Error)
    return context.skip(`these servers are built without TLS: ${cluster.message.slice(0, 200)}`);
  await using _ = cluster;
  const ports = cluster.nodes.map(({ tlsPort }) => tlsPort);
  const ca = `\n    tls: { ca: env:CA }`;
  using job = aJob(yamlOf([`rediss://127.0.0.1:${ports[0]}`], '', ca), { env: { CA: authority.ca } });
  const { outcomes, remarks } = await job.tick();
  expect(remarks).toEqual([]);
  expect(outcomes.map(({ node, kind }) => `${node} ${kind}`).toSorted()).toEqual(
    ports.map((port) => `127.0.0.1:${port} observed`).toSorted(),
  );
});

test('seeds that are not of one Cluster: a single server, and one of another Cluster', LONG, async () => {
  await using single = await plainServer();
  using alone = aJob(yamlOf([`127.0.0.1:${single.port}`]));
  const wrong = await alone.tick();
  expect(wrong.remarks.join()).toMatch(/is not a node of a Cluster \(cluster-enabled no\)/);
  expect(wrong.troubles).toEqual(wrong.remarks);

  await using one = await aCluster({ shards: 1, replicas: false });
  await using other = await aCluster({ shards: 1, replicas: false });
  using both = aJob(yamlOf([one.node(0).address, other.node(0).address]));
  expect((await both.tick()).remarks.join()).toMatch(/are of different clusters, which share no node/);
  // A seed that is wrong beside one that is right is named, and does no harm.
  using mixed = aJob(yamlOf([`127.0.0.1:${single.port}`, one.node(0).address]));
  const { outcomes, remarks, undiscovered } = await mixed.tick();
  expect(outcomes.map(({ node }) => node)).toEqual([one.node(0).address]);
  expect(undiscovered).toEqual([]);
  expect(remarks.join()).toMatch(/the seed \S+ was not used: /);
});

test('a Cluster in two halves: the half that is up decides, and where none is, nothing is started', LONG, async () => {
  await using cluster = await aCluster({ shards: 3, replicas: false });
  using job = aJob(yamlOf([0, 1, 2].map((index) => cluster.node(index).address)));
  await job.tick();
  // Two of three primaries are gone: the third says that its Cluster is down.
  for (const index of [0, 1]) await cluster.node(index).server.stop();
  await expect
    .poll(async () => String(await cluster.node(2).redis.call('CLUSTER', 'INFO')), { timeout: 60_000 })
    .toContain('cluster_state:fail');
  const down = await job.tick();
  expect(down.remarks.join()).toMatch(/says that its cluster is down \(cluster_state\): nothing is started there/);
  expect(down.instances.every(({ found }) => found?.unsettled === 'cluster-down')).toBe(true);
  expect(down.undiscovered).toEqual([]);
});
