import { expect, test } from 'vitest';
import { addressOf } from '../../core/discovery/addresses.ts';
import { fromNodes, hasHostnames } from '../../core/discovery/cluster-lines.ts';
import { type ClusterView, fromShards } from '../../core/discovery/cluster-view.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { aCluster, type ClusterNode } from '../support/cluster.ts';
import { aJob, OPEN } from '../support/job.ts';

// What Redis before 7.0 is asked, which has no CLUSTER SHARDS: of real servers of 7.0, which answer both ways.

const LONG = { timeout: 600_000 };

const yamlOf = (...seeds: readonly string[]) => `notifications: { digest: never }
instances:
  - id: carts
    discover: { cluster: { seeds: ${JSON.stringify(seeds.map((seed) => `redis://${seed}`))} } }${OPEN}
`;

/** By shard, sorted: addresses, roles and ids. */
const drawn = ({ shards, leftOut, hasSlots }: ClusterView) => ({
  shards: shards
    .map(({ nodes }) => nodes.map(({ address, identity, role }) => `${address.id} ${role} ${identity}`).toSorted())
    .toSorted((a, b) => a.join().localeCompare(b.join())),
  leftOut,
  hasSlots,
});

async function bothWays({ redis, address }: ClusterNode) {
  const terms = { seed: addressOf(address, false), natMap: undefined };
  // In one transaction: what the server knows may change between two commands.
  const commands = ['NODES', 'SHARDS', 'SLOTS'].map((command) => ['call', 'CLUSTER', command]);
  const [text, shards, slots] = ((await redis.multi(commands).exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  if (typeof text !== 'string') throw new Error('CLUSTER NODES returned no text');
  return {
    byShards: drawn(fromShards(shards, true, terms)),
    byNodes: drawn(fromNodes(text, true, terms, hasHostnames(text) ? slots : undefined)),
    text,
  };
}

async function hasFallen({ redis }: ClusterNode, flags: string): Promise<void> {
  await expect.poll(async () => String(await redis.call('CLUSTER', 'NODES')), { timeout: 60_000 }).toContain(flags);
}

const nodesIn = ({ outcomes }: Tick) => outcomes.map(({ instance, node }) => `${instance} ${node}`).toSorted();
const refuse = async ({ redis }: ClusterNode, ...commands: readonly string[]) =>
  await redis.call('ACL', 'SETUSER', 'default', ...commands.map((command) => `-cluster|${command}`));

test('CLUSTER NODES says the same as CLUSTER SHARDS: at rest, in a resharding, with failed nodes', LONG, async () => {
  await using cluster = await aCluster();
  const atRest = await bothWays(cluster.node(0));
  expect(atRest.byNodes.shards).toHaveLength(3);
  expect(atRest.byNodes).toEqual(atRest.byShards);

  await cluster.node(0).redis.call('CLUSTER', 'SETSLOT', '7', 'MIGRATING', cluster.node(1).id);
  const moving = await bothWays(cluster.node(0));
  expect(moving.text).toMatch(/ \[7->-/);
  expect(moving.byNodes).toEqual(moving.byShards);
  await cluster.node(0).redis.call('CLUSTER', 'SETSLOT', '7', 'STABLE');

  // A replica fails, and then a primary, whose replica takes over.
  await cluster.node(5).server.stop();
  await hasFallen(cluster.node(0), 'slave,fail ');
  const failed = await bothWays(cluster.node(0));
  expect(failed.byNodes).toEqual(failed.byShards);
  expect(failed.byNodes.shards.join()).toContain(cluster.node(5).address);
  await cluster.node(1).server.stop();
  await hasFallen(cluster.node(0), 'master,fail ');
  await expect
    .poll(async () => await cluster.node(4).redis.info('replication'), { timeout: 60_000 })
    .toContain('role:master');
  const failedOver = await bothWays(cluster.node(0));
  expect(failedOver.byNodes).toEqual(failedOver.byShards);
});

test.each(['hostname', 'ip'])('with hostnames, where the servers prefer: %s', LONG, async (preferred) => {
  const args = (index: number) => [
    ...['--cluster-announce-hostname', index === 5 ? 'localhost.localdomain' : 'localhost'],
    ...['--cluster-preferred-endpoint-type', preferred],
  ];
  await using cluster = await aCluster({ args });
  await cluster.node(5).server.stop();
  await hasFallen(cluster.node(0), 'slave,fail ');
  const { byShards, byNodes, text } = await bothWays(cluster.node(0));
  expect(text).toContain(',localhost ');
  expect(byNodes).toEqual(byShards);
});

test('where CLUSTER SHARDS is not to be had, a replica that has died stays a node of its shard', LONG, async () => {
  await using cluster = await aCluster();
  using job = aJob(yamlOf(cluster.node(0).address));
  const before = nodesIn(await job.tick());
  await refuse(cluster.node(0), 'shards');
  expect(nodesIn(await job.tick())).toEqual(before);
  await cluster.node(5).server.stop();
  await hasFallen(cluster.node(0), 'slave,fail ');
  expect(nodesIn(await job.tick())).toEqual(before);
  expect(job.alerts.filter(({ event }) => event === 'node-gone')).toEqual([]);

  // By CLUSTER SLOTS alone it is not seen, which is said.
  await refuse(cluster.node(0), 'shards', 'nodes');
  const blind = await job.tick();
  // Nor are replicas that have received nothing yet.
  expect(nodesIn(blind).join()).not.toContain(cluster.node(5).address);
  expect(blind.remarks.join()).toMatch(/refuses CLUSTER NODES: replicas that have failed are not seen/);
  await refuse(cluster.node(0), 'shards', 'nodes', 'slots');
  const denied = await job.tick();
  expect(denied.undiscovered).toEqual(['carts']);
  expect(denied.troubles.join()).toMatch(/^carts: its nodes could not be found now: .*give its user \+cluster\|shards/);
});

test('a seed that was reset does not take the place of its Cluster', LONG, async () => {
  await using cluster = await aCluster();
  const seeds = [cluster.node(3), cluster.node(4)];
  using job = aJob(yamlOf(...seeds.map(({ address }) => address)));
  const before = nodesIn(await job.tick());
  expect(before).toHaveLength(6);
  await cluster.node(3).redis.call('CLUSTER', 'RESET', 'HARD');
  await cluster.node(4).server.stop();
  const after = await job.tick();
  expect(nodesIn(after)).toEqual(before);
  expect(after.undiscovered).toEqual(['carts']);
  expect(after.remarks.join()).toMatch(/is in a cluster without slots: it was reset, or is not set up yet/);
  expect(after.troubles).toEqual([]);
  expect(job.alerts.filter(({ event }) => event === 'node-gone')).toEqual([]);

  // Beside a seed that answers it is named, and does no harm.
  using both = aJob(yamlOf(cluster.node(3).address, cluster.node(0).address));
  const { remarks, undiscovered } = await both.tick();
  expect(undiscovered).toEqual([]);
  expect(remarks.join()).toMatch(/the seed \S+ was not used: \S+ is in a cluster without slots/);
});
