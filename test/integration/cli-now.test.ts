import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { MIB } from '../../core/config/units.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { aLease } from '../support/builders.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { closedWindow, configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { aWorkplace, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';

const ENTRY = fileURLToPath(new URL('../../cli/offpeak.js', import.meta.url));
const SCRIPT = '/usr/bin/script';
const ASKED = /\(y\/N\)/;

describe.skipIf(lacksServer('defrag'))('run --now', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let place: Workplace;
  beforeAll(async () => {
    fragmented = await fragmentedServer(80 * MIB);
    ({ server, redis } = fragmented);
    place = aWorkplace();
    place.write('prod.yml', configYaml(server.port, closedWindow() + SMALL_FLOORS.replaceAll('24MiB', '8MiB')));
  });
  afterAll(async () => {
    await fragmented?.[Symbol.asyncDispose]();
    place?.[Symbol.dispose]();
  });
  const offpeak = async (...args: readonly string[]) =>
    await runOffpeak([...args, '-c', 'prod.yml'], { cwd: place.folder });

  test('asks: where there is no terminal, it accepts --yes only, and --yes nothing else', async () => {
    expect(await offpeak('run', '--now')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/not a terminal; accepted: --yes/),
    });
    expect(await offpeak('run', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--yes: accepted beside --now only/),
    });
  });

  test.skipIf(!existsSync(SCRIPT)).each([
    ['n', 'n\n'],
    ['Ctrl-D', '\u0004'],
  ])('says what it would do, and does nothing without a yes: %s', async (_, answer) => {
    const before = await settingsOf(redis);
    const command = `${process.execPath} ${ENTRY} run --now -c prod.yml`;
    const terminal = spawn(SCRIPT, ['-qec', command, '/dev/null'], {
      cwd: place.folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let printed = '';
    for await (const chunk of terminal.stdout.setEncoding('utf8')) {
      if (!ASKED.test(printed) && ASKED.test(printed + chunk)) terminal.stdin.write(answer);
      printed += chunk;
    }
    expect(printed).not.toContain('AbortError');
    expect(printed).toMatch(/now, outside of the windows, .*\r?\n {2}sessions 127\.0\.0\.1:\d+: start active defrag: /);
    expect(printed).toMatch(/Do this now\? \(y\/N\)[\s\S]*nothing was done/);
    expect(await settingsOf(redis)).toEqual(before);
  });

  test('with --yes acts outside of the window, to the end; status and history say what came of it', async () => {
    await refragmented(redis, 80 * MIB);
    const settings = await settingsOf(redis);
    const usual = await offpeak('run', '--json');
    expect(usual.documents[0]?.outcomes).toMatchObject([{ plan: { kind: 'skip', reason: 'outside-window' } }]);
    const { code, stderr, documents } = await offpeak('run', '--now', '--yes', '--json', '--every', '1s');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/sessions 127\.0\.0\.1:\d+: start active defrag/),
    });
    const done = documents.flatMap(({ outcomes }) => outcomes).filter(({ status }) => status === 'acted');
    // A purge may follow.
    expect(done.slice(0, 2).map(({ plan }) => plan?.action)).toMatchObject([
      { kind: 'start-defrag' },
      { kind: 'stop-defrag' },
    ]);
    expect(await settingsOf(redis)).toEqual(settings);
    const { reclaimed, predicted } = done[1]?.verdict ?? {};
    const history = JSON.parse((await offpeak('history', '--json')).stdout);
    expect(history).toMatchObject({ schema: 1, stage: 'prod' });
    expect(history.results).toContainEqual(
      expect.objectContaining({ instance: 'sessions', action: 'defrag', reclaimed, predicted }),
    );
    // One of this run is part of it.
    const purges = history.results.filter(({ action }: { action: string }) => action === 'purge');
    expect(purges.map(({ partOf }: { partOf?: string }) => partOf)).toEqual(purges.map(() => 'defrag'));
    const status = await offpeak('status');
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(status.stdout).toMatch(
      /state in \/.*\/\.offpeak\/prod\.db\nNo defrag of Offpeak is on\.\n[\s\S]* next opens .* UTC\n[\s\S]* defrag +[\d.]+ MiB/,
    );
    // A guard holds all the same.
    const again = await offpeak('run', '--now', '--yes');
    expect(again.stderr).toMatch(/there is nothing to do now/);
    expect(again.code).toBe(0);
  });

  test('a defrag that is on under a lease is something to do: it is seen through', async () => {
    await refragmented(redis, 80 * MIB);
    const settings = await settingsOf(redis);
    using elsewhere = aWorkplace();
    const floors = SMALL_FLOORS.replaceAll('24MiB', '8MiB');
    elsewhere.write('prod.yml', configYaml(server.port, OPEN + floors));
    const there = async (...args: readonly string[]) =>
      await runOffpeak([...args, '-c', 'prod.yml', '--json'], { cwd: elsewhere.folder });
    expect((await there('run')).code).toBe(3);
    elsewhere.write('prod.yml', configYaml(server.port, closedWindow() + floors));
    const { code, stderr } = await there('run', '--now', '--yes', '--every', '1s');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/: carry on: |: stop/) });
    expect(await settingsOf(redis)).toEqual(settings);
  });

  test("release and pause that find no lease ask the servers: Offpeak's settings without one are exit 1, with what to type", async () => {
    const fine = await offpeak('release');
    expect(fine).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Offpeak has no defrag on in stage prod\. Searched: \/.*prod\.db \(config prod\.yml\)\n$/,
      ),
    });
    using elsewhere = aWorkplace();
    elsewhere.write('prod.yml', configYaml(server.port, closedWindow()));
    // That of another instance says nothing of this one.
    const state = createFileStore(`${elsewhere.folder}/.offpeak/prod.db`);
    const there = async (...args: readonly string[]) =>
      await runOffpeak([...args, '-c', 'prod.yml'], { cwd: elsewhere.folder });
    const before = await settingsOf(redis);
    await redis.config(
      'SET',
      'activedefrag',
      'yes',
      'hz',
      '500',
      'active-defrag-cycle-min',
      '25',
      'active-defrag-cycle-max',
      '25',
    );
    try {
      for (const args of [['release'], ['pause', '--for', '1h', '--reason', 'x']]) {
        if (args[0] === 'pause')
          await state.write('lease#carts', aLease({ instance: 'carts', node: '127.0.0.1:1' }), undefined);
        const { code, stdout } = await there(...args);
        expect(code).toBe(1);
        expect(stdout).toMatch(
          /sessions 127\.0\.0\.1:\d+: these settings look like Offpeak's, but Offpeak cannot tell whether it set them: .*\nTo restore them, on that server:\n {2}CONFIG SET activedefrag no/,
        );
      }
    } finally {
      for (const name of ['activedefrag', 'hz', 'active-defrag-cycle-min', 'active-defrag-cycle-max'])
        await redis.config('SET', name, before[name] ?? '');
    }
  });
});
