import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { MINUTE } from '../../core/config/units.ts';
import { settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { closedWindow, configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { bulk, infoServer } from '../support/odd-server.ts';
import { aWorkplace, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';
import type { TickDocument } from '../support/tick-document.ts';

const MIB = 1024 * 1024;
const INFO = readFileSync(new URL('../fixtures/info/redis-7.0.15.txt', import.meta.url), 'utf8');

describe.skipIf(lacksServer('defrag'))('offpeak plan on a fragmented server', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let place: Workplace;

  beforeAll(async () => {
    fragmented = await fragmentedServer(120 * MIB);
    ({ server, redis } = fragmented);
    place = aWorkplace();
    place.write('open.yml', configYaml(server.port));
    place.write('closed.yml', configYaml(server.port, closedWindow() + SMALL_FLOORS));
    place.write('berlin.yml', configYaml(server.port, berlin('02:30') + SMALL_FLOORS));
  });

  afterAll(async () => {
    place?.[Symbol.dispose]();
    await fragmented?.[Symbol.asyncDispose]();
  });

  function berlin(start: string): string {
    return `\n    timezone: Europe/Berlin\n    windows: [{ days: daily, start: "${start}", duration: 1h }]`;
  }

  async function plan(...args: readonly string[]): Promise<TickDocument | undefined> {
    const { code, stderr, documents } = await runOffpeak(['plan', '--json', ...args], { cwd: place.folder });
    expect({ code, stderr, ticks: documents.length }).toEqual({ code: 0, stderr: '', ticks: 1 });
    return documents[0];
  }

  test('says what would be done, why, and what it would return and cost; and does none of it', async () => {
    const settings = await settingsOf(redis);
    const files = readdirSync(place.folder);
    await redis.config('RESETSTAT');
    const document = await plan('-c', 'open.yml');
    const [outcome] = document?.outcomes ?? [];
    expect(outcome).toMatchObject({
      status: 'observed',
      leased: false,
      plan: {
        kind: 'act',
        action: { kind: 'start-defrag', settings: { activedefrag: 'yes' } },
        reason: 'fragmented',
        why: expect.stringMatching(/defrag/),
        predicted: { reclaim: expect.any(Number), stall: expect.any(Number) },
      },
    });
    const { fragmentation = 0 } = outcome?.diagnosis?.layers ?? {};
    expect(outcome?.plan?.predicted?.reclaim).toBeGreaterThan(0.8 * fragmentation);
    expect(outcome?.plan?.predicted?.stall).toBeLessThanOrEqual(50);
    expect(document).toMatchObject({ stage: 'open', leasesHeld: 0, alerts: [] });
    expect(await settingsOf(redis)).toEqual(settings);
    expect(readdirSync(place.folder)).toEqual(files);
    const stats = await redis.info('commandstats');
    expect(stats).not.toMatch(/memory\|purge/);
    // The probe: one CONFIG SET, of which all failed.
    expect(stats).toMatch(/^cmdstat_config\|set:calls=1,.*failed_calls=1\r?$/m);
  });

  test('as text: the plan with its reason and its prediction', async () => {
    const { code, stdout } = await runOffpeak(['plan', '-c', 'open.yml'], { cwd: place.folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}plan {5}start active defrag: [\s\S]*predicted [\d.]+ MiB\s+back/m);
  });

  test('the window is closed: what would have been done instead, and when it opens', async () => {
    const document = await plan('-c', 'closed.yml');
    expect(document?.outcomes[0]?.plan).toMatchObject({
      kind: 'skip',
      reason: 'outside-window',
      why: expect.stringMatching(/opens/),
      predicted: { reclaim: expect.any(Number) },
    });
  });

  test.each([
    ['before the night when 02:30 does not exist, still closed', '2026-03-29T00:50:00Z', 'outside-window'],
    ['it opens at the end of the skipped hour', '2026-03-29T01:00:00Z', 'fragmented'],
    ['the same instant, as Berlin writes it', '2026-03-29T03:00+02:00', 'fragmented'],
    ['the same wall time with the zone of winter is an hour later: closed', '2026-03-29T03:00+01:00', 'outside-window'],
    ['the night of the repeated hour: open in the first 02:45', '2026-10-25T02:45+02:00', 'fragmented'],
    ['… and in the second, since the repeated hour counts once', '2026-10-25T02:45+01:00', 'fragmented'],
    ['… until the clock shows 03:30', '2026-10-25T03:30+01:00', 'outside-window'],
    ['an ordinary night', '2026-11-24T02:30:00+01:00', 'fragmented'],
    ['and its end, which is no part of it', '2026-11-24T03:30:00+01:00', 'outside-window'],
  ])('--at: %s', async (_, at, reason) => {
    const document = await plan('-c', 'berlin.yml', '--at', at);
    expect(document?.outcomes[0]?.plan?.reason).toBe(reason);
    // The clock goes on from there.
    expect(Date.parse(document?.at ?? '') - Date.parse(at)).toBeGreaterThanOrEqual(0);
    expect(Date.parse(document?.at ?? '') - Date.parse(at)).toBeLessThan(10 * MINUTE);
  });

  test('--instance takes one or several, in the order of the config', async () => {
    await using other = await infoServer(() => bulk(INFO));
    await using third = await infoServer(() => bulk(INFO));
    const more = [configYaml(other.port, OPEN, 'other'), configYaml(third.port, OPEN, 'third')];
    place.write(
      'three.yml',
      configYaml(server.port) + more.join('').replaceAll(/^(?:notifications|instances):.*\n/gm, ''),
    );
    const instances = async (...ids: readonly string[]) =>
      (await plan('-c', 'three.yml', ...ids))?.outcomes.map(({ instance }) => instance);
    expect(await instances()).toEqual(['sessions', 'other', 'third']);
    expect(await instances('-i', 'other')).toEqual(['other']);
    expect(await instances('-i', 'third', 'sessions')).toEqual(['sessions', 'third']);
    expect(await instances('-i', 'third', '-i', 'sessions')).toEqual(['sessions', 'third']);
  });

  test('--stage names the stage, --state the file: one that cannot be read is exit 1, and nothing is planned', async () => {
    expect((await plan('-c', 'closed.yml', '--stage', 'night'))?.stage).toBe('night');
    const state = place.write('elsewhere.json', 'not a state');
    const { code, documents } = await runOffpeak(['plan', '--json', '-c', 'open.yml', '-s', state], {
      cwd: place.folder,
    });
    expect({ code, problem: documents[0]?.problem }).toEqual({ code: 1, problem: expect.stringContaining(state) });
    expect(documents[0]?.outcomes[0]?.plan).toMatchObject({ kind: 'skip', reason: 'state-unavailable' });
  });

  test('OFFPEAK_CONFIG and OFFPEAK_STATE stand in for --config and --state', async () => {
    const env = { OFFPEAK_CONFIG: 'closed.yml', OFFPEAK_STATE: place.write('from-env.json', 'not a state') };
    const { code, documents } = await runOffpeak(['plan', '--json'], { cwd: place.folder, env });
    expect(code).toBe(1);
    expect(documents).toMatchObject([{ stage: 'closed', problem: expect.stringContaining('from-env.json') }]);
  });
});
