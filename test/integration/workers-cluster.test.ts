import { expect, test } from 'vitest';
import { HOUR, MIB, MINUTE, SECOND } from '../../core/config/units.ts';
import { ALERT_HELD } from '../../core/domain/timings.ts';
import { dispatch } from '../../core/reconcile/dispatch.ts';
import { work } from '../../core/reconcile/work.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { putPause } from '../../core/state/pauses.ts';
import { aCluster, type Cluster } from '../support/cluster.ts';
import { fragment, settingsOf } from '../support/fragmented.ts';
import { aJob, configOf, OPEN } from '../support/job.ts';
import { lacksServer } from '../support/servers.ts';

// A discovered Cluster of six servers, through the queue: its shards stay in one message, and what holds for all of them holds in the worker.

/** So little CPU that no run ends before the test does. */
const FLOORS = `
    purge: { enabled: false }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxMainThreadCpu: 100%
    maxOpsPerSecond: 100000`;
/** Each server has an address of its own: the limit for one host is not what keeps a second shard from starting. */
const hostOf = (index: number) => `127.0.0.${11 + index}`;
/** With the three shards, one more than a message has room for. */
const SINGLES = 23;

/** Each shard has two. */
const nodesIn = (body: string) => JSON.parse(body).instances.length + 3;

/** Fragments a shard and its replica. */
async function fragmentShard(cluster: Cluster, index: number): Promise<void> {
  const { redis } = cluster.node(index);
  let tag = 0;
  while ((await redis.set(`{${tag}}`, '').catch(() => undefined)) !== 'OK') tag++;
  await fragment(redis, 120 * MIB, `{${tag}}`);
  expect(await redis.wait(1, 60_000)).toBe(1);
}

test.skipIf(lacksServer('defrag'))(
  'the shards of a Cluster are in one message, one is their canary, and the next message goes on with its lease',
  { timeout: 300_000 },
  async () => {
    const args = (index: number) => ['--bind', '127.0.0.1', hostOf(index), '--cluster-announce-ip', hostOf(index)];
    await using cluster = await aCluster({ args });
    const addressOf = (index: number) => cluster.node(index).address.replace('127.0.0.1', hostOf(index));
    await Promise.all([0, 1].map((index) => fragmentShard(cluster, index)));
    // A server that has just started is left alone for ten seconds.
    for (const { redis } of cluster.nodes)
      await expect
        .poll(async () => Number(/uptime_in_seconds:(\d+)/.exec(await redis.info('server'))?.[1]))
        .toBeGreaterThan(11);
    // Of the shards that want a defrag; the third one fails over, which changes its settings.
    const settings = () => Promise.all([0, 1, 3, 4].map((index) => settingsOf(cluster.node(index).redis)));
    const before = await settings();
    const singles = Array.from(
      { length: SINGLES },
      (_, n) => `  - { id: dead-${n}, url: "redis://127.0.1.${n + 1}:1" }\n`,
    );
    const yaml = `notifications: { digest: never }
fleet: { queue: always }
defaults: ${OPEN}${FLOORS}
instances:
${singles.join('')}  - { id: carts, discover: { cluster: { seeds: ["redis://${cluster.node(0).address}"] } } }
`;
    using job = aJob(yaml);
    const options = (holder: string) => ({ holder, remaining: () => 59 * SECOND });
    const handOut = async (later = 0) => {
      const clock = { ...job.ports.clock, now: () => Date.now() + later };
      const bodies: string[] = [];
      const send = async (some: readonly { readonly body: string }[]) => {
        bodies.push(...some.map(({ body }) => body));
        return { sent: some.length, rejected: [] };
      };
      await dispatch(configOf(yaml), { ...job.ports, clock }, { send }, options('dispatch'));
      return bodies;
    };
    const deliver = async (body: string, holder: string) => {
      job.metrics.length = 0;
      // A process of its own, that knows of the others by the store alone.
      await work(body, configOf(yaml), { ...job.ports, store: createFileStore(job.stateFile) }, options(holder));
      return job.metrics.findLast(({ name }) => name === 'NodesReported')?.value;
    };
    const leases = async () => [...(await job.ports.store.list('lease#')).values()].map(({ value }) => Object(value));

    const bodies = await handOut();
    const ofCluster = bodies.flatMap((body) => {
      const some = JSON.parse(body).instances.filter(({ id }: { readonly id: string }) => id === 'carts');
      return some.length === 0
        ? []
        : [{ body, shards: some.map(({ shard }: { shard: { name: string } }) => shard.name) }];
    });
    expect(ofCluster.map(({ shards }) => shards)).toEqual([['0001', '0002', '0003']]);
    const [{ body } = { body: '' }] = ofCluster;

    expect(await deliver(body, 'one')).toBe(nodesIn(body));
    // Two shards want a defrag, on hosts of their own, within the limit of the stage: one is the canary of both.
    const [canary, ...others] = await leases();
    expect(others).toEqual([]);
    expect([addressOf(3), addressOf(4)]).toContain(canary?.node);
    expect(await deliver(body, 'again')).toBeUndefined();

    // Roles change between two ticks, in a shard without a lease: the next message has them, and the run goes on.
    await cluster.failOver(5);
    const next = (await handOut()).find((one) => one.includes('carts')) ?? '';
    expect(await deliver(next, 'two')).toBe(nodesIn(next));
    expect(await leases()).toMatchObject([{ node: canary?.node, acquiredAt: canary?.acquiredAt }]);

    // Whoever comes next ends it.
    const at = Date.now();
    await putPause(job.ports.store, 'carts', { until: at + HOUR, reason: 'enough', by: 'test', at });
    await deliver((await handOut()).find((one) => one.includes('carts')) ?? '', 'three');
    expect(await leases()).toEqual([]);
    expect(await settings()).toEqual(before);
    // What workers store is sent by a dispatch that comes when they have had their time for it.
    await handOut(ALERT_HELD + MINUTE);
    expect(job.alerts.map(({ event }) => event).toSorted()).toEqual(['defrag-aborted', 'defrag-started']);
  },
);
