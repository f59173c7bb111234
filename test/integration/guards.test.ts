import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { connect } from '../../core/adapters/redis/connect.ts';
import { examine } from '../../core/adapters/redis/examine.ts';
import { observe } from '../../core/adapters/redis/observe.ts';
import { MIB } from '../../core/config/units.ts';
import { planText } from '../../core/reporting/wording/plan.ts';
import { clientOf, fragment } from '../support/fragmented.ts';
import { aJob, configYaml, OPEN } from '../support/job.ts';
import { planOf } from '../support/outcomes.ts';
import { defragServer, lacksServer, plainServer } from '../support/servers.ts';

// F9 and the guards that a careful person misses, each on real servers that are fragmented.

const FLOORS = `
    purge: { enabled: false }
    defrag: { minReclaim: 24MiB, maxStall: 100ms }
    maxMainThreadCpu: 100%`;

/** Waits for what a server says to be so. Not `expect.poll`, which cannot tell tests that run side by side apart. */
async function eventually<T>(ask: () => Promise<T>, judge: (found: T) => void): Promise<void> {
  await vi.waitFor(async () => judge(await ask()), { timeout: 120_000, interval: 100 });
}

interface Place extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
}

/** A server that would be defragmented, were nothing in the way. */
async function aServer(): Promise<Place> {
  const place = await anEmptyServer();
  await fragment(place.redis, 120 * MIB);
  return place;
}

async function anEmptyServer(args: readonly string[] = []): Promise<Place> {
  const server = await defragServer({ args });
  const redis = clientOf(server);
  return {
    server,
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server.stop();
    },
  };
}

/** What is planned for the node at this port, in words, once it is older than `just-restarted` asks. */
async function planned(yaml: string, port: number): Promise<string> {
  using job = aJob(yaml);
  const decided = async () =>
    planOf((await job.tick({ mode: 'plan' })).outcomes.find(({ node }) => node.endsWith(`:${port}`)));
  let text = '';
  // On a busy machine a check may come to nothing.
  await eventually(decided, (plan) => {
    expect(plan?.reason ?? 'just-restarted').not.toBe('just-restarted');
    text = plan ? planText(plan) : '';
  });
  return text;
}

const alone = (port: number) => configYaml(port, OPEN + FLOORS);
const group = (...ports: number[]) =>
  `instances:\n  - id: group\n    nodes: [${ports.map((port) => `redis://127.0.0.1:${port}`).join(', ')}]${OPEN}${FLOORS}\n`;

/** In a Cluster one DEL of many keys would cross slots. */
async function fragmentKeyByKey(redis: Redis): Promise<void> {
  const value = 'x'.repeat(800);
  const keys = Array.from({ length: 120_000 }, (_, index) => `key:${index}`);
  for (let from = 0; from < keys.length; from += 1000) {
    const some = keys.slice(from, from + 1000);
    await some.reduce((pipeline, key) => pipeline.set(key, value), redis.pipeline()).exec();
  }
  const doomed = keys.filter((_, index) => index % 3 > 0);
  await doomed.reduce((pipeline, key) => pipeline.del(key), redis.pipeline()).exec();
  // INFO's memory figures are a sample of each 100 ms.
  await eventually(
    () => redis.info('memory'),
    (found) => expect(found).toMatch(/allocator_frag_bytes:[3-9]\d{7}/),
  );
}

async function replicaOf({ server }: Place): Promise<{ readonly server: RunningServer } & AsyncDisposable> {
  const replica = await plainServer({ args: ['--replicaof', '127.0.0.1', `${server.port}`] });
  const redis = clientOf(replica);
  await eventually(
    () => redis.info('replication'),
    (found) => expect(found).toMatch(/master_link_status:up\r\n.*master_sync_in_progress:0/s),
  );
  redis.disconnect();
  return { server: replica, [Symbol.asyncDispose]: () => replica.stop() };
}

// Each has servers of its own, and waits for most of its time: side by side.
describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('on real servers', { concurrent: true }, () => {
  it('a calm one would be defragmented', async () => {
    await using place = await aServer();
    expect(await planned(alone(place.server.port), place.server.port)).toMatch(/^start active defrag: /);
  });

  it('persistence-failing: a BGSAVE that cannot put its file in place', async () => {
    await using place = await aServer();
    const { redis, server } = place;
    const [, folder = ''] = (await redis.config('GET', 'dir')) as string[];
    // Rights do not keep root from writing; a folder in place of the file does.
    mkdirSync(join(folder, 'dump.rdb'));
    writeFileSync(join(folder, 'dump.rdb', 'in the way'), '');
    await redis.set('unsaved', 1);
    await redis.bgsave();
    await eventually(
      () => redis.info('persistence'),
      (found) => expect(found).toContain('rdb_last_bgsave_status:err'),
    );
    expect(await planned(alone(server.port), server.port)).toMatch(
      /^nothing: the server fails to save its data; .* \(rdb_last_bgsave_status: err; [\d,]+ changes since the last save\)/,
    );
  });

  it('F9: a primary whose replicas do not answer is left alone, and so is one that has lost them', async () => {
    await using place = await aServer();
    const { port } = place.server;
    await using one = await replicaOf(place);
    await using other = await replicaOf(place);
    const yaml = group(port, one.server.port, other.server.port);
    await eventually(
      () => place.redis.info('replication'),
      (found) => expect(found).toMatch(/state=online.*state=online/s),
    );
    expect(await planned(yaml, port)).toMatch(/^start active defrag: /);
    process.kill(one.server.pid, 'SIGKILL');
    process.kill(other.server.pid, 'SIGKILL');
    await eventually(
      () => place.redis.info('replication'),
      (found) => expect(found).toContain('connected_slaves:0'),
    );
    const why = await planned(yaml, port);
    expect(why).toMatch(/other nodes of its instance do not answer \(.*; 2 of 2 peers\)/);
    expect(why).toMatch(/fewer replicas are connected than the config has \(0 of 2\)/);
  });

  it('F9: a replica that follows its primary no more', async () => {
    await using place = await aServer();
    await using independent = await plainServer();
    const why = await planned(group(place.server.port, independent.port), place.server.port);
    expect(why).toMatch(/^nothing: this primary is left alone, because fewer replicas are connected .* \(0 of 1\)/);
  });

  it('replica-behind: a replica that has been stopped, seen from its primary', async () => {
    await using place = await aServer();
    await using replica = await replicaOf(place);
    // Or else the primary hangs up on it after a minute.
    await place.redis.config('SET', 'repl-timeout', '3600');
    process.kill(replica.server.pid, 'SIGSTOP');
    await eventually(
      () => place.redis.info('replication'),
      (found) => expect(found).toMatch(/state=online,.*lag=(1[1-9]|[2-9]\d|\d{3})/),
    );
    // In the config the primary stands alone: nothing but its own word says so.
    expect(await planned(alone(place.server.port), place.server.port)).toMatch(
      /^nothing: replication is behind \(a replica of this primary has not acknowledged for \d+ (s|min)/,
    );
    process.kill(replica.server.pid, 'SIGCONT');
  });

  it('slots-migrating: a slot of a real Cluster that is on its way, and a user who may not see it', async () => {
    await using place = await anEmptyServer(['--cluster-enabled', 'yes']);
    await using stack = new AsyncDisposableStack();
    const target = stack.use(await plainServer({ args: ['--cluster-enabled', 'yes'] }));
    const other = stack.adopt(clientOf(target), (client) => client.disconnect());
    const { redis, server } = place;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await redis.call('CLUSTER', 'MEET', '127.0.0.1', `${target.port}`);
    await eventually(
      () => redis.call('CLUSTER', 'INFO'),
      (found) => expect(found).toContain('cluster_state:ok'),
    );
    const id = String(await other.call('CLUSTER', 'MYID'));
    await eventually(
      () => redis.call('CLUSTER', 'NODES'),
      (found) => expect(found).toContain(id),
    );
    await fragmentKeyByKey(redis);
    expect(await planned(alone(server.port), server.port)).toMatch(/^start active defrag: /);
    await redis.call('CLUSTER', 'SETSLOT', '42', 'MIGRATING', id);
    expect(await planned(alone(server.port), server.port)).toMatch(
      /^nothing: slots are migrating to or from this node \(slots and tasks: 1\)/,
    );
    const rights = '+info +memory|purge +config|get +config|set +latency|latest +latency|history +client|setname +ping';
    await redis.call('ACL', 'SETUSER', 'default', 'reset', 'on', 'nopass', ...rights.split(' '), '+acl|setuser');
    expect(await planned(alone(server.port), server.port)).toMatch(
      /^nothing: the server refuses CLUSTER INFO or CLUSTER NODES, .*grant \+cluster\|info \+cluster\|nodes/,
    );
    await redis.call('ACL', 'SETUSER', 'default', '+cluster|info', '+cluster|nodes');
    expect(await planned(alone(server.port), server.port)).toMatch(/^nothing: slots are migrating/);
  });

  it('what is examined of a server without a Cluster: no modules, and nothing of slots', async () => {
    await using server = await plainServer();
    const target = { host: '127.0.0.1', port: server.port, tls: false };
    const connection = await connect(target, { addresses: [target.host] });
    const first = await observe(connection, 'it', () => Date.now());
    expect(first.address).toBe('127.0.0.1');
    expect(await examine(connection, first)).not.toHaveProperty('cluster');
    connection.close();
  });
});
