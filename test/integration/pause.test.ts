import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import type { Pause } from '../../core/domain/pause.ts';
import { endPause, putPause } from '../../core/state/pauses.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { aJob, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { aWorkplace, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { planOf } from '../support/outcomes.ts';
import { lacksServer } from '../support/servers.ts';

/** A hundredth of a processor: this defrag takes a minute. */
const SLOW = OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall');
const HOUR = 3_600_000;

describe.skipIf(lacksServer('defrag'))('a pause on a server that can defragment', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let settings: Readonly<Record<string, string>>;
  let node: string;

  beforeAll(async () => {
    fragmented = await fragmentedServer();
    ({ server, redis, settings } = fragmented);
    node = `127.0.0.1:${server.port}`;
  });

  afterAll(() => fragmented?.[Symbol.asyncDispose]());

  beforeEach(() => refragmented(redis));

  const pause = (over: Partial<Pause> = {}): Pause => {
    const at = Date.now();
    return { until: at + HOUR, reason: 'load test', by: 'alice', at, ...over };
  };
  const expectOn = async () => expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
  const purges = async () => Number(/memory\|purge:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
  const plansOf = async (ticked: ReturnType<Job['tick']>) => (await ticked).outcomes.map(planOf);
  const started = { kind: 'act', action: { kind: 'start-defrag' } };

  test('stops a running defrag at the next tick: every setting is restored, nothing follows, and it is told', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    await redis.config('RESETSTAT');
    expect(await plansOf(job.tick())).toMatchObject([started]);
    await expectOn();
    const wanted = pause();
    await putPause(job.ports.store, 'sessions', wanted);
    const { outcomes, leased } = await job.tick();
    const { until, reason, by } = wanted;
    expect(outcomes).toMatchObject([
      {
        kind: 'stopped',
        plan: { action: { kind: 'stop-defrag', because: 'paused', pause: { until, reason, by } }, reason: 'paused' },
        pause: wanted,
      },
    ]);
    expect(leased).toEqual([]);
    expect(await settingsOf(redis)).toEqual(settings);
    expect([...(await job.ports.store.list('lease#'))]).toEqual([]);
    expect(await purges()).toBe(0);
    expect(job.alerts).toMatchObject([
      { event: 'defrag-started' },
      {
        event: 'defrag-aborted',
        severity: 'info',
        why: expect.stringMatching(/^The instance is paused until .* by alice \("load test"\)\.$/),
      },
    ]);
  });

  test('keeps a tick from starting, while it watches and publishes as ever; a resume lets it start, without a cooldown', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    const wanted = pause();
    await putPause(job.ports.store, '*', wanted);
    const { outcomes, idle } = await job.tick();
    expect(outcomes).toMatchObject([
      {
        kind: 'observed',
        plan: {
          kind: 'skip',
          reason: 'paused',
          until: wanted.until,
          pause: { reason: 'load test', by: 'alice' },
          instead: { action: 'start-defrag', predicted: { reclaim: expect.any(Number) } },
        },
        before: { diagnosis: { layers: { externalFragmentation: expect.any(Number) } } },
      },
    ]);
    expect(idle).toBe(true);
    expect(await settingsOf(redis)).toEqual(settings);
    const published = job.metrics.map(({ name }) => name);
    expect(published).toEqual(
      expect.arrayContaining(['Reachable', 'UsedMemoryRss', 'ExternalFragmentation', 'Heartbeat']),
    );
    expect(job.logs).toMatchObject([
      { message: 'node observed', fields: { pause: wanted, plan: { reason: 'paused' } } },
    ]);
    await endPause(job.ports.store, '*');
    expect(await plansOf(job.tick())).toMatchObject([started]);
    expect(await plansOf(job.tick({ release: 'released' }))).toMatchObject([{ reason: 'released' }]);
    // Neither a pause nor a release was the defrag's fault.
    expect(await plansOf(job.tick({ mode: 'plan' }))).toMatchObject([started]);
    expect(await settingsOf(redis)).toEqual(settings);
  });

  test('that comes between the two looks is seen by the second one', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    const { clock, store } = job.ports;
    const meanwhile = async () => await putPause(store, 'sessions', pause());
    using paused = aJob(configYaml(server.port, SLOW), {
      stateFile: job.stateFile,
      clock: { ...clock, pause: meanwhile },
    });
    expect(await plansOf(paused.tick())).toMatchObject([{ kind: 'skip', reason: 'paused' }]);
    expect(await settingsOf(redis)).toEqual(settings);
  });

  test('that has expired counts as none, and is removed by a tick that acts, not by one that only looks', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    const over = Date.now() - 1;
    await putPause(job.ports.store, 'sessions', pause({ until: over, at: over - HOUR }));
    const stored = async () => (await job.ports.store.list('pause#')).size;
    expect((await job.tick({ mode: 'watch' })).outcomes[0]).not.toHaveProperty('pause');
    expect(await plansOf(job.tick({ mode: 'plan' }))).toMatchObject([started]);
    expect(await stored()).toBe(1);
    expect(await plansOf(job.tick())).toMatchObject([started]);
    expect(await stored()).toBe(0);
    await job.tick({ release: 'released' });
    expect(await settingsOf(redis)).toEqual(settings);
  });

  test('on a holiday the window stays closed, until the first one after it', async () => {
    const DAY = 24 * HOUR;
    const today = Math.floor(Date.now() / DAY) * DAY;
    const [first, last] = [today, today + DAY].map((at) => new Date(at).toISOString().slice(0, 10));
    using job = aJob(configYaml(server.port, `${SLOW}\n    holidays: [${first}/${last}]`));
    expect(await plansOf(job.tick())).toMatchObject([
      { kind: 'skip', reason: 'holiday', until: today + 2 * DAY, instead: { action: 'start-defrag' } },
    ]);
    expect(await settingsOf(redis)).toEqual(settings);
  });

  test('a release begins nothing on a node whose lease has gone in the meantime', async () => {
    using job = aJob(configYaml(server.port, SLOW));
    const { outcomes, leased } = await job.tick({
      release: 'released',
      scope: { kind: 'nodes', nodes: [{ instance: 'sessions', node }] },
    });
    expect({ outcomes, leased }).toMatchObject({ outcomes: [{ kind: 'observed' }], leased: [] });
    expect(await settingsOf(redis)).toEqual(settings);
  });

  describe('through the command line', () => {
    let place: Workplace;
    beforeEach(({ onTestFinished }) => {
      place = aWorkplace();
      onTestFinished(() => place[Symbol.dispose]());
      place.write('prod.yml', configYaml(server.port, SLOW));
    });
    const offpeak = async (...args: readonly string[]) =>
      await runOffpeak([...args, '-c', 'prod.yml', '-s', place.stateFile], { cwd: place.folder });

    test('pause, check, plan, run, resume', async () => {
      const paused = await offpeak('pause', 'sessions', '--for', '4h', '--reason', 'load test');
      expect(paused).toMatchObject({ code: 0, stderr: '' });
      expect(paused.stdout).toMatch(/^sessions: paused until \w{3} \d\d:\d\d UTC \(in 4 h\) by .+ \("load test"\)\n$/);
      const check = await offpeak('check', '--json');
      const lasting = { until: expect.stringMatching(/Z$/), reason: 'load test', by: expect.any(String) };
      expect(check.documents).toMatchObject([{ outcomes: [{ pause: lasting }] }]);
      const plan = await offpeak('plan', '--json');
      expect(plan.documents).toMatchObject([
        {
          outcomes: [
            {
              plan: {
                kind: 'skip',
                reason: 'paused',
                until: expect.any(String),
                why: expect.stringContaining('("load test")'),
              },
            },
          ],
        },
      ]);
      expect((await offpeak('run', '--watch', '--until-idle')).stdout).toMatch(/^ {2}plan {5}nothing: paused until /m);
      expect(await settingsOf(redis)).toEqual(settings);
      const resumed = await offpeak('resume', 'sessions');
      expect(resumed).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringMatching(/^sessions: resumed; it was paused until /),
      });
      expect((await offpeak('plan', '--json')).documents).toMatchObject([{ outcomes: [{ plan: started }] }]);
    });

    test('release ends what a run has left on, says which, and advises a pause', async () => {
      expect((await offpeak('run', '--json')).documents).toMatchObject([{ outcomes: [{ plan: started }] }]);
      await expectOn();
      const pausing = await offpeak('pause', 'sessions', '--for', '1h', '--reason', 'x');
      expect(pausing.stdout).toContain(`Offpeak is working on sessions ${node}: the next tick stops that`);
      await offpeak('resume');
      await redis.config('RESETSTAT');
      const { code, stdout, stderr } = await offpeak('release');
      expect({ code, stderr, purges: await purges() }).toEqual({ code: 0, stderr: '', purges: 0 });
      expect(stdout).toContain(`\nsessions ${node}: released, its settings are restored\n`);
      expect(stdout).toMatch(
        /To prevent that:\n {2}npx offpeak pause sessions --for 1d --reason 'released by hand' -c /,
      );
      expect(stdout).toContain('a person released it');
      expect(await settingsOf(redis)).toEqual(settings);
      expect(await place.leases()).toBe(0);
      expect(await offpeak('release')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Offpeak has no defrag on in stage /),
      });
    });

    test('a release waits for a job that is in the middle of a step', async () => {
      await offpeak('run');
      using job = aJob(configYaml(server.port, SLOW), { stateFile: place.stateFile });
      const held = (await job.ports.store.read('lease#sessions')) as { value: object; version: number };
      const busy = { ...held.value, holder: 'another', busyUntil: Date.now() + 4000 };
      await job.ports.store.write('lease#sessions', busy, held.version);
      const { code, stdout } = await offpeak('release', 'sessions');
      expect({ code, leases: await place.leases() }).toEqual({ code: 0, leases: 0 });
      expect(stdout).toContain(`sessions ${node}: released`);
      expect(await settingsOf(redis)).toEqual(settings);
    });

    test('a lease that cannot be given back is exit 1, with what to type; the others are given back', async () => {
      await offpeak('run');
      using job = aJob(configYaml(server.port, SLOW), { stateFile: place.stateFile });
      const held = (await job.ports.store.read('lease#sessions'))?.value as object;
      expect(held).toMatchObject({ phase: 'running' });
      const gone = { ...held, instance: 'gone', node: '127.0.0.1:9', runId: 'f'.repeat(40) };
      await job.ports.store.write('lease#gone', gone, undefined);
      const { code, stdout } = await offpeak('release');
      expect({ code, leases: await place.leases() }).toEqual({ code: 1, leases: 1 });
      expect(stdout).toContain(`sessions ${node}: released`);
      expect(stdout).toMatch(
        /^gone 127\.0\.0\.1:9: NOT released: the config does not name .*\n {2}CONFIG SET activedefrag no$/m,
      );
      expect(await settingsOf(redis)).toEqual(settings);
      const again = await offpeak('release', 'sessions');
      expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Offpeak has no defrag on in stage /) });
    });
  });
});
