import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MIB, MINUTE, SECOND } from '../../core/config/units.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { dispatch } from '../../core/reconcile/dispatch.ts';
import { work } from '../../core/reconcile/work.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { type FragmentedServer, fragmentedServers } from '../support/fragmented-server.ts';
import { aJob, configOf, type Job, OPEN } from '../support/job.ts';
import { lacksServer } from '../support/servers.ts';

// A dispatch and several workers on real servers: what is handed out is checked once, and the limits of the stage hold for all together.

const HOSTS = ['127.0.0.1', '127.0.0.2'] as const;

/** So little CPU that no run ends before the test does. */
const FLOORS = `
    purge: { enabled: false }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxMainThreadCpu: 100%`;

describe.skipIf(lacksServer('defrag'))('a fleet with a queue', { timeout: 600_000 }, () => {
  let fragmented: readonly FragmentedServer[] = [];
  let job: Job;
  let yaml: string;

  beforeAll(async () => {
    fragmented = await fragmentedServers(120 * MIB, HOSTS);
    const instances = HOSTS.map(
      (host, n) => `  - { id: i${n}, url: "redis://${host}:${fragmented[n]?.server.port}" }\n`,
    );
    const dead = '  - { id: dead, url: "redis://127.0.0.3:1" }\n';
    yaml = `maxDefragsAtOnce: 1\nfleet: { queue: always }\ndefaults: ${OPEN}${FLOORS}\ninstances:\n${instances.join('')}${dead}`;
    job = aJob(yaml);
  });

  afterAll(async () => {
    job?.[Symbol.dispose]();
    for (const one of fragmented) await one[Symbol.asyncDispose]();
  });

  const config = () => configOf(yaml);
  /** A worker's process: ports of its own on the same store. Its time ends right after the first tick. */
  const aWorker = (ports: Partial<Ports> = {}) => ({ ...job.ports, store: createFileStore(job.stateFile), ...ports });
  const options = (holder: string) => ({ holder, remaining: () => 59 * SECOND });
  const aBatch = (change: object) =>
    JSON.stringify({ schema: 1, stage: 'test', at: Date.now(), nodes: 3, instances: [{ id: 'i0' }], ...change });
  const handOut = async () => {
    const bodies: string[] = [];
    const queue = {
      send: async (some: readonly { readonly body: string }[]) => ({
        sent: bodies.push(...some.map(({ body }) => body)),
        rejected: [],
      }),
    };
    const done = await dispatch(config(), job.ports, queue, options('dispatch'));
    return { bodies, done };
  };
  const valuesOf = (name: string) => job.metrics.filter((metric) => metric.name === name).map(({ value }) => value);
  const logged = (message: string) => job.logs.filter((line) => line.message === message).map(({ fields }) => fields);
  /** One instance in each message, as if they were many. */
  const split = (body: string) => {
    const batch = JSON.parse(body);
    return batch.instances.map((one: unknown, number: number) =>
      JSON.stringify({ ...batch, number, instances: [one] }),
    );
  };

  test('the dispatch checks no node, and says how many it hands out', async () => {
    const { bodies, done } = await handOut();
    expect(done).toMatchObject({ instances: 3, nodes: 3, batches: 1 });
    expect(bodies.map((body) => JSON.parse(body))).toMatchObject([
      { schema: 1, stage: 'test', number: 0, instances: [{ id: 'i0' }, { id: 'i1' }, { id: 'dead' }] },
    ]);
    expect(valuesOf('NodesDispatched')).toEqual([3]);
    expect(valuesOf('Heartbeat')).toEqual([1]);
    expect(valuesOf('LeasesHeld')).toEqual([0]);
    expect(valuesOf('NodesObserved')).toEqual([]);
    await expect(fragmented[0]?.redis.client('LIST')).resolves.not.toContain('name=offpeak');
  });

  test('of two workers at once, each with a node that wants a defrag, one starts it: the limit is that of the stage', async () => {
    job.metrics.length = 0;
    const [body = ''] = (await handOut()).bodies;
    const { at } = JSON.parse(body);
    await Promise.all(
      split(body).map((one: string, n: number) => work(one, config(), aWorker(), options(`worker-${n}`))),
    );
    const leases = [...(await job.ports.store.list('lease#')).keys()];
    expect(leases).toHaveLength(1);
    const sum = (name: string) => valuesOf(name).reduce((total, value) => total + value, 0);
    expect([sum('NodesDispatched'), sum('NodesReported'), sum('NodesObserved'), sum('NodesUnreachable')]).toEqual([
      3, 3, 2, 1,
    ]);
    expect(sum('Heartbeat')).toBe(1);
    // Each at the time of its dispatch, so that they add up within one period.
    expect(new Set(job.metrics.filter(({ name }) => name === 'NodesReported').map((one) => one.at))).toEqual(
      new Set([at]),
    );
  });

  test('the same message once more, and an earlier one, are dropped; a later one goes on with the lease', async () => {
    const [body = ''] = (await handOut()).bodies;
    const messages: readonly string[] = split(body);
    job.metrics.length = 0;
    const [mine = ''] = messages;
    await Promise.all([work(mine, config(), aWorker(), options('a')), work(mine, config(), aWorker(), options('b'))]);
    expect(valuesOf('NodesReported')).toEqual([1]);
    const earlier = JSON.stringify({ ...JSON.parse(mine), at: JSON.parse(mine).at - 1 });
    await work(earlier, config(), aWorker(), options('c'));
    expect(valuesOf('NodesReported')).toEqual([1]);
    expect(logged('batch not checked')).toEqual(
      [1, 2].map(() => ({ why: 'number 0 of this or a later tick was taken before' })),
    );
    expect(await job.ports.store.list('lease#')).toHaveProperty('size', 1);
  });

  test.each([
    [
      'of the tick before',
      { at: Date.now() - 6 * MINUTE },
      /^it is of the tick of .*, and the next one has handed out the same nodes$/,
    ],
    ['of a tick to come', { at: Date.now() + 20 * MINUTE }, /has not come yet: compare the clocks$/],
    ['of another stage', { stage: 'other' }, /^it is of the stage other, and this worker is of test$/],
    ['of another version', { schema: 2 }, /^it is of version 2, and this worker reads version 1/],
  ])('a message %s is dropped with a word', async (_, change, words) => {
    job.logs.length = 0;
    job.metrics.length = 0;
    await work(aBatch({ number: 9, ...change }), config(), aWorker(), options('late'));
    expect(logged('batch not checked')).toEqual([{ why: expect.stringMatching(words) }]);
    expect(job.metrics).toEqual([]);
  });

  test('an instance that is gone is named, and the others are checked', async () => {
    job.logs.length = 0;
    job.metrics.length = 0;
    const instances = [{ id: 'gone' }, { id: 'i1' }];
    await work(aBatch({ number: 10, instances }), config(), aWorker(), options('w'));
    expect(logged('instance not checked')).toMatchObject([{ instance: 'gone' }]);
    expect(valuesOf('NodesReported')).toEqual([1]);
  });

  test('a worker sends nothing itself: the next dispatch sends what the workers have stored', async () => {
    await vi.waitFor(async () => expect((await job.ports.store.list('outbox#')).size).toBeGreaterThan(0), 10_000);
    expect(job.alerts).toEqual([]);
    const later = { ...job.ports, clock: { ...job.ports.clock, now: () => Date.now() + 3 * MINUTE } };
    await dispatch(
      { ...config(), notifications: { ...config().notifications, digest: 'never' } },
      later,
      { send: async (some) => ({ sent: some.length, rejected: [] }) },
      options('next'),
    );
    expect(job.alerts.map(({ event }) => event)).toContain('defrag-started');
  });

  test('batches that the queue does not take fail the dispatch, after its report', async () => {
    job.metrics.length = 0;
    const queue = { send: async () => ({ sent: 0, rejected: [{ what: 'batch 0', why: 'AccessDenied' }] }) };
    const { tick } = await dispatch(config(), job.ports, queue, options('d'));
    expect(tick.troubles).toEqual(['1 of 1 batches were not handed out: AccessDenied']);
    expect(valuesOf('NodesDispatched')).toEqual([3]);
    expect(valuesOf('LeasesHeld')).toEqual([1]);
  });
});
