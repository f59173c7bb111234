import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { bulk, infoServer } from '../support/odd-server.ts';
import { aWorkplace, refusedPort, runOffpeak } from '../support/offpeak.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

const INFO = readFileSync(new URL('../fixtures/info/redis-7.0.15.txt', import.meta.url), 'utf8');
const MIB = 1024 * 1024;

function infoFigure(name: string, info: string): number {
  return Number(new RegExp(`^${name}:(-?\\d+)`, 'm').exec(info)?.[1]);
}

function layersIn(info: string) {
  const [allocated, active, resident] = ['allocated', 'active', 'resident'].map((name) =>
    infoFigure(`allocator_${name}`, info),
  ) as [number, number, number];
  return {
    data: allocated,
    fragmentation: active - allocated,
    freePages: resident - active,
    overhead: infoFigure('used_memory_rss', info) - resident,
  };
}

test('check --json prints the layers in bytes, to the byte as INFO has them', async () => {
  await using server = await infoServer(() => bulk(INFO));
  using place = aWorkplace();
  place.write('prod.yml', configYaml(server.port));
  const { code, stdout, stderr, documents } = await runOffpeak(['check', '-c', 'prod.yml', '--json'], {
    cwd: place.folder,
  });
  expect({ code, stderr, lines: stdout.split('\n').length }).toEqual({ code: 0, stderr: '', lines: 2 });
  const [document] = documents;
  expect(document).toEqual({
    schema: 1,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    stage: 'prod',
    outcomes: [
      {
        instance: 'sessions',
        node: `127.0.0.1:${server.port}`,
        status: 'observed',
        role: 'primary',
        engine: { name: 'redis', version: '7.0.15' },
        memory: {
          used: infoFigure('used_memory', INFO),
          rss: infoFigure('used_memory_rss', INFO),
          counted: infoFigure('used_memory_rss', INFO),
          limit: infoFigure('total_system_memory', INFO),
          limitOf: 'machine',
          ratio: infoFigure('used_memory_rss', INFO) / infoFigure('used_memory', INFO),
        },
        returnable: 0,
        by: 'no action: the server refuses CONFIG',
        diagnosis: {
          verdict: 'findings',
          account: { total: infoFigure('used_memory_rss', INFO), of: 'rss', parts: expect.any(Array), impossible: [] },
          layers: layersIn(INFO),
          findings: [
            {
              kind: 'fragmented',
              bytes: 34_878_536,
              percentOfData: expect.any(Number),
              closable: Math.round(34_878_536 - 0.015 * 16_411_576),
              obstacle: { kind: 'config-refused' },
              text: expect.stringMatching(
                /^33\.3 MiB are free, .* Offpeak does not return them: the server refuses CONFIG/,
              ),
            },
          ],
          predictions: {
            defrag: { reclaim: expect.any(Number), text: 'no action: the server refuses CONFIG' },
            purge: { reclaim: expect.any(Number), stall: expect.any(Number), text: expect.any(String) },
          },
        },
        leased: false,
      },
    ],
    totals: {
      servers: 1,
      rss: infoFigure('used_memory_rss', INFO),
      used: infoFigure('used_memory', INFO),
      returnable: 0,
    },
    leasesHeld: 0,
    undelivered: 0,
    alerts: [],
  });
  const parts = document?.outcomes[0]?.diagnosis?.account?.parts ?? [];
  expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(infoFigure('used_memory_rss', INFO));
  const { fragmentation, freePages, overhead } = document?.outcomes[0]?.diagnosis?.layers ?? {};
  expect({ fragmentation, freePages, overhead }).toEqual({
    fragmentation: infoFigure('allocator_frag_bytes', INFO),
    freePages: infoFigure('allocator_rss_bytes', INFO),
    overhead: infoFigure('rss_overhead_bytes', INFO),
  });
});

describe.skipIf(lacksServer('plain'))('check on a real server', () => {
  let server: RunningServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await plainServer();
    redis = clientOf(server);
    await fragment(redis, 80 * MIB);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  test('changes nothing: not a setting, not a page, not a file', async () => {
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port, OPEN + SMALL_FLOORS.replaceAll('24MiB', '1MiB')));
    const settings = await settingsOf(redis);
    await redis.config('RESETSTAT');
    const { code, stderr, documents } = await runOffpeak(['check', '-c', 'prod.yml', '--json'], { cwd: place.folder });
    const commands = [...(await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):/gm)].map(([, name]) => name);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(commands).toEqual(expect.arrayContaining(['info', 'config|get', 'latency|latest']));
    const readers = [
      'info',
      'config|get',
      'config|resetstat',
      'latency|latest',
      'latency|history',
      'hello',
      'ping',
      'auth',
    ];
    expect(commands.filter((name) => !readers.includes(name ?? '') && !name?.startsWith('client|'))).toEqual([]);
    expect(await settingsOf(redis)).toEqual(settings);
    expect(readdirSync(place.folder)).toEqual(['prod.yml']);
    const layers = documents[0]?.outcomes[0]?.diagnosis?.layers;
    const expected = layersIn(await redis.info('memory'));
    expect(Math.abs((layers?.fragmentation ?? 0) - expected.fragmentation)).toBeLessThan(2 * MIB);
    expect(layers?.fragmentation).toBeGreaterThan(20 * MIB);
  });

  test.each([
    ['in a pipe', [], {}],
    ['with --no-color', ['--no-color'], {}],
    ['with NO_COLOR', [], { NO_COLOR: '1' }],
  ] as const)('as text %s: the three layers, what each would return, and no escapes', async (_, flags, env) => {
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port));
    const { code, stdout, stderr } = await runOffpeak(['check', '-c', 'prod.yml', ...flags], {
      cwd: place.folder,
      env,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/ data +[\d.]+ MiB/);
    expect(stdout).toMatch(/ fragmentation +[\d.]+ MiB .*active defrag/);
    expect(stdout).toMatch(/ free pages +[\d.]+ [KM]iB /);
    expect(stdout).toMatch(/ overhead +-?[\d.]+ [KM]iB .*no action/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('  plan ');
    expect(stdout).toMatch(/\n\nNext: .*: npx offpeak (?:plan|audit) -c prod\.yml\n$/);
  });

  test('by its address, without a config: the same bars, and nothing is written', async () => {
    using place = aWorkplace();
    // What the environment says is for other commands.
    const options = { cwd: place.folder, env: { OFFPEAK_STATE: 'state.db', OFFPEAK_CONFIG: 'prod.yml' } };
    const { code, stdout, stderr } = await runOffpeak(['check', server.url, '--memory-limit', '1GiB'], options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /local: 1 node, 1 observed\n\nserver 127\.0\.0\.1:\d+ redis [\s\S]* of 1 GiB\n[\s\S]* fragmentation +[\d.]+ MiB/,
    );
    expect(readdirSync(place.folder)).toEqual([]);
    const both = await runOffpeak(['check', server.url, '-c', 'prod.yml'], options);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/accepted are addresses, or a config/) });
    const limit = await runOffpeak(['check', '--memory-limit', '1GiB'], options);
    expect(limit).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--memory-limit: accepted beside addresses only/),
    });
  });

  test('more than three nodes are a table, by the bytes that can be returned; --full draws them', async () => {
    const gone = await Promise.all([refusedPort(), refusedPort(), refusedPort()]);
    const addresses = [...gone.map((port) => `redis://127.0.0.1:${port}`), server.url];
    const table = await runOffpeak(['check', ...addresses]);
    expect(table.code).toBe(1);
    const [, , head, first, ...rest] = table.stdout.split('\n');
    expect(head).toMatch(/^ +instance +node +RSS .* returnable +by$/);
    expect(first).toMatch(/^ +server-4 +127\.0\.0\.1:\d+ +[\d.]+ MiB /);
    expect(rest.filter((line) => line.includes('ECONNREFUSED (nothing listens'))).toHaveLength(3);
    expect(rest.join('\n')).toMatch(/^ +total +1 servers? /m);
    const { stdout } = await runOffpeak(['check', ...addresses, '--full']);
    expect(stdout).toMatch(/ fragmentation +[\d.]+ MiB/);
  });

  test('a password of an address is used, warned of and never shown; REDISCLI_AUTH is quiet', async () => {
    await redis.config('SET', 'requirepass', 'hunter:2');
    try {
      const address = server.url.replace('://', '://:hunter%3A2@');
      const typed = await runOffpeak(['check', address, '-v']);
      expect(typed.code).toBe(0);
      expect(typed.stderr).toMatch(
        /warning: the password for 127\.0\.0\.1:\d+ is on the command line.*Set REDISCLI_AUTH instead\n/,
      );
      expect(typed.stdout + typed.stderr).not.toMatch(/hunter/);
      const quiet = await runOffpeak(['check', server.url], { env: { REDISCLI_AUTH: 'hunter:2' } });
      expect(quiet).toMatchObject({ code: 0, stderr: '' });
      const without = await runOffpeak(['check', server.url]);
      expect(without.code).toBe(1);
      expect(without.stdout.replaceAll(/\s+/g, ' ')).toContain(
        'Set REDISCLI_AUTH to the password, and for a user of an ACL write redis://user@host:port',
      );
      const wrong = await runOffpeak(['check', server.url], { env: { REDISCLI_AUTH: 'not-this-one' } });
      expect(wrong.stdout.replaceAll(/\s+/g, ' ')).toContain('Check the password in REDISCLI_AUTH, or in the address');
      expect(without.stdout + wrong.stdout + wrong.stderr).not.toMatch(/credentials\.|not-this-one/);
    } finally {
      await redis.config('SET', 'requirepass', '');
    }
  });

  test('--verbose logs one structured line for each outcome on stderr, and stdout stays JSON', async () => {
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port));
    const { stderr, documents } = await runOffpeak(['run', '-c', 'prod.yml', '--json', '-v'], { cwd: place.folder });
    expect(documents).toHaveLength(1);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ level: 'INFO', message: 'node observed', instance: 'sessions', status: 'observed' }]);
  });
});
