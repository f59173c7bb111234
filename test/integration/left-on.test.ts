import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { aJob, closedWindow, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { planOf } from '../support/outcomes.ts';
import { ownPort } from '../support/ports.ts';
import { sentinelOf, until } from '../support/sentinel.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

/** One percent of a processor: still at it when the test looks. */
const FLOORS = SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall');
const SLOW = OPEN + FLOORS;

const WATCHED = ['activedefrag', 'hz', 'latency-monitor-threshold'];
const ofDefrag = (settings: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(settings).filter(([name]) => WATCHED.includes(name) || name.startsWith('active-defrag')),
  );

/** A server with a config file of its own, that can be started again from it, at the same port. */
async function aServerWithFile() {
  const folder = await mkdtemp(join(tmpdir(), 'offpeak-config-'));
  const configFile = join(folder, 'redis.conf');
  await writeFile(configFile, '');
  const port = await ownPort();
  let server: RunningServer = await defragServer({ configFile, port, args: ['--dir', folder] });
  let redis: Redis = clientOf(server);
  const end = async () => {
    redis.disconnect();
    await server.stop();
  };
  return {
    port,
    get redis() {
      return redis;
    },
    text: () => readFile(configFile, 'utf8'),
    settings: async () => ofDefrag(await settingsOf(redis)),
    async restart() {
      await end();
      server = await defragServer({ configFile, port, args: ['--dir', folder] });
      redis = clientOf(server);
    },
    async [Symbol.asyncDispose]() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const events = ({ alerts }: Job) => alerts.map(({ event }) => event);
/** A server that has just started is left alone for ten seconds. */
const outlived = (redis: Redis) =>
  until(async () => (Number(/uptime_in_seconds:(\d+)/.exec(await redis.info('server'))?.[1]) > 11 ? true : undefined));

// Each has servers of its own, and waits for most of its time: side by side.
describe.skipIf(lacksServer('defrag'))(
  'S11: settings of ours that a CONFIG REWRITE has kept',
  { concurrent: true },
  () => {
    // Begun first: it takes twice as long as the others.
    it('F2: are told after a failover by a real Sentinel, which rewrites the file', async () => {
      await using primary = await aServerWithFile();
      await using replica = await aServerWithFile();
      await replica.redis.replicaof('127.0.0.1', primary.port);
      await until(async () =>
        /master_link_status:up/.test(await replica.redis.info('replication')) ? true : undefined,
      );
      await fragment(primary.redis);
      await outlived(primary.redis);
      using job = aJob(configYaml(primary.port, SLOW));
      expect((await job.tick()).leased).toHaveLength(1);
      await using sentinel = await sentinelOf(primary.port, await ownPort());
      await sentinel.failOver();
      await until(async () => (/activedefrag yes/.test(await primary.text()) ? true : undefined));
      await until(async () =>
        /master_link_status:up/.test(await primary.redis.info('replication')) ? true : undefined,
      );
      await job.tick({ holder: 'b' });
      expect((await primary.settings()).activedefrag).toBe('no');
      expect(events(job)).toContain('config-rewritten');
      await primary.restart();
      await until(async () =>
        /master_link_status:up/.test(await primary.redis.info('replication')) ? true : undefined,
      );
      expect((await primary.settings()).activedefrag).toBe('yes');
      await job.tick({ holder: 'c' });
      expect((await primary.settings()).activedefrag).toBe('no');
      expect(events(job)).toContain('left-on');
    });

    it('F2: are told when the lease ends, and given back by the record at the restart, outside of every window', async () => {
      await using server = await aServerWithFile();
      const before = await server.settings();
      await fragment(server.redis);
      await outlived(server.redis);
      using job = aJob(configYaml(server.port, SLOW));
      expect((await job.tick()).leased).toHaveLength(1);
      await server.redis.config('REWRITE');
      expect(await server.text()).toMatch(/activedefrag yes/);
      await job.tick({ release: 'released' });
      expect(await server.settings()).toEqual(before);
      expect(events(job).toSorted()).toEqual(['config-rewritten', 'defrag-aborted', 'defrag-started']);

      await server.restart();
      expect((await server.settings()).activedefrag).toBe('yes');
      // Another job, weeks later, that has the state of the first one.
      using later = aJob(configYaml(server.port, closedWindow() + FLOORS), { stateFile: job.stateFile });
      const { outcomes } = await later.tick({ holder: 'later' });
      // First: it says why, where the settings stand.
      expect(outcomes).toMatchObject([{ kind: 'observed', plan: { reason: 'left-on' } }]);
      expect(await server.settings()).toEqual(before);
      expect(events(later)).toEqual(['left-on']);
      await later.tick({ holder: 'later still' });
      expect(events(later)).toEqual(['left-on']);
      // The remedy that both messages name.
      await server.redis.config('REWRITE');
      await server.restart();
      expect(await server.settings()).toEqual(before);
    });

    it.each([
      ['latency-monitor-threshold', '100'],
      ['hz', '20'],
      ['active-defrag-cycle-max', '30'],
    ])('F3: go back, and %s stays as a human has set it meanwhile', async (name, value) => {
      await using server = await aServerWithFile();
      const before = await server.settings();
      await fragment(server.redis);
      await outlived(server.redis);
      using job = aJob(configYaml(server.port, SLOW));
      await job.tick();
      await server.redis.config('SET', name, value);
      await server.redis.config('REWRITE');
      await server.restart();
      await job.tick({ holder: 'b' });
      expect(await server.settings()).toEqual({ ...before, [name]: value });
      expect(events(job)).toContain('config-rewritten');
      const lost = job.alerts.find(({ event }) => event === 'lease-lost');
      expect(lost?.next).toMatch(/^None of Offpeak's settings is left on\./);
    });

    it('F14: are told with what to type where the state was lost, and not called a stranger', async () => {
      await using server = await aServerWithFile();
      await fragment(server.redis);
      await outlived(server.redis);
      using job = aJob(configYaml(server.port, SLOW));
      await job.tick();
      await rm(job.stateFile);
      const { outcomes } = await job.tick({ holder: 'b' });
      expect(outcomes).toMatchObject([{ kind: 'observed', plan: { reason: 'left-on' } }]);
      const alert = job.alerts.at(-1);
      expect(alert).toMatchObject({ event: 'left-on', severity: 'warning' });
      const typed = [...(alert?.next ?? '').matchAll(/CONFIG SET (\S+) ([^\s;.]+)/g)];
      for (const [, name = '', value = ''] of typed) await server.redis.config('SET', name, value);
      expect((await server.settings()).activedefrag).toBe('no');
      using later = aJob(configYaml(server.port, closedWindow() + FLOORS));
      expect(planOf((await later.tick({ holder: 'c' })).outcomes[0])?.reason).not.toBe('left-on');
      expect(events(later)).toEqual([]);
    });
  },
);

describe.skipIf(lacksServer('defrag'))('F19: one server under two names', { concurrent: true }, () => {
  it('is purged once, and its second name is only watched', async () => {
    await using server = await defragServer();
    const redis = clientOf(server);
    await fragment(redis);
    await outlived(redis);
    const yaml = `instances:\n  - id: sessions\n    nodes: [redis://127.0.0.1:${server.port}, redis://localhost:${server.port}]${SLOW}\n`;
    using job = aJob(yaml);
    const { outcomes, leased } = await job.tick();
    expect(leased).toMatchObject([{ node: `127.0.0.1:${server.port}` }]);
    expect(outcomes).toHaveLength(2);
    expect(outcomes[1]).toMatchObject({
      plan: { reason: 'same-server', blockers: [{ as: `127.0.0.1:${server.port}` }] },
    });
    await job.tick({ release: 'released' });
    expect(events(job).toSorted()).toEqual(['defrag-aborted', 'defrag-started', 'same-server']);
    redis.disconnect();
  });
});
