import {
  CreateReplicationGroupCommand,
  DescribeCacheParametersCommand,
  ElastiCacheClient,
} from '@aws-sdk/client-elasticache';
import { MemoryDBClient } from '@aws-sdk/client-memorydb';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { systemClock } from '../../core/adapters/clock.ts';
import { readGroupLeases } from '../../core/managed/lease.ts';
import type { AwsProxy } from './aws-proxy.ts';
import { type AwsStandIn, awsStandIn, NAMES_HERE } from './aws-stand-in.ts';
import { clientOf, fragment, refragmented, settingsOf } from './fragmented.ts';
import { aJob, type Job, OPEN } from './job.ts';
import { FLEETS, type Moto } from './moto.ts';
import { untilOldEnough } from './offpeak.ts';
import { defragServer } from './servers.ts';

export const GROUP = 'carts-valkey8';
export const MINUTE = 60_000;
export const THROUGH = `
    defrag: { through: parameter-group, minReclaim: 24MiB, maxStall: 5ms }
    purge: { enabled: false }
    maxOpsPerSecond: 100000`;
export const ON = '{ elasticache: { tags: { offpeak: "on" } } }';

/** A stand-in for both services, and a fragmented server that refuses CONFIG. */
interface Scene {
  readonly moto: Moto;
  readonly proxy: AwsProxy;
  readonly caches: ElastiCacheClient;
  readonly memory: MemoryDBClient;
  readonly server: RunningServer;
  /** Signed in as AWS is, which may change its settings. */
  readonly aws: Redis;
  /** Its settings, as they were before any test. */
  readonly before: Readonly<Record<string, string>>;
}

/** For the tests of the surrounding `describe`; each begins with a fresh AWS and a fragmented server. */
export function parameterGroupScene() {
  let standIn: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let caches: ElastiCacheClient;
  let memory: MemoryDBClient;
  let server: RunningServer;
  let aws: Redis;
  let before: Readonly<Record<string, string>>;
  let ahead = 0;
  const jobs: Job[] = [];

  beforeAll(async () => {
    standIn = await awsStandIn(FLEETS);
    ({ moto, proxy } = standIn);
    caches = new ElastiCacheClient({});
    memory = new MemoryDBClient({});
    server = await defragServer();
    const first = clientOf(server);
    await first.call('ACL', 'SETUSER', 'aws', 'on', '>aws', '~*', '&*', '+@all');
    first.disconnect();
    aws = clientOf(server);
    await aws.auth('aws', 'aws');
    await fragment(aws);
    await untilOldEnough(aws);
    await aws.call('ACL', 'SETUSER', 'default', '-config');
    before = await settingsOf(aws);
  });
  afterAll(async () => {
    for (const client of [caches, memory]) client?.destroy();
    aws?.disconnect();
    await server?.stop();
    await standIn?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    ahead = 0;
    await moto.reset();
    proxy.clear();
    await refragmented(aws);
  });
  afterEach(async () => {
    for (const job of jobs.splice(0)) job[Symbol.dispose]();
    await slowAws(false);
    const ofDefrag = Object.entries(before).filter(([name]) => /^active-?defrag/.test(name));
    await aws.call('CONFIG', 'SET', ...ofDefrag.flat());
  });

  const tags = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([Key, Value]) => ({ Key, Value }));

  async function group(id: string, values: Record<string, string> = {}, parameterGroup = GROUP) {
    await caches.send(
      new CreateReplicationGroupCommand({
        ReplicationGroupId: id,
        ReplicationGroupDescription: id,
        Engine: 'valkey',
        ReplicasPerNodeGroup: 0,
        CacheNodeType: 'cache.m7g.large',
        CacheParameterGroupName: parameterGroup,
        PreferredMaintenanceWindow: farMaintenance(),
        Tags: tags({ 'moto:ports': `${server.port}`, offpeak: 'on', ...values }),
      }),
    );
  }

  async function parameters() {
    const { Parameters = [] } = await caches.send(
      new DescribeCacheParametersCommand({ CacheParameterGroupName: GROUP }),
    );
    return Object.fromEntries(Parameters.map((one) => [one.ParameterName, `${one.ParameterValue} ${one.Source}`]));
  }

  function job(
    more = OPEN + THROUGH,
    { discover = ON, ...overrides }: Partial<NonNullable<Parameters<typeof aJob>[1]>> & { discover?: string } = {},
  ): Job {
    const clock = systemClock();
    const one = aJob(`instances:\n  - id: carts\n    discover: ${discover}${more}\n`, {
      names: NAMES_HERE,
      clock: { ...clock, now: () => clock.now() + ahead },
      ...overrides,
    });
    jobs.push(one);
    return one;
  }

  const changes = () =>
    proxy.requests.map(({ operation }) => operation).filter((one) => /^(Modify|Reset|Update)/.test(one));

  /** Ticks until no lease is left; returns the last one. How many that are depends on the server's speed. */
  async function untilEnded(one: Job, options: Parameters<Job['tick']>[0] = {}) {
    for (const end = performance.now() + 4 * MINUTE; performance.now() < end; ) {
      const latest = await one.tick(options);
      if ((await readGroupLeases(one.ports.store)).length === 0) return latest;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    throw new Error(`a lease is left: ${JSON.stringify(await readGroupLeases(one.ports.store))}`);
  }

  /**
   * What the group says does not reach the node, as AWS may take minutes. A defrag that is on ends by itself, on a slow machine before the job
   * looks again.
   */
  async function slowAws(isSlow = true) {
    await aws.call('ACL', 'SETUSER', 'aws', 'resetpass', isSlow ? '>not-now' : '>aws');
  }

  const scene = (): Scene => ({ moto, proxy, caches, memory, server, aws, before });
  /** The clocks of the jobs go on by this. */
  const pass = (ms: number) => {
    ahead += ms;
  };
  return { scene, tags, group, parameters, job, changes, untilEnded, slowAws, pass };
}

/** AWS' weekly hour, two days from now. */
export function farMaintenance(): string {
  const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 2) % 7];
  return `${day}:01:00-${day}:02:00`;
}
