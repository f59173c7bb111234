import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { fragment, settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { configYaml } from '../support/job.ts';
import { aWorkplace, type Finished, runOffpeak, startOffpeak, type Workplace } from '../support/offpeak.ts';
import { keepingServer, lacksServer } from '../support/servers.ts';
import { alertsOf, stepsOf, type TickDocument } from '../support/tick-document.ts';

describe.skipIf(lacksServer('defrag'))('offpeak run on a server that can defragment', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let settings: Readonly<Record<string, string>>;
  let place: Workplace;
  let args: readonly string[];

  beforeAll(async () => {
    fragmented = await fragmentedServer(undefined, {}, keepingServer);
    ({ server, redis, settings } = fragmented);
  });

  beforeEach(async ({ onTestFinished }) => {
    place = aWorkplace();
    onTestFinished(() => place[Symbol.dispose]());
    args = ['run', '--json', '-c', place.write('prod.yml', configYaml(server.port)), '-s', place.stateFile];
    await redis.config('RESETSTAT');
  });

  afterAll(() => fragmented?.[Symbol.asyncDispose]());

  async function expectNothingLeft(): Promise<void> {
    expect(await settingsOf(redis)).toEqual(settings);
    expect(await place.leases()).toBe(0);
    expect(await redis.client('LIST')).not.toContain('name=offpeak');
  }

  async function purges(): Promise<number> {
    const calls = /^cmdstat_memory\|purge:calls=(\d+)/m.exec(await redis.info('commandstats'))?.[1];
    return Number(calls ?? 0);
  }

  test('--watch --until-idle: starts a defrag, stays with it, ends it, purges, and returns what it predicted', async () => {
    const { code, stdout, stderr, documents } = await runOffpeak([...args, '--watch', '--until-idle', '--every', '1s']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(documents.length);
    const steps = stepsOf(documents);
    expect(steps[0]).toBe('start-defrag');
    expect(steps.slice(-3)).toEqual(['stop-defrag', 'purge', 'healthy']);
    expect(new Set(steps.slice(1, -3))).toEqual(new Set(['defragmenting']));
    const [first] = documents;
    const predicted = first?.outcomes[0]?.plan?.predicted;
    const verdicts = documents.flatMap(({ outcomes }) => outcomes.flatMap(({ verdict }) => verdict ?? []));
    const defrag = verdicts.find(({ action }) => action === 'defrag');
    expect(defrag).toMatchObject({ kind: 'improved', predicted: predicted?.reclaim, promisedStall: 100 });
    expect(defrag?.share).toBeGreaterThanOrEqual(0.9);
    expect(defrag?.share).toBeLessThanOrEqual(1.15);
    expect(documents.map(({ leasesHeld }) => leasesHeld).slice(-2)).toEqual([0, 0]);
    expect(first?.leasesHeld).toBe(1);
    expect(alertsOf(documents)).toEqual(['defrag-started', 'defrag-finished']);
    expect(await purges()).toBe(1);
    await expectNothingLeft();
  });

  test('F19: one tick leaves its defrag on under the lease, says so, with status 3, and the next ones end it', async () => {
    await fragment(redis);
    const first = await runOffpeak(args);
    expect(first.code).toBe(3);
    const where = `-c ${args[args.indexOf('-c') + 1]} --state ${place.stateFile}`;
    const until = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(first.documents[0]?.leases).toEqual([
      {
        instance: 'sessions',
        node: `127.0.0.1:${server.port}`,
        until,
        commands: {
          follow: `npx offpeak run --until-idle -i sessions ${where}`,
          release: `npx offpeak release sessions ${where}`,
        },
      },
    ]);
    expect(first.stderr).toMatch(/; a tick after \w{3} \d{4}-\d\d-\d\d \d\d:\d\d UTC ends it\. Its lease is in \//);
    expect(first.stderr).toContain(`Its lease is in ${place.stateFile}\n`);
    expect(first.stderr).toContain(`To end it now:              npx offpeak release sessions ${where}\n`);
    expect(stepsOf(first.documents)).toEqual(['start-defrag']);
    expect(first.stderr).toMatch(/^offpeak: active defrag is still on: sessions 127\.0\.0\.1:\d+\. The next tick/);
    expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
    expect(await place.leases()).toBe(1);
    const later: Finished[] = [];
    do {
      later.push(await runOffpeak(args));
    } while (later.at(-1)?.documents[0]?.leasesHeld === 1 && later.length < 40);
    const last = later.at(-1);
    expect(later.map(({ code }) => code)).toEqual(later.map((run) => (run === last ? 0 : 3)));
    expect(last?.documents[0]?.leases).toBeUndefined();
    // On a slow machine the free pages have left by themselves, and there is nothing to purge.
    expect(stepsOf(last?.documents ?? []).filter((step) => step !== 'purge' && step !== 'healthy')).toEqual([
      'stop-defrag',
    ]);
    expect(last?.stderr).toBe('');
    expect(stepsOf(later.slice(0, -1).flatMap(({ documents }) => documents))).toEqual(
      later.slice(0, -1).map(() => 'defragmenting'),
    );
    await expectNothingLeft();
  });

  test('F19: a lease that was taken from one folder is found from another', async () => {
    await fragment(redis);
    const [config] = args.slice(args.indexOf('-c') + 1);
    const from = (cwd: string, command: string) => runOffpeak([command, '-c', relative(cwd, config ?? '')], { cwd });
    mkdirSync(join(place.folder, 'elsewhere'));
    expect((await from(place.folder, 'run')).code).toBe(3);
    expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
    const released = await from(join(place.folder, 'elsewhere'), 'release');
    expect(released).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/sessions 127\S+: released, its settings are restored/),
    });
    expect(await settingsOf(redis)).toEqual(settings);
    expect(existsSync(join(place.folder, 'elsewhere/.offpeak'))).toBe(false);
  });

  test('two at once with one state file: each step is taken by exactly one of them, and both end', async () => {
    await fragment(redis);
    // Without --watch: --until-idle is enough.
    const watch = [...args, '--until-idle', '--every', '500ms'];
    await using one = startOffpeak(watch);
    await using other = startOffpeak(watch);
    const both = await Promise.all([one.finished, other.finished]);
    expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    const documents = both.flatMap(({ documents }) => documents);
    for (const action of ['start-defrag', 'stop-defrag', 'purge']) expect(takenSteps(documents, action)).toBe(1);
    expect(alertsOf(documents).toSorted()).toEqual(['defrag-finished', 'defrag-started']);
    expect(await purges()).toBe(1);
    await expectNothingLeft();
  });
});

function takenSteps(documents: readonly TickDocument[], action: string): number {
  return documents
    .flatMap(({ outcomes }) => outcomes)
    .filter(({ status, plan }) => status === 'acted' && plan?.action?.kind === action).length;
}
