import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { aLease, SETTINGS } from '../support/builders.ts';
import { configYaml, OPEN } from '../support/job.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
import { reportServer } from '../support/report-server.ts';
import { reportInfo } from '../support/reports.ts';

// What people have reported of other tools, through the command line as they would have typed it.

const ROOMY = `${OPEN}
    purge: { maxBlock: 5s }
    defrag: { enabled: true }`;

type Command = 'check' | 'plan';

async function offpeak(
  command: Command,
  info: string,
  settings: Readonly<Record<string, string>> | 'refused' = SETTINGS,
  body = ROOMY,
): Promise<string> {
  await using server = await reportServer(info, settings);
  using place = aWorkplace();
  place.write('prod.yml', configYaml(server.port, body));
  const { code, stdout, stderr } = await runOffpeak([command, '-c', 'prod.yml', '--no-color'], { cwd: place.folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.replaceAll(/\s+/g, ' ');
}

const DISABLED = ROOMY.replace('enabled: true', 'enabled: false');

test.each<readonly [string, string, Readonly<Record<string, string>> | 'refused', string, RegExp]>([
  ['a denied Redis', reportInfo('denied-724'), SETTINGS, ROOMY, /redis\/redis#13307\); lifted by Redis 7\.2\.6/],
  ['KeyDB', reportInfo('keydb-631'), SETTINGS, ROOMY, /Snapchat\/KeyDB#131/],
  ['a denied Valkey', reportInfo('valkey-801'), SETTINGS, ROOMY, /valkey#1310\); lifted by Valkey 8\.0\.2/],
  [
    'CONFIG refused',
    reportInfo('denied-724', { redis_version: '7.0.15' }),
    'refused',
    ROOMY,
    /does not return them: the server refuses CONFIG /,
  ],
  [
    'defrag.enabled: false',
    reportInfo('denied-724', { redis_version: '7.0.15' }),
    SETTINGS,
    DISABLED,
    /may not defragment here: defrag\.enabled is false/,
  ],
])('check, %s: says why the fragmentation stays', async (_what, info, settings, body, why) => {
  const text = await offpeak('check', info, settings, body);
  expect(text).toMatch(why);
  expect(text).not.toMatch(/active defrag returns|then a purge/);
});

test.each(['cow-over-limit', 'monitor-client-6gb', 'keydb-after-sync'])(
  'check, %s: no fragmentation to speak of',
  async (name) => {
    const text = await offpeak('check', reportInfo(name));
    expect(text).toContain('little for active defrag to return');
    expect(text).not.toMatch(/scattered over pages that also hold data|then a purge/);
  },
);

test('plan, KeyDB with a second primary that is down: blocked', async () => {
  const text = await offpeak('plan', reportInfo('keydb-multimaster-new'));
  expect(text).toMatch(/nothing: the replica is not in sync with its primary \(the link is down\); would have purged/);
});

describe('check, active defrag is on', () => {
  const ON = { ...SETTINGS, activedefrag: 'yes' };
  // Too small for a finding: only the note says it.
  const SMALL = readFileSync(new URL('../fixtures/info/redis-7.0.15-empty.txt', import.meta.url), 'utf8');
  const RUN_ID = /^run_id:(\w+)/m.exec(SMALL)?.[1] ?? '';

  test('not by Offpeak, on a small server: it says so', async () => {
    const text = await offpeak('check', SMALL, ON);
    expect(text).toContain('too small for an action');
    expect(text).toContain('note active defrag is on; Offpeak did not start it, and leaves it on');
    expect(text).not.toContain('defrag by Offpeak');
  });

  test('by Offpeak: it says so, in JSON as well', async () => {
    await using server = await reportServer(SMALL, ON);
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port, ROOMY));
    const lease = aLease({ node: `127.0.0.1:${server.port}`, runId: RUN_ID });
    await createFileStore(place.stateFile).write('lease#sessions', lease, undefined);
    const args = ['check', '-c', 'prod.yml', '-s', place.stateFile];
    const { code, stdout } = await runOffpeak(args, { cwd: place.folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sessions \S+ redis 7\.0\.15, primary, defrag by Offpeak$/m);
    expect(stdout).not.toContain('did not start it');
    const { documents } = await runOffpeak([...args, '--json'], { cwd: place.folder });
    expect(documents).toMatchObject([{ leasesHeld: 1, outcomes: [{ leased: true }] }]);
    expect(server.deeds).toEqual([]);
  });
});

test('check, two addresses of one server: it says so', async () => {
  await using server = await reportServer(reportInfo('denied-724', { run_id: 'a'.repeat(40) }));
  using place = aWorkplace();
  const nodes = `[redis://127.0.0.1:${server.port}, redis://localhost:${server.port}]`;
  place.write('prod.yml', `instances:\n  - id: sessions\n    nodes: ${nodes}\n`);
  const { code, documents } = await runOffpeak(['check', '-c', 'prod.yml', '--json'], { cwd: place.folder });
  expect(code).toBe(0);
  expect(documents[0]?.outcomes.map(({ notes }) => notes)).toEqual([
    undefined,
    [
      `this address and 127.0.0.1:${server.port} lead to one server (same run_id): Offpeak acts on 127.0.0.1:${server.port} only`,
    ],
  ]);
});

describe('check, what is not a Redis (public reports 14 and 20)', () => {
  async function checked(info: string, json = false) {
    await using server = await reportServer(info);
    using place = aWorkplace();
    place.write('prod.yml', configYaml(server.port, ROOMY));
    const args = ['check', '-c', 'prod.yml', '--no-color', ...(json ? ['--json'] : [])];
    return await runOffpeak(args, { cwd: place.folder });
  }

  test('a Sentinel is not observed: exit code 1, and what to configure instead', async () => {
    const { code, stdout } = await checked(reportInfo('sentinel'));
    expect(code).toBe(1);
    expect(stdout).toContain('1 node, 1 not a data node');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('mymaster at 10.0.0.1:6379, and their replicas');
    expect(stdout).not.toContain('observed');
  });

  test('a Sentinel in JSON has a status of its own', async () => {
    const { stdout } = await checked(reportInfo('sentinel'), true);
    expect(JSON.parse(stdout)).toMatchObject({
      outcomes: [{ status: 'not-data-node', problem: { kind: 'not-data-node' } }],
    });
  });

  test('Kvrocks is watched under its own name', async () => {
    const { code, stdout } = await checked(reportInfo('kvrocks'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/kvrocks 2\.10\.1, primary/);
    expect(stdout).not.toMatch(/redis 4\.0\.0/);
  });

  test('figures that cannot be are ignored, and named', async () => {
    const { code, stdout } = await checked(`${reportInfo('denied-724', { used_memory: '-1' })}\nused_memory_rss:1`);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /INFO prints values that cannot be: used_memory, used_memory_rss\. Offpeak leaves them out/,
    );
  });
});
