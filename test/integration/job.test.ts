import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { fragmentedServer } from '../support/fragmented-server.ts';
import { aJob, closedWindow, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { planOf, plansOf } from '../support/outcomes.ts';
import { defragServer, keepingServer, lacksServer } from '../support/servers.ts';

/** Ticks until nothing is under way, as `run --watch --until-idle` does. */
async function untilIdle(job: Job, most = 60): Promise<readonly Tick[]> {
  const ticks: Tick[] = [];
  while (ticks.length < most) {
    const latest = await job.tick();
    ticks.push(latest);
    if (latest.idle) return ticks;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`not idle after ${most} ticks: ${JSON.stringify(planOf(ticks.at(-1)?.outcomes[0]))}`);
}

describe.skipIf(lacksServer('defrag'))('on a server that can defragment', () => {
  let server: RunningServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await defragServer();
    redis = clientOf(server);
    await fragment(redis);
    // jemalloc returns what it can by itself in its ten seconds; the server is then older than the guard asks, too.
    await new Promise((resolve) => setTimeout(resolve, 11_000));
  });

  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  beforeEach(async () => {
    await redis.config('SET', 'activedefrag', 'no');
  });

  it('does nothing while the window is closed, and says when it opens', async () => {
    using job = aJob(configYaml(server.port, closedWindow() + SMALL_FLOORS));
    const before = await settingsOf(redis);
    const { outcomes, idle } = await job.tick();
    expect(planOf(outcomes[0])).toMatchObject({
      kind: 'skip',
      reason: 'outside-window',
      instead: { action: 'start-defrag' },
      until: expect.any(Number),
    });
    expect(idle).toBe(true);
    expect(await settingsOf(redis)).toEqual(before);
    expect(job.alerts).toEqual([]);
  });

  it('does nothing while others send more commands than maxOpsPerSecond, measured without its own', async () => {
    using job = aJob(configYaml(server.port, `${OPEN}${SMALL_FLOORS.replace('100000', '50')}`));
    using traffic = keepPinging(redis, 5);
    const { outcomes } = await job.tick();
    expect(planOf(outcomes[0])).toMatchObject({ kind: 'skip', reason: 'busy' });
    expect(traffic.sent()).toBeGreaterThan(50);
    const [outcome] = outcomes;
    const plan = planOf(outcome);
    expect(plan?.kind === 'skip' && plan.blockers?.[0]).toMatchObject({
      kind: 'busy',
      commands: { limit: 50, perSecond: expect.any(Number) },
    });
  });

  it('does nothing while others keep the main thread at work, and says how much of it', async () => {
    using job = aJob(configYaml(server.port, `${OPEN}${SMALL_FLOORS}\n    maxMainThreadCpu: 1%`));
    const before = await settingsOf(redis);
    using _ = keepComputing(redis);
    const { outcomes } = await job.tick();
    const cpus = outcomes.flatMap((one) => (one.kind === 'observed' ? (one.mainThreadCpu ?? []) : []));
    expect(planOf(outcomes[0])).toMatchObject({
      kind: 'skip',
      reason: 'busy',
      blockers: [{ kind: 'busy', mainThread: { cpu: cpus[0], limit: 1 } }],
    });
    expect(cpus[0]).toBeGreaterThan(1);
    expect(await settingsOf(redis)).toEqual(before);
  });

  it('counts no command of its own: on a server that nobody else uses the rate is 0', async () => {
    using job = aJob(configYaml(server.port, OPEN + SMALL_FLOORS.replace('100000', '0')));
    const { outcomes } = await job.tick({ mode: 'plan' });
    expect(outcomes[0]).toMatchObject({
      opsPerSecond: 0,
      mainThreadCpu: expect.any(Number),
      plan: { kind: 'act', action: { kind: 'start-defrag' } },
    });
  });

  it('does nothing while BGSAVE runs', async () => {
    using job = aJob(configYaml(server.port));
    await redis.config('SET', 'rdb-key-save-delay', '300');
    await redis.bgsave();
    try {
      const { outcomes } = await job.tick();
      expect(planOf(outcomes[0])).toMatchObject({
        kind: 'skip',
        reason: 'forking',
        blockers: [{ kind: 'forking', child: 'bgsave' }],
      });
      expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'no']);
    } finally {
      await redis.config('SET', 'rdb-key-save-delay', '0');
      await endOfBgsave(redis);
    }
  });

  it('never switches off what a human has switched on, and says once that it is there', async () => {
    using job = aJob(configYaml(server.port));
    await redis.config('SET', 'activedefrag', 'yes', 'active-defrag-cycle-max', '2');
    const before = await settingsOf(redis);
    const first = await job.tick();
    const second = await job.tick();
    expect(plansOf([first, second])).toEqual(['foreign-defrag', 'foreign-defrag']);
    expect(job.alerts.map(({ event }) => event)).toEqual(['foreign-defrag']);
    expect(await settingsOf(redis)).toEqual(before);
    await redis.config('SET', 'activedefrag', 'no', 'active-defrag-cycle-max', '25');
  });

  it('gives back a lease whose job has died, at the first tick after the window: off, as before, told', async () => {
    const before = await settingsOf(redis);
    using job = aJob(configYaml(server.port, OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall')));
    const started = await job.tick();
    expect(plansOf([started])).toEqual(['start-defrag']);
    expect(started.leased).toHaveLength(1);
    expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
    using another = aJob(configYaml(server.port, closedWindow() + SMALL_FLOORS), { stateFile: job.stateFile });
    const closing = await another.tick({ holder: 'successor' });
    expect(planOf(closing.outcomes[0])).toMatchObject({
      kind: 'act',
      action: { kind: 'stop-defrag', because: 'window-closed' },
    });
    expect(closing.leased).toEqual([]);
    expect([...(await another.ports.store.list('lease#'))]).toEqual([]);
    expect(await settingsOf(redis)).toEqual(before);
    expect(another.alerts.map(({ event }) => event)).toEqual(['defrag-aborted']);
  });

  it('leaves alone a setting that somebody changed during the lease, and says so', async () => {
    const before = await settingsOf(redis);
    using job = aJob(configYaml(server.port, OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall')));
    await job.tick();
    await redis.config('SET', 'active-defrag-ignore-bytes', '7340032');
    const closing = await job.tick({ release: 'interrupted' });
    expect(closing.outcomes[0]?.notices).toEqual([
      { kind: 'settings-changed', leftAlone: { 'active-defrag-ignore-bytes': '7340032' } },
    ]);
    expect(await settingsOf(redis)).toEqual({ ...before, 'active-defrag-ignore-bytes': '7340032' });
    await redis.config('SET', 'active-defrag-ignore-bytes', before['active-defrag-ignore-bytes'] ?? '');
  });

  it('defragments under a lease, ends it, purges, restores every setting, and returns what it predicted', async () => {
    // One that keeps its free pages: on a slow machine they leave by themselves before the purge.
    await using keeping = await fragmentedServer(undefined, {}, keepingServer);
    const before = keeping.settings;
    // Less than our own defrag takes: that is not counted as others' work.
    using job = aJob(configYaml(keeping.server.port, `${OPEN}${SMALL_FLOORS}\n    maxMainThreadCpu: 5%`));
    const ticks = await untilIdle(job);
    const plans = plansOf(ticks);
    expect(plans[0]).toBe('start-defrag');
    expect(plans).toContain('defragmenting');
    expect(plans.slice(-3)).toEqual(['stop-defrag', 'purge', 'healthy']);
    expect(await settingsOf(keeping.redis)).toEqual(before);
    const verdict = ticks.flatMap(({ outcomes }) => outcomes).find((outcome) => outcome.kind === 'stopped')?.verdict;
    expect(verdict).toMatchObject({ kind: 'improved', promisedStall: 100 });
    expect(verdict?.share).toBeGreaterThan(0.9);
    expect(verdict?.share).toBeLessThan(1.15);
    expect(job.alerts.map(({ event }) => event)).toEqual(['defrag-started', 'defrag-finished']);
    expect([...(await job.ports.store.list('lease#'))]).toEqual([]);
  });
});

/** Traffic of somebody else's, until disposed of. */
function keepPinging(redis: Redis, everyMs: number): Disposable & { sent(): number } {
  let sent = 0;
  const timer = setInterval(() => {
    sent += 2;
    void Promise.all([redis.ping(), redis.ping()]);
  }, everyMs);
  return { sent: () => sent, [Symbol.dispose]: () => clearInterval(timer) };
}

/** Short scripts, two at a time, until disposed of: however fast the machine, the main thread always has the next one to do. */
function keepComputing(redis: Redis): Disposable {
  const script = 'local sum = 0 for i = 1, 500000 do sum = sum + i end return sum';
  let isOver = false;
  const compute = async () => {
    while (!isOver) await redis.eval(script, 0);
  };
  void Promise.all([compute(), compute()]);
  return {
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}

async function endOfBgsave(redis: Redis): Promise<void> {
  await expect
    .poll(async () => /rdb_bgsave_in_progress:(\d)/.exec(await redis.info('persistence'))?.[1], { timeout: 60_000 })
    .toBe('0');
}
