import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningServer, startServer } from '../../cli/lab/start.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { aWorkplace, refusedPort, runOffpeak, untilOldEnough, type Workplace } from '../support/offpeak.ts';
import { defragServer, lacksServer, plainServer, serverBinary } from '../support/servers.ts';

/** Active defrag on for good, in short cycles, and a limit for the data: nothing to find. */
const WELL_KEPT = ['--activedefrag', 'yes', '--hz', '100', '--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'];

/** They measure this machine, which may be slow. */
const OF_THE_MACHINE = ['latency', 'fork-time', 'window-traffic'];

interface AuditDocument {
  readonly nodes: readonly { readonly answers: readonly AnswerDocument[]; readonly problem?: unknown }[];
  readonly answers?: readonly AnswerDocument[];
}

interface AnswerDocument {
  readonly rule: string;
  readonly answer: string;
  readonly severity?: string;
  readonly evidence?: string;
  readonly changes?: readonly { readonly kind: string; readonly line: string }[];
}

async function audited(args: readonly string[], options: Parameters<typeof runOffpeak>[1] = {}) {
  const { code, stdout, stderr } = await runOffpeak(['audit', ...args, '--json'], options);
  expect(stdout.split('\n')).toHaveLength(2);
  const document = JSON.parse(stdout) as AuditDocument;
  const answers = [...document.nodes.flatMap((node) => node.answers), ...(document.answers ?? [])];
  return { code, stderr, answers };
}

/** `rule (severity)` of each finding. */
function findingsOf(answers: readonly AnswerDocument[]): readonly string[] {
  return answers
    .filter(({ answer, rule }) => answer === 'finding' && !OF_THE_MACHINE.includes(rule))
    .map(({ rule, severity }) => `${rule} (${severity})`)
    .toSorted();
}

function changesOf(answers: readonly AnswerDocument[], rule: string): readonly string[] {
  return answers.find((one) => one.rule === rule)?.changes?.map(({ line }) => line) ?? [];
}

describe.skipIf(lacksServer('defrag'))(
  'the audit of prepared servers finds each planted fault, and nothing else',
  () => {
    let place: Workplace;
    const servers: RunningServer[] = [];
    const started = async (server: Promise<RunningServer>) => {
      servers.push(await server);
      return await server;
    };
    beforeAll(() => {
      place = aWorkplace();
    });
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      place[Symbol.dispose]();
    });

    test('freed pages that never leave, on a server without bounds', async () => {
      const binary = serverBinary('defrag');
      const env = { ...binary.env, JE_MALLOC_CONF: 'dirty_decay_ms:-1' };
      const args = [...WELL_KEPT, '--maxmemory', '0', '--jemalloc-bg-thread', 'no'];
      const server = await started(startServer({ ...binary, env }, { args }));
      const { code, answers } = await audited([server.url]);
      expect(findingsOf(answers)).toEqual(['background-thread (warning)', 'decay (warning)', 'maxmemory (warning)']);
      expect(changesOf(answers, 'background-thread')).toEqual(['jemalloc-bg-thread yes']);
      expect(changesOf(answers, 'decay')).toEqual(['JE_MALLOC_CONF=dirty_decay_ms:10000']);
      expect(code).toBe(1);
    });

    test('a cache that can evict nothing, with a defrag that stalls and a division by zero', async () => {
      const thresholds = ['--active-defrag-threshold-lower', '10', '--active-defrag-threshold-upper', '10'];
      const args = [...WELL_KEPT, '--hz', '10', '--active-defrag-cycle-max', '75', ...thresholds];
      const server = await started(defragServer({ args: [...args, '--maxmemory-policy', 'volatile-lru'] }));
      const redis = clientOf(server);
      await redis.mset(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`key:${n}`, 'value'])));
      redis.disconnect();
      const { code, answers } = await audited([server.url, '--memory-limit', '1GiB']);
      expect(findingsOf(answers)).toEqual([
        'defrag-stall (warning)',
        'defrag-thresholds (critical)',
        'eviction (warning)',
      ]);
      expect(changesOf(answers, 'eviction')).toEqual(['maxmemory-policy allkeys-lru']);
      expect(changesOf(answers, 'defrag-stall')).toEqual(['active-defrag-cycle-max 25', 'hz 100']);
      expect(code).toBe(1);
    });

    test('a user with too few rights, and a version and settings that are well kept', async () => {
      const server = await started(defragServer({ args: WELL_KEPT }));
      const redis = clientOf(server);
      const may = ['+info', '+ping', '+config|get', '+latency|latest', '+latency|history', '+client|setname'];
      const asks = ['+acl|whoami', '+acl|dryrun', '+memory|doctor', '+memory|malloc-stats'];
      await redis.call('ACL', 'SETUSER', 'offpeak', 'on', '>s3cret-word', ...may, ...asks);
      redis.disconnect();
      place.write('rights.yml', configOf([{ id: 'rights', port: server.port, more: CREDENTIALS }], NOTIFIED));
      const { code, answers, stderr } = await audited(['-c', 'rights.yml'], {
        cwd: place.folder,
        env: { REDIS_PASSWORD: 's3cret-word' },
      });
      expect({ stderr, findings: findingsOf(answers) }).toEqual({ stderr: '', findings: ['rights (warning)'] });
      expect(changesOf(answers, 'rights')).toEqual(['ACL SETUSER offpeak +memory|purge +config|set']);
      expect(JSON.stringify(answers)).not.toContain('s3cret-word');
      expect(code).toBe(1);
    });

    test.skipIf(lacksServer('plain'))('a build that cannot defragment', async () => {
      const server = await started(plainServer({ args: ['--maxmemory', '64mb'] }));
      const { code, answers } = await audited([server.url, '--memory-limit', '1GiB']);
      expect(findingsOf(answers)).toEqual(['defrag-support (warning)']);
      expect(code).toBe(1);
    });

    test('a fragmented server near its limit that cannot save, in a config that alerts no person', async () => {
      const folder = join(place.folder, 'gone');
      mkdirSync(folder);
      const server = await started(defragServer({ args: ['--dir', folder, '--maxmemory', '1gb'] }));
      const redis = clientOf(server);
      await fragment(redis);
      rmSync(folder, { recursive: true });
      await untilSaveFails(redis);
      redis.disconnect();
      const late =
        'memoryLimit: 96MiB, defrag: { minReclaim: 24MiB }, thresholds: { fragmentationWarning: { ratio: 5 }, fragmentationCritical: { ratio: 6 } }';
      place.write('full.yml', configOf([{ id: 'full', port: server.port, more: late }], ''));
      const { code, answers } = await audited(['-c', 'full.yml'], { cwd: place.folder });
      expect(findingsOf(answers)).toEqual([
        'alarms (warning)',
        'defrag (warning)',
        'fragmentation (warning)',
        'maxmemory (critical)',
        'near-limit (critical)',
        'notifications (warning)',
        'persistence (critical)',
      ]);
      expect(code).toBe(1);
    });

    test("a defrag that Offpeak has on under a lease is not a person's: nothing to find", async () => {
      const server = await started(defragServer({ args: ['--maxmemory', '400mb'] }));
      const redis = clientOf(server);
      await fragment(redis);
      await untilOldEnough(redis);
      // As slow as it goes, so that it is still on.
      const slow = 'defrag: { minReclaim: 8MiB, maxCpu: 1%, maxStall: 1ms }, purge: { enabled: false }';
      const more = `memoryLimit: 1GiB, ${WINDOW}, maxMainThreadCpu: 100%, ${slow}`;
      place.write('leased.yml', configOf([{ id: 'leased', port: server.port, more }], NOTIFIED));
      const run = await runOffpeak(['run', '-c', 'leased.yml'], { cwd: place.folder });
      const { answers } = await audited(['-c', 'leased.yml'], { cwd: place.folder });
      const answer = answers.find(({ rule }) => rule === 'defrag');
      await runOffpeak(['release', '-c', 'leased.yml'], { cwd: place.folder });
      redis.disconnect();
      // 3: a defrag is left on.
      expect({ code: run.code, findings: findingsOf(answers) }).toEqual({ code: 3, findings: [] });
      expect(answer).toMatchObject({ answer: 'fine', evidence: "Offpeak's defrag is on, under a lease" });
    });

    test('of a well-kept one it says so, in one line, and changes nothing', async () => {
      const server = await started(defragServer({ args: WELL_KEPT }));
      const redis = clientOf(server);
      const before = await settingsOf(redis);
      const { code, stdout, stderr } = await runOffpeak(['audit', server.url, '--memory-limit', '1GiB']);
      expect(stdout).toMatch(/^127\.0\.0\.1:\d+ \(redis \S+\) is well kept: \d+ rules hold\n$/);
      expect({ code, stderr, after: await settingsOf(redis) }).toEqual({ code: 0, stderr: '', after: before });
      redis.disconnect();
    });

    test('of a well-kept config it says so for each node, and JUnit counts no failure', async () => {
      const server = await started(defragServer({ args: ['--maxmemory', '64mb'] }));
      const kept = `memoryLimit: 128MiB, ${WINDOW}`;
      place.write('kept.yml', configOf([{ id: 'kept', port: server.port, more: kept }], NOTIFIED));
      const { code, answers } = await audited(['-c', 'kept.yml'], { cwd: place.folder });
      expect({ code, findings: findingsOf(answers) }).toEqual({ code: 0, findings: [] });
      const { stdout } = await runOffpeak(['audit', '-c', 'kept.yml', '--junit'], { cwd: place.folder });
      expect(stdout).toMatch(/<testsuite name="kept 127\.0\.0\.1:\d+" tests="\d+" failures="0" errors="0"/);
      expect(stdout).toContain('<testsuite name="stage kept"');
    });
  },
);

test('a node that does not answer is a critical finding: exit status 1', async () => {
  const { code, answers } = await audited([`redis://127.0.0.1:${await refusedPort()}`]);
  expect({ code, findings: findingsOf(answers) }).toEqual({ code: 1, findings: ['reachable (critical)'] });
});

test.each([
  [['audit', 'redis://a', '--json', '--junit'], 'audit: accepted is one of --json and --junit'],
  [['audit', 'nonsense'], 'audit: "nonsense" is not an address'],
  [['audit', 'redis://a', '-i', 'b'], 'audit: accepted are addresses, or a config'],
  [['audit', '--memory-limit', '1GiB'], 'audit --memory-limit: accepted beside addresses only'],
  [['audit', 'redis://a', '--memory-limit', 'much'], 'audit --memory-limit: '],
])('%j is usage: exit status 2', async (args, words) => {
  const { code, stdout, stderr } = await runOffpeak(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

const NOTIFIED = 'notifications: { emails: [redis-team@redis.example] }\n';
const WINDOW = 'timezone: UTC, windows: [{ days: daily, start: "00:00", duration: 24h }]';
const CREDENTIALS = 'credentials: { username: offpeak, password: "env:REDIS_PASSWORD" }, memoryLimit: 128MiB';

function configOf(
  instances: readonly { readonly id: string; readonly port: number; readonly more: string }[],
  stage: string,
): string {
  const lines = instances.map(({ id, port, more }) => `  - { id: ${id}, url: "redis://127.0.0.1:${port}", ${more} }\n`);
  return `${stage}instances:\n${lines.join('')}`;
}

async function untilSaveFails(redis: Redis): Promise<void> {
  await redis.bgsave();
  await vi.waitFor(async () => expect(await redis.info('persistence')).toMatch(/^rdb_last_bgsave_status:err/m), {
    timeout: 300_000,
  });
}
