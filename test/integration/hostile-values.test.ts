import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { HOUR } from '../../core/config/units.ts';
import type { Ports } from '../../core/ports/ports.ts';
import type { JobStore } from '../../core/ports/state-store.ts';
import { failIfUnexpected } from '../../core/reconcile/summary.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { historyKey, leaseKey, quarantineKey } from '../../core/state/keys.ts';
import { aLease, SETTINGS } from '../support/builders.ts';
import { stateTables } from '../support/dynamo-table.ts';
import { aJob, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { describeWithMoto } from '../support/moto.ts';
import { type Answer, bulk, infoServer, OK, respServer } from '../support/odd-server.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
import { lookOf, troubleOf } from '../support/outcomes.ts';
import { reportServer } from '../support/report-server.ts';

const DAY = 24 * HOUR;
const INFO = readFileSync(new URL('../fixtures/info/redis-7.0.15.txt', import.meta.url), 'utf8');
const RUN_ID = /^run_id:(\w+)/m.exec(INFO)?.[1] ?? '';
/** Control characters of ASCII and of Latin 1, marks of direction, and line breaks that only Unicode has. */
const UNPRINTABLE = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

/** 200 MB of holes, in a server that is old enough. */
function fragmented(more: Readonly<Record<string, string>> = {}): string {
  const figures: Readonly<Record<string, string>> = {
    used_memory_rss: '320000000',
    allocator_allocated: '100000000',
    allocator_active: '300000000',
    allocator_resident: '310000000',
    allocator_frag_bytes: '200000000',
    uptime_in_seconds: '864000',
    ...more,
  };
  return INFO.replace(/^(\w+):.*$/gm, (line, name) =>
    figures[name] === undefined ? line : `${name}:${figures[name]}`,
  );
}

const named = ({ metrics }: Job) => metrics.map(({ name, dimensions, value }) => [dimensions.Instance, name, value]);

function expectSeen(job: Job, instance: string): void {
  expect(named(job)).toContainEqual([instance, 'Reachable', 1]);
  expect(named(job)).toContainEqual([undefined, 'Heartbeat', 1]);
}

/** A lease as 0.1.0 has stored it, whose time has been over for two days. */
function oldLease(over: object): object {
  const at = Date.now() - 3 * DAY;
  return aLease({
    instance: 'gone',
    node: '127.0.0.1:9',
    runId: 'e'.repeat(40),
    acquiredAt: at,
    expiresAt: at + HOUR,
    ...over,
  });
}

describeWithMoto('F13: what one server calls itself, in the table', () => {
  const table = stateTables();
  const jobOn = (port: number, store: (store: JobStore) => JobStore = (one) => one) =>
    aJob(configYaml(port), {
      others: (): Partial<Ports> => ({
        store: store(createDynamoStore(table().client, { tableName: table().tableName })),
      }),
    });

  test('a lease on a run_id of 1,100 characters, on a node that the config no longer names, keeps no tick from being published', async () => {
    await using server = await infoServer(() => bulk(INFO));
    using job = jobOn(server.port);
    await job.ports.store.write(leaseKey('gone'), oldLease({ runId: 'f'.repeat(1100) }), undefined);
    for (const told of [['action-failed'], []]) {
      job.metrics.length = 0;
      job.alerts.length = 0;
      const tick = await job.tick();
      expectSeen(job, 'sessions');
      expect(job.alerts.map(({ event }) => event)).toEqual(told);
      expect(() => failIfUnexpected([tick])).not.toThrow();
    }
    expect([...(await job.ports.store.list('lease#'))]).toEqual([]);
  });

  test('a run_id of 40 digits is quarantined like any other', async () => {
    await using server = await infoServer(() => bulk(INFO));
    using job = jobOn(server.port);
    const runId = 'f'.repeat(40);
    await job.ports.store.write(leaseKey('gone'), oldLease({ runId }), undefined);
    await job.tick();
    expect([...(await job.ports.store.list('lease#')).keys()]).toEqual([quarantineKey({ instance: 'gone', runId })]);
  });

  test.each([
    ['1,100 characters', 'f'.repeat(1100)],
    ['spaces', 'a b'],
    ['a key of another instance', 'x#lease#sessions'],
    ['an escape sequence', '\x1b[2J'],
    ['39 digits', 'a'.repeat(39)],
    ['41 digits', 'a'.repeat(41)],
    ['a letter that is no digit', `${'a'.repeat(39)}g`],
    ['nothing', ''],
  ])('a run_id of %s is none: the server is watched, and leaves no key behind', async (_, runId) => {
    const odd = INFO.replace(/^run_id:.*$/m, `run_id:${runId}`);
    await using server = await reportServer(odd, { ...SETTINGS, activedefrag: 'yes' });
    using job = jobOn(server.port);
    const { outcomes } = await job.tick();
    expect(outcomes).toMatchObject([{ kind: 'observed', notices: [{ kind: 'foreign-defrag' }] }]);
    expect(lookOf(outcomes[0])).not.toHaveProperty('runId');
    const documents = [...(await job.ports.store.list(''))].filter(([key]) => !key.startsWith('outbox#'));
    expect(documents).toEqual([[historyKey(`127.0.0.1:${server.port}`), expect.anything()]]);
    expect(documents[0]?.[1].value).not.toHaveProperty('runId');
  });
});

describe('F13: bookkeeping that fails', () => {
  /** A store in which changing one document is a bug. */
  const failing =
    (prefix: string) =>
    (kept: Ports): Partial<Ports> => {
      const fails = (key: string) => {
        if (key.startsWith(prefix)) throw new RangeError(`no store holds ${prefix}`);
      };
      const { store } = kept;
      return {
        store: {
          ...store,
          async write(key, value, expected) {
            fails(key);
            return await store.write(key, value, expected);
          },
          async remove(key, expected) {
            fails(key);
            return await store.remove(key, expected);
          },
        },
      };
    };
  const at = Date.now() - DAY;
  const pause = { until: at, reason: 'load test', by: 'somebody', at: at - HOUR };
  const untaken = { status: 'quarantined', closing: 'never-started', phase: 'closing', runId: RUN_ID, acquiredAt: at };

  type Row = readonly [what: string, document: readonly [key: string, value: object], prefix: string, where: string];
  const rows: readonly Row[] = [
    ['a pause that is over', ['pause#sessions', pause], 'pause#', 'expired pauses'],
    [
      'a start that has never come',
      [quarantineKey({ instance: 'gone', runId: RUN_ID }), oldLease(untaken)],
      'lease#',
      '',
    ],
    ['a lease on a node that is gone', [leaseKey('gone'), oldLease({})], 'lease#', 'gone 127.0.0.1:9'],
  ];

  test.each(rows)(
    '%s: what was seen is published, the trouble is said, and the run fails',
    async (_, [key, value], prefix, where) => {
      await using server = await reportServer(INFO);
      using job = aJob(configYaml(server.port), { others: (kept) => failing(prefix)(kept) });
      using kept = aJob(configYaml(server.port), { stateFile: job.stateFile });
      await kept.ports.store.write(key, value, undefined);
      const tick = await job.tick();
      expectSeen(job, 'sessions');
      expect(tick.outcomes).toContainEqual(expect.objectContaining({ instance: 'sessions', kind: 'observed' }));
      expect(() => failIfUnexpected([tick])).toThrow(new RegExp(`${where}.*no store holds ${prefix}`));
    },
  );

  test('a document with a time that no calendar has costs its own node its words, and nothing else', async () => {
    await using server = await infoServer(() => bulk(INFO));
    await using other = await reportServer(fragmented({ run_id: 'b'.repeat(40) }));
    const yaml = `${configYaml(server.port)}  - id: odd\n    url: redis://127.0.0.1:${other.port}${OPEN}${SMALL_FLOORS}\n`;
    using job = aJob(yaml);
    const memory = {
      learned: {},
      ineffective: { purge: 0, defrag: 0 },
      lastPurgeAt: 1e300,
      restUntil: 1e300,
      lastDefragAt: 1e300,
    };
    await job.ports.store.write(historyKey(`127.0.0.1:${other.port}`), memory, undefined);
    const tick = await job.tick();
    expectSeen(job, 'sessions');
    expectSeen(job, 'odd');
    expect(tick.outcomes).toMatchObject([{ kind: 'observed' }, { kind: 'failed', problem: { expected: false } }]);
    expect(() => failIfUnexpected([tick])).toThrow(/^odd 127\.0\.0\.1:\d+: RangeError/);
  });
});

describe('F15: what CONFIG GET says', () => {
  const odd: readonly (readonly [name: string, value: string])[] = [
    ['hz', '10; FLUSHALL'],
    ['hz', '10\nFLUSHALL'],
    ['hz', '\x1b[2J10'],
    ['hz', '-1'],
    ['hz', '1e3'],
    ['hz', ''],
    ['activedefrag', 'no; FLUSHALL'],
    ['activedefrag', 'NO'],
    ['active-defrag-cycle-max', '25 active-defrag-cycle-min 25'],
    ['active-defrag-cycle-max', '9'.repeat(1000)],
    ['active-defrag-ignore-bytes', '100 mb'],
    ['active-defrag-threshold-lower', '10\u202e'],
    ['latency-monitor-threshold', '0x10'],
  ];

  test.each(odd)(
    '%s %j is none: nothing is started where it could not be given back, and that is said',
    async (name, value) => {
      await using server = await reportServer(fragmented(), { ...SETTINGS, [name]: value });
      using job = aJob(configYaml(server.port));
      const { outcomes, idle } = await job.tick();
      expect(outcomes).toMatchObject([{ kind: 'observed', plan: { kind: 'skip', reason: 'odd-settings' } }]);
      expect(idle).toBe(true);
      const why = job.logs.map(({ fields }) => (fields as { why?: string }).why).find((text) => text !== undefined);
      expect(why).toBe(
        `nothing: a value that CONFIG GET prints could not be restored, because its setting cannot hold it (${name})`,
      );
      expect(lookOf(outcomes[0])?.defrag.settings).not.toHaveProperty(name);
      expect(server.deeds).toEqual([]);
      expect(JSON.stringify([job.logs, job.alerts, outcomes])).not.toMatch(/FLUSHALL|\\u|9999999999/);
    },
  );

  test('a name that was not asked for is not kept', async () => {
    const more = { 'defrag-maxmemory': '0', 'active-defrag-x': 'FLUSHALL', defrag: '1' };
    await using server = await reportServer(INFO, { ...SETTINGS, ...more });
    using job = aJob(configYaml(server.port));
    const { outcomes } = await job.tick();
    expect(lookOf(outcomes[0])?.defrag.settings).toEqual(SETTINGS);
  });

  test('a lease of 0.1.0 with such a value: what a person is to type holds none of it', async () => {
    await using server = await infoServer(() => bulk(INFO));
    using job = aJob(configYaml(server.port));
    const prior = { hz: '10; FLUSHALL', 'active-defrag-cycle-max': '\x1b[2J', activedefrag: 'no' };
    await job.ports.store.write(leaseKey('gone'), oldLease({ prior }), undefined);
    const { outcomes } = await job.tick();
    const gone = outcomes.find(({ instance }) => instance === 'gone');
    expect(troubleOf(gone)?.message).toMatch(/Or type on that server:\nCONFIG SET activedefrag no$/);
    expect(JSON.stringify([job.alerts, job.logs])).not.toMatch(/FLUSHALL|\\u/);
  });
});

/** Fragmented, and refuses to defragment in these words. */
function refusing(refusal: string) {
  const answer: Answer = ([name = '', ...args]) => {
    if (name === 'INFO') return bulk(fragmented());
    if (name === 'CONFIG' && args[0] === 'SET') return Buffer.from(refusal, 'latin1');
    const words = args[1]?.includes('defrag') ? ['activedefrag', 'no'] : [args[1] ?? '', '10'];
    if (name === 'CONFIG') return Buffer.concat([Buffer.from('*2\r\n'), ...words.map((word) => bulk(word))]);
    return name === 'LATENCY' ? '*0\r\n' : OK;
  };
  return respServer(answer);
}

describe('F15: what a person reads', () => {
  const odd = '\x1b]0;owned\x07\x9b31m\u202e\u2028\u2066';
  const hostile = fragmented({
    redis_version: `7.0.15${odd}`,
    mem_allocator: `jemalloc-5.3.0${odd}`,
    run_id: odd,
    role: `master${odd}`,
    executable: `/usr/bin/redis${odd}`,
  });
  const refusal = `-ERR ${Buffer.from(odd).toString('latin1')} denied\r\n`;

  test.each([
    ['in its INFO', () => infoServer(() => bulk(hostile))],
    ['in its refusal of INFO', () => infoServer(() => Buffer.from(refusal, 'latin1'))],
    ['in its settings', () => reportServer(fragmented(), { ...SETTINGS, hz: odd, activedefrag: `yes${odd}` })],
    ['in its refusal of CONFIG SET', () => refusing(refusal)],
  ] as const)(
    'a server that sends escape sequences and marks of direction %s: the terminal sees none',
    async (_, start) => {
      await using server = await start();
      using place = aWorkplace();
      const config = place.write('test.yml', `defaults: { timezone: UTC }\n${configYaml(server.port)}`);
      for (const command of ['check', 'run'] as const) {
        for (const json of [[], ['--json']]) {
          const args = [command, '-c', config, '--state', place.stateFile, ...json];
          const { stdout, stderr, code } = await runOffpeak(args);
          expect([0, 1]).toContain(code);
          expect(stdout).not.toBe('');
          for (const text of [stdout, stderr]) {
            expect(text).not.toMatch(UNPRINTABLE);
            expect(text).not.toMatch(/\\u00[0189]|owned.*\\u/);
          }
        }
      }
    },
  );
});
