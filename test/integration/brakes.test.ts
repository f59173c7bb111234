import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { MIB, MINUTE } from '../../core/config/units.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { refragmented } from '../support/fragmented.ts';
import { fragmentedServers } from '../support/fragmented-server.ts';
import { aJob, type Job, OPEN } from '../support/job.ts';
import { planOf } from '../support/outcomes.ts';
import { lacksServer } from '../support/servers.ts';

// F8, on real servers: as many at once as the config says, one of a host, and none of a version on which one has just died.

/** So little CPU that no run ends before the next tick. */
const FLOORS = `
    purge: { enabled: false }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxMainThreadCpu: 100%`;

const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

describe.skipIf(lacksServer('defrag'))('F8: fragmented servers of one stage', { timeout: 600_000 }, () => {
  let servers: readonly RunningServer[] = [];
  let clients: readonly Redis[] = [];

  beforeAll(async () => {
    const fragmented = await fragmentedServers(120 * MIB, HOSTS);
    servers = fragmented.map(({ server }) => server);
    clients = fragmented.map(({ redis }) => redis);
  });

  afterAll(async () => {
    for (const redis of clients) redis.disconnect();
    for (const server of servers) await server.stop();
  });

  beforeEach(async () => {
    for (const redis of clients.filter(({ status }) => status === 'ready')) await refragmented(redis, 120 * MIB);
  });

  /** One instance for each server, at these addresses. */
  const config = (limit: number, hosts: readonly string[]) =>
    `maxDefragsAtOnce: ${limit}\ninstances:\n${hosts
      .map((host, index) => `  - id: i${index}\n    url: redis://${host}:${servers[index]?.port}${OPEN}${FLOORS}\n`)
      .join('')}`;

  const startedIn = (tick: Tick) => tick.outcomes.filter((one) => planOf(one)?.kind === 'act').map(({ node }) => node);
  const withheld = (tick: Tick, kind: string) => tick.outcomes.filter((outcome) => blockersOf(outcome).includes(kind));

  const blockersOf = (outcome: Outcome) => {
    const plan = planOf(outcome);
    return plan?.kind === 'skip' ? (plan.blockers ?? []).map((blocker) => blocker.kind as string) : [];
  };

  async function released(job: Job): Promise<void> {
    await job.tick({ release: 'released' });
    for (const redis of clients.filter(({ status }) => status === 'ready'))
      expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'no']);
  }

  it('of three, one starts where one may, and the others say for whom they wait', async () => {
    using job = aJob(config(1, HOSTS));
    const tick = await job.tick();
    const [started, ...others] = startedIn(tick);
    expect(others).toEqual([]);
    expect(withheld(tick, 'stage-limit')).toHaveLength(2);
    for (const outcome of withheld(tick, 'stage-limit'))
      expect(planOf(outcome)).toMatchObject({ blockers: [{ kind: 'stage-limit', limit: 1, nodes: [started] }] });
    expect((await job.tick()).leased).toHaveLength(1);
    await released(job);
  });

  it('two jobs at once start no more than one does', async () => {
    using job = aJob(config(2, HOSTS));
    using other = aJob(config(2, HOSTS), { stateFile: job.stateFile });
    const ticks = await Promise.all([job.tick({ holder: 'one' }), other.tick({ holder: 'other' })]);
    expect(ticks.flatMap(startedIn)).toHaveLength(2);
    await released(job);
  });

  it('of servers that share a host, one is worked on at a time', async () => {
    using job = aJob(config(4, ['127.0.0.1', '127.0.0.1', '127.0.0.1']));
    const tick = await job.tick();
    expect(startedIn(tick)).toHaveLength(1);
    expect(withheld(tick, 'host-acting')).toHaveLength(2);
    await released(job);
  });

  it('of two names that lead to one host as well', async () => {
    using job = aJob(config(4, ['127.0.0.1', 'localhost', '127.0.0.3']));
    const tick = await job.tick();
    expect(startedIn(tick)).toHaveLength(2);
    expect(withheld(tick, 'host-acting')).toHaveLength(1);
    await released(job);
  });

  // The last one: it loses a server.
  it('a server that dies under our defrag keeps its version from one until the next night', async () => {
    let now = 0;
    const clock = {
      now: () => Date.now() + now,
      sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
      pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    using job = aJob(config(1, HOSTS), { clock });
    const [started] = startedIn(await job.tick());
    const index = HOSTS.findIndex((host) => started?.startsWith(`${host}:`));
    const victim = servers[index];
    if (!victim) throw new Error(`no server ${started}`);
    clients[index]?.disconnect();
    process.kill(victim.pid, 'SIGKILL');
    await victim.stop();
    // Another stage's limit does not stand in the way, so that the version alone does.
    using wider = aJob(config(4, HOSTS), { clock, stateFile: job.stateFile });
    const tick = await wider.tick();
    expect(startedIn(tick)).toEqual([]);
    expect(withheld(tick, 'version-fell').map(planOf)).toEqual([
      expect.objectContaining({ reason: 'version-fell' }),
      expect.objectContaining({ reason: 'version-fell' }),
    ]);
    // A job that has not seen it hears of it by the store.
    using unseen = aJob(config(4, HOSTS), { clock, stateFile: job.stateFile });
    const nodes = servers.flatMap(({ port }, at) =>
      at === index ? [] : [{ instance: `i${at}`, node: `${HOSTS[at]}:${port}` }],
    );
    expect(startedIn(await unseen.tick({ scope: { kind: 'nodes', nodes } }))).toEqual([]);
    now += 21 * 60 * MINUTE;
    expect(startedIn(await unseen.tick({ scope: { kind: 'nodes', nodes } }))).toHaveLength(2);
    for (const redis of clients.filter(({ status }) => status === 'ready'))
      await redis.config('SET', 'activedefrag', 'no');
  });
});
