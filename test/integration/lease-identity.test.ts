import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { leaseKey } from '../../core/state/keys.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { aJob, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { movingAddress } from '../support/moving-address.ts';
import { untilOldEnough } from '../support/offpeak.ts';
import { planOf } from '../support/outcomes.ts';
import { ownPort } from '../support/ports.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

/** One percent of a processor: still at it when the test looks. */
const SLOW = OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall');

describe.skipIf(lacksServer('defrag'))('which server a lease is on', () => {
  let server: RunningServer;
  let other: RunningServer;
  let redis: Redis;
  let before: Readonly<Record<string, string>>;

  beforeAll(async () => {
    [server, other] = await Promise.all([ownPort().then((port) => defragServer({ port })), defragServer()]);
    redis = clientOf(server);
    await fragment(redis);
    before = await settingsOf(redis);
    await untilOldEnough(redis);
  });

  afterAll(async () => {
    redis?.disconnect();
    await Promise.all([server?.stop(), other?.stop()]);
  });

  it('is not the one that answers at its address now: nothing is changed there, and a person is told', async () => {
    await using address = await movingAddress(server.port);
    using job = aJob(configYaml(address.port, SLOW));
    expect((await job.tick()).leased).toHaveLength(1);
    address.moveTo(other.port);
    const ticks = [await job.tick({ holder: 'b' }), await job.tick({ holder: 'c' })];
    for (const { outcomes } of ticks) {
      expect(outcomes).toMatchObject([{ kind: 'failed', leased: true, problem: { kind: 'stranded-lease' } }]);
    }
    expect(job.alerts.map(({ event, severity }) => [event, severity])).toEqual([
      ['defrag-started', 'info'],
      ['action-failed', 'critical'],
    ]);
    expect(job.alerts[1]?.why).toContain('CONFIG SET activedefrag no');
    const untouched = clientOf(other);
    expect(await untouched.config('GET', 'activedefrag')).toEqual(['activedefrag', 'no']);
    untouched.disconnect();
    address.moveTo(server.port);
    expect((await job.tick({ release: 'interrupted' })).leased).toEqual([]);
    expect(await settingsOf(redis)).toEqual(before);
  });

  it('began or not: a job that died before its CONFIG SET has switched nothing on, and a human who did keeps it', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    await job.tick();
    const taking = await leaseOf(job);
    await job.tick({ release: 'interrupted' });
    for (const typed of ['no', 'yes']) {
      await redis.config('SET', 'activedefrag', typed);
      await job.ports.store.write(leaseKey('sessions'), { ...taking, phase: 'taking' }, undefined);
      const { outcomes, leased } = await job.tick({ holder: 'successor' });
      expect(planOf(outcomes[0])).toMatchObject({ action: { kind: 'stop-defrag', because: 'never-started' } });
      expect(outcomes[0]).not.toHaveProperty('verdict');
      expect(leased).toEqual([]);
      expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', typed]);
    }
    await redis.config('SET', 'activedefrag', 'no');
    expect(await settingsOf(redis)).toEqual(before);
  });

  it('is given back and closed by whoever comes after a job that died in between: no second purge', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    await job.tick();
    const running = await leaseOf(job);
    await job.tick({ release: 'interrupted' });
    const purges = await purgesOf(redis);
    const closing = { ...running, phase: 'closing', closing: 'goal-met', busyUntil: 0 };
    await job.ports.store.write(leaseKey('sessions'), closing, undefined);
    await job.tick({ holder: 'successor' });
    const once = (await purgesOf(redis)) - purges;
    await job.ports.store.write(leaseKey('sessions'), closing, undefined);
    await job.tick({ holder: 'another successor' });
    expect((await purgesOf(redis)) - purges).toBe(once);
    expect(await settingsOf(redis)).toEqual(before);
  });

  it('is dropped after a restart, and that node is left alone on this version for a week', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    await job.tick();
    const { port } = server;
    redis.disconnect();
    await server.stop();
    server = await defragServer({ port });
    redis = clientOf(server);
    await fragment(redis);
    const { outcomes, leased } = await job.tick({ holder: 'successor' });
    expect(planOf(outcomes[0])).toMatchObject({ action: { because: 'server-restarted' } });
    expect(leased).toEqual([]);
    expect(job.alerts.map(({ event }) => event)).toEqual(['defrag-started', 'lease-lost']);
    using unpurged = aJob(configYaml(port, SLOW.replace('24MiB, maxBlock', '1GiB, maxBlock')), {
      stateFile: job.stateFile,
    });
    expect(planOf((await unpurged.tick()).outcomes[0])).toMatchObject({
      reason: 'denied-version',
      denial: { issue: 'seen on this node' },
    });
  });
});

async function leaseOf(job: Job): Promise<object> {
  return (await job.ports.store.read(leaseKey('sessions')))?.value as object;
}

async function purgesOf(redis: Redis): Promise<number> {
  return Number(/cmdstat_memory\|purge:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
}
