import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { closedWindow, configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { aWorkplace, type Printed, runOffpeak, startOffpeak, type Workplace } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';
import { alertsOf, stepsOf } from '../support/tick-document.ts';

/** A hundredth of a processor: this defrag takes a minute. */
const SLOW = OPEN + SMALL_FLOORS.replace('maxStall', 'maxCpu: 1, maxStall');

describe.skipIf(lacksServer('defrag'))('offpeak run --watch, interrupted in the middle of a defrag', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let settings: Readonly<Record<string, string>>;
  let place: Workplace;
  let watch: readonly string[];
  let afterwards: readonly string[];

  beforeAll(async () => {
    fragmented = await fragmentedServer();
    ({ server, redis, settings } = fragmented);
  });

  beforeEach(async ({ onTestFinished }) => {
    await refragmented(redis);
    place = aWorkplace();
    onTestFinished(() => place[Symbol.dispose]());
    const [open, closed] = [SLOW, closedWindow() + SMALL_FLOORS].map((body, index) =>
      place.write(`config-${index}.yml`, configYaml(server.port, body)),
    ) as [string, string];
    const common = ['run', '--json', '-s', place.stateFile];
    watch = [...common, '-c', open, '--watch', '--every', '300ms'];
    afterwards = [...common, '-c', closed];
  });

  afterAll(() => fragmented?.[Symbol.asyncDispose]());

  const isDefragmenting = ({ documents }: Printed) => stepsOf(documents).includes('defragmenting');

  async function expectOn(): Promise<void> {
    expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
    expect(await place.leases()).toBe(1);
  }

  async function expectGivenBack(): Promise<void> {
    expect(await settingsOf(redis)).toEqual(settings);
    expect(await place.leases()).toBe(0);
    await expect.poll(() => redis.client('LIST')).not.toContain('name=offpeak');
  }

  async function expectNextTickToGiveBack(): Promise<void> {
    const { code, stderr, documents } = await runOffpeak(afterwards);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(documents).toMatchObject([
      {
        outcomes: [
          { status: 'acted', plan: { action: { kind: 'stop-defrag' }, reason: 'window-closed' }, leased: false },
        ],
        leasesHeld: 0,
        alerts: [{ event: 'defrag-aborted', instance: 'sessions' }],
      },
    ]);
    await expectGivenBack();
  }

  test('kill -9 leaves it on under the lease; one tick after the window it is off, as before, and told', async () => {
    await using run = startOffpeak(watch);
    await run.until(isDefragmenting);
    run.signal('SIGKILL');
    expect((await run.finished).code).toBe(137);
    await expectOn();
    await expectNextTickToGiveBack();
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s: the lease is given back first, then it exits with 130',
    async (name) => {
      await using run = startOffpeak(watch);
      await run.until(isDefragmenting);
      run.signal(name);
      const { code, stderr, documents } = await run.finished;
      expect({ code, stderr }).toEqual({ code: 130, stderr: '\noffpeak: interrupted: restoring settings\n' });
      const last = documents.at(-1);
      expect(last?.outcomes[0]?.plan).toMatchObject({ action: { kind: 'stop-defrag' }, reason: 'interrupted' });
      expect(alertsOf(documents)).toEqual(['defrag-started', 'defrag-aborted']);
      await expectGivenBack();
    },
  );

  test.each([300, 700, 1100, 1500])('SIGINT after %d ms, wherever it is by then, leaves nothing on', async (ms) => {
    await using run = startOffpeak(watch);
    await sleep(ms);
    run.signal('SIGINT');
    expect((await run.finished).code).toBe(130);
    await expectGivenBack();
  });

  test('a second SIGINT exits at once, even while the server hangs; the lease waits for the next tick', async () => {
    await using run = startOffpeak(watch);
    await run.until(isDefragmenting);
    process.kill(server.pid, 'SIGSTOP');
    try {
      run.signal('SIGINT');
      await run.until(({ stderr }) => stderr.includes('interrupted'));
      run.signal('SIGINT');
      const { code, documents } = await run.finished;
      expect(code).toBe(130);
      expect(stepsOf(documents)).not.toContain('unreachable');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await expectOn();
    await expectNextTickToGiveBack();
  });

  test('SIGINT while the server hangs for longer: it says that the lease stands, and exits with 130', async () => {
    await using run = startOffpeak(watch);
    await run.until(isDefragmenting);
    process.kill(server.pid, 'SIGSTOP');
    try {
      run.signal('SIGINT');
      const { code, stderr, documents } = await run.finished;
      expect(code).toBe(130);
      expect(documents.at(-1)).toMatchObject({ outcomes: [{ status: 'unreachable' }], leasesHeld: 1 });
      expect(stderr).toContain('active defrag is still on: sessions ');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await expectOn();
    await expectNextTickToGiveBack();
  });

  test('a reader that has seen enough (`| head`) ends it as Ctrl-C does', async () => {
    await using run = startOffpeak(watch);
    await run.until(isDefragmenting);
    run.closeStdout();
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '\noffpeak: interrupted: restoring settings\n' });
    await expectGivenBack();
  });

  test('with nothing under way, an hour to the next tick is not waited for', async () => {
    await using run = startOffpeak([...afterwards, '--watch', '--every', '1h']);
    await run.until(({ documents }) => documents.length === 1);
    run.signal('SIGINT');
    const { code, documents } = await run.finished;
    expect({ code, ticks: documents.length }).toEqual({ code: 130, ticks: 1 });
    await expectGivenBack();
  });

  test('offpeak check into a pipe that nobody reads is no failure, and no stack', async () => {
    await using run = startOffpeak(['check', ...afterwards.slice(1)]);
    run.closeStdout();
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
