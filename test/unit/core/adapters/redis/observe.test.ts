import { describe, expect, test } from 'vitest';
import type { Command, Connection, Reply } from '../../../../../core/adapters/redis/connection.ts';
import { infoLines } from '../../../../../core/adapters/redis/info.ts';
import { memorySample } from '../../../../../core/adapters/redis/memory-fields.ts';
import { observe, pairs } from '../../../../../core/adapters/redis/observe.ts';
import { INFO_NAMES, infoSection, infoText } from '../../../../support/info-texts.ts';

const AT = 1_795_398_811_066;

interface Answers {
  readonly info?: string;
  /** Instead of the section that would have been answered. */
  readonly section?: (name: string) => Reply;
  readonly config?: (pattern: string) => Reply;
  readonly latency?: Reply;
  readonly history?: Reply;
  readonly sent?: number;
}

const ok = (value: unknown): Reply => ({ ok: true, value });
const refused = (error: string): Reply => ({ ok: false, error });
const NO_SETTINGS = () => ok([]);
/** The least that is an INFO. */
const LEAST = '# Server\nredis_version:7.0.15\n# Memory\nused_memory:1\n';

/** Answers a look from one INFO text, as ioredis hands replies over. */
function connectionTo({
  info = LEAST,
  section,
  config = NO_SETTINGS,
  latency = ok([]),
  history = ok([]),
  sent = 1,
}: Answers) {
  const asked: Command[] = [];
  const answer = ([name, first = '', second = '']: Command): Reply => {
    if (name === 'INFO') return section ? section(first) : ok(infoSection(info, first));
    if (name === 'CONFIG') return config(second);
    return first === 'HISTORY' ? history : latency;
  };
  const connection: Connection = {
    sent,
    async send(commands) {
      asked.push(...commands);
      return commands.map(answer);
    },
    close: () => {},
  };
  return { connection, asked };
}

const look = (answers: Answers) => observe(connectionTo(answers).connection, '10.0.0.5:6379', () => AT);
const lookAt = (name: string, more: Answers = {}) => look({ info: infoText(name), ...more });

describe('one look', () => {
  test('is one round trip that reads and changes nothing', async () => {
    const { connection, asked } = connectionTo({ info: infoText('redis-7.0.15') });
    await observe(connection, '10.0.0.5:6379', () => AT);
    expect(asked.map((command) => command.join(' '))).toEqual([
      'CONFIG GET *active*defrag*',
      'CONFIG GET hz',
      'CONFIG GET latency-monitor-threshold',
      'LATENCY LATEST',
      'LATENCY HISTORY active-defrag-cycle',
      'INFO server',
      'INFO memory',
      'INFO persistence',
      'INFO replication',
      'INFO cpu',
      'INFO keyspace',
      'INFO stats',
    ]);
  });

  test('at Redis 7.0.15 sees what its INFO text says', async () => {
    const { memory, ...rest } = await lookAt('redis-7.0.15');
    expect(rest).toEqual({
      node: '10.0.0.5:6379',
      at: AT,
      engine: { name: 'redis', version: '7.0.15', slicedDefrag: false, cpuOnlyRises: true, atomicConfigSet: true },
      keys: 18_000,
      runId: 'bae52d4de9b707a164e60591352f9740b4822687',
      uptime: 1000,
      activity: {
        totalCommandsProcessed: 42_003,
        instantaneousOpsPerSec: 22_247,
        evictedKeys: 0,
        currentEvictionExceededTime: 0,
        cpuSeconds: 0.022787 + 0.08735,
        ownCommands: 12,
      },
      persistence: {
        loading: false,
        asyncLoading: false,
        rdbBgsaveInProgress: false,
        aofRewriteInProgress: false,
        aofRewriteScheduled: false,
        moduleForkInProgress: false,
        saves: true,
        aofWrites: true,
        aofRewrites: true,
        unsaved: 42_000,
        cowSize: 0,
        cowPeak: 0,
        lastCowSize: 0,
      },
      replication: { role: 'primary', replicasSyncing: 0, failoverInProgress: false, connectedReplicas: 0 },
      defrag: { running: 0, hits: 0, misses: 0, keyHits: 0, keyMisses: 0, scannedKeys: 0, settings: {}, cycles: [] },
      refused: [],
    });
    expect(memory).toEqual({
      usedMemory: 16_354_624,
      usedMemoryRss: 57_090_048,
      usedMemoryPeak: 50_934_400,
      allocatorAllocated: 16_411_576,
      allocatorActive: 51_290_112,
      allocatorResident: 53_633_024,
      allocatorFragBytes: 34_878_536,
      memAllocator: 'jemalloc-5.2.1',
      maxmemory: 0,
      maxmemoryPolicy: 'noeviction',
      totalSystemMemory: 25_276_502_016,
      usedMemoryOverhead: 2_103_472,
      usedMemoryStartup: 858_800,
      clientBuffers: 0,
      replicaBuffers: 0,
      clusterLinks: 0,
      aofBuffer: 0,
      scriptsVm: 63_488,
      functionsVm: 32_768,
      scriptsCache: 200,
      functionsCache: 184,
      notCountedForEvict: 0,
      lazyfreePendingObjects: 0,
      replicationBacklog: 0,
    });
  });

  test('counts as its own what the connection sent before, and all of the look that comes before INFO stats', async () => {
    const { activity } = await lookAt('redis-7.0.15', { sent: 20 });
    expect(activity.ownCommands).toBe(31);
  });

  // Garnet reports memory of its own kinds only.
  test.each(INFO_NAMES.filter((name) => !name.includes('garnet')))(
    'at %s holds no figure that is not finite and no key without a value',
    async (name) => {
      const observation = await lookAt(name);
      const values = Object.values(observation).flatMap((part) =>
        typeof part === 'object' ? Object.values(part) : [part],
      );
      expect(values).not.toContain(undefined);
      expect(values.filter((value) => typeof value === 'number' && !(value >= 0))).toEqual([]);
    },
  );

  test('at a server that says no more than its version and its memory knows no more', async () => {
    expect(await look({})).toEqual({
      node: '10.0.0.5:6379',
      at: AT,
      engine: { name: 'redis', version: '7.0.15', slicedDefrag: false, cpuOnlyRises: true, atomicConfigSet: true },
      memory: { usedMemory: 1 },
      activity: { ownCommands: 12 },
      persistence: {},
      replication: { role: 'unknown', replicasSyncing: 0 },
      defrag: { settings: {}, cycles: [] },
      refused: [],
    });
  });
});

describe('what a server reports in its own way', () => {
  test('Redis 4 reports no layers, and the CPU of the process', async () => {
    const { memory, activity } = await lookAt('written-redis-4.0.14');
    expect(memory).toEqual({
      usedMemory: 385_187_088,
      usedMemoryRss: 655_863_808,
      usedMemoryPeak: 588_938_688,
      memAllocator: 'jemalloc-4.0.3',
      maxmemory: 0,
      maxmemoryPolicy: 'noeviction',
      totalSystemMemory: 8_363_802_624,
      usedMemoryOverhead: 121_386_320,
      usedMemoryStartup: 786_528,
      scriptsVm: 37_888,
      lazyfreePendingObjects: 0,
    });
    expect(activity.cpuSeconds).toBe(721.75);
  });

  test('an underflowed size is absent', async () => {
    expect((await lookAt('written-redis-7.0-libc-underflow')).memory.allocatorFragBytes).toBeUndefined();
  });

  test('a primary that saves for a replica', async () => {
    const { persistence, replication } = await lookAt('redis-7.0.15-bgsave-in-progress');
    expect(persistence.rdbBgsaveInProgress).toBe(true);
    expect(replication).toEqual({
      role: 'primary',
      replicasSyncing: 1,
      failoverInProgress: false,
      connectedReplicas: 1,
    });
  });

  test('a replica that has not caught up', async () => {
    const { replication } = await lookAt('redis-7.0.15-replica');
    expect(replication).toMatchObject({ role: 'replica', primaryLinkUp: false, replicasSyncing: 0 });
  });

  test('a replica in step', async () => {
    const { replication } = await lookAt('written-elasticache-7.1.0');
    expect(replication).toMatchObject({ role: 'replica', primaryLinkUp: true, primarySyncInProgress: false });
  });

  test("KeyDB's active replica is neither, and follows another one", async () => {
    const { replication } = await lookAt('written-keydb-6.3.4-active-replica');
    expect(replication).toMatchObject({ role: 'unknown', primaryLinkUp: false, primarySyncInProgress: true });
  });

  test.each([
    ['online', 0],
    ['wait_bgsave', 1],
    ['send_bulk', 1],
    ['send_bulk_and_stream', 1],
    ['bg_transfer', 1],
    ['wait_rdb_channel', 1],
    ['online_soon', 1],
  ])('a replica in state %s: %d fed', async (state, fed) => {
    const section = (name: string) =>
      ok(
        name === 'replication'
          ? `redis_version:7.0.15\r\nused_memory:1\r\nrole:master\r\nslave0:ip=10.0.0.9,port=6379,state=${state},offset=0,lag=0\r\n`
          : '',
      );
    expect((await look({ section })).replication.replicasSyncing).toBe(fed);
  });

  test('every replica counts, beyond the ninth too', async () => {
    const replicas = Array.from(
      { length: 11 },
      (_, index) => `slave${index}:ip=10.0.0.9,port=1,state=wait_bgsave,lag=0`,
    );
    const section = (name: string) =>
      ok(name === 'replication' ? ['redis_version:7.0.15', 'used_memory:1', ...replicas].join('\r\n') : '');
    expect((await look({ section })).replication.replicasSyncing).toBe(11);
  });

  test.each([
    ['no-failover', false],
    ['waiting-for-sync', true],
    ['failover-in-progress', true],
  ])('failover state %s', async (state, failoverInProgress) => {
    const section = () => ok(`redis_version:7.0.15\r\nused_memory:1\r\nmaster_failover_state:${state}\r\n`);
    expect((await look({ section })).replication.failoverInProgress).toBe(failoverInProgress);
  });
});

describe('CONFIG', () => {
  const ALL: Readonly<Record<string, readonly string[]>> = {
    '*active*defrag*': ['activedefrag', 'no', 'active-defrag-cycle-max', '25'],
    hz: ['hz', '10'],
    'latency-monitor-threshold': ['latency-monitor-threshold', '0'],
  };

  test('is read pattern by pattern', async () => {
    const { defrag, refused: denied } = await look({ config: (pattern) => ok(ALL[pattern]) });
    expect(defrag.settings).toEqual({
      activedefrag: 'no',
      'active-defrag-cycle-max': '25',
      hz: '10',
      'latency-monitor-threshold': '0',
    });
    expect(denied).toEqual([]);
  });

  test.each([
    ['an ACL', "NOPERM User fw has no permissions to run the 'config|get' command"],
    ['a managed service', "ERR unknown command 'CONFIG', with args beginning with: 'GET'"],
    ['a renamed command', 'ERR unknown command `CONFIG`'],
  ])('refused by %s leaves the rest of the look', async (_who, error) => {
    const observation = await lookAt('redis-7.0.15', {
      config: () => refused(error),
      latency: refused(error),
      history: refused(error),
    });
    expect(observation.defrag).toEqual({ running: 0, hits: 0, misses: 0, keyHits: 0, keyMisses: 0, scannedKeys: 0 });
    expect(observation.refused).toEqual(['config|get', 'latency|latest', 'latency|history']);
    expect(observation.memory.usedMemoryRss).toBe(57_090_048);
  });

  test('refused in part keeps what was answered, and says that some was not', async () => {
    const config = (pattern: string) => (pattern === 'hz' ? refused('NOPERM') : ok(ALL[pattern]));
    const { defrag, refused: denied } = await look({ config });
    expect(defrag.settings).toEqual({
      activedefrag: 'no',
      'active-defrag-cycle-max': '25',
      'latency-monitor-threshold': '0',
    });
    expect(denied).toEqual(['config|get']);
  });

  test.each([
    ['a list of pairs', ['hz', '10', 'maxmemory', '0'], { hz: '10', maxmemory: '0' }],
    ['nothing known by that name', [], {}],
    ['a name without its value', ['hz'], { hz: '' }],
    ['a null value', ['hz', null], { hz: '' }],
    ['numbers', ['hz', 10], { hz: '10' }],
    ['no list', 'OK', {}],
    ['null', null, {}],
    ['a map of RESP3', { hz: '10' }, {}],
  ])('reply: %s', (_what, value, settings) => {
    expect(pairs(value)).toEqual(settings);
  });

  test('a setting called __proto__ changes no prototype', async () => {
    const { defrag } = await look({ config: () => ok(['__proto__', 'polluted']) });
    expect(Object.getPrototypeOf(defrag.settings)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('what a server says and cannot be', () => {
  test('a run_id that is none (F13) is absent', async () => {
    const info = infoText('redis-7.0.15').replace(/^run_id:.*$/m, `run_id:${'f'.repeat(1100)}`);
    expect(await look({ info })).not.toHaveProperty('runId');
  });

  test('a setting whose value is none (F15) is left out, and named', async () => {
    const config = (pattern: string) =>
      ok(pattern === 'hz' ? ['hz', '10; FLUSHALL', 'maxmemory', '0'] : ['activedefrag', 'no']);
    expect((await look({ config })).defrag).toMatchObject({ settings: { activedefrag: 'no' }, odd: ['hz'] });
  });

  test.each([
    ['negative', [[-1, -5]]],
    ['beyond what a number holds', [[1, 2 ** 53]]],
    ['infinite', [[1, '1e999']]],
    ['lists', [[1, [2]]]],
  ])('events that are %s are none', async (_what, events) => {
    expect((await look({ history: ok(events) })).defrag.cycles).toEqual([]);
  });

  test('of events without end the latest 160 are kept, as a server does', async () => {
    const events = Array.from({ length: 3000 }, (_, at) => [at, 1]);
    const { cycles } = (await look({ history: ok(events) })).defrag;
    expect(cycles?.map(({ at }) => at)).toEqual(events.slice(-160).map(([at]) => at));
  });

  test('what follows 8 MiB of one section is read all the same', async () => {
    const section = (name: string) =>
      ok(name === 'memory' ? `used_memory:1\n${'x'.repeat(8_000_000)}` : name === 'replication' ? 'role:slave' : 'a:1');
    expect((await look({ section })).replication.role).toBe('replica');
  });
});

describe('LATENCY LATEST', () => {
  const EVENT = { at: 1_795_398_811, latest: 12, max: 31 };
  test.each([
    ['the event', [['active-defrag-cycle', 1_795_398_811, 12, 31]], EVENT],
    [
      'beside others',
      [
        ['command', 1, 2, 3],
        ['active-defrag-cycle', 1_795_398_811, 12, 31],
      ],
      EVENT,
    ],
    ["with Valkey 8.1's sum and count", [['active-defrag-cycle', 1_795_398_811, 12, 31, 400, 40]], EVENT],
    ['as texts', [['active-defrag-cycle', '1795398811', '12', '31']], EVENT],
    ['nothing recorded', [], undefined],
    ['other events only', [['command', 1, 2, 3]], undefined],
    ['cut short', [['active-defrag-cycle', 1_795_398_811]], undefined],
    ['not a number', [['active-defrag-cycle', 1_795_398_811, 'nan', 31]], undefined],
    ['events that are no lists', ['active-defrag-cycle', 1, 2, 3], undefined],
    ['no list', 'OK', undefined],
    ['null', null, undefined],
  ])('%s', async (_what, value, latency) => {
    expect((await look({ latency: ok(value) })).defrag.latency).toEqual(latency);
  });

  test('refused is no reason to refuse the look', async () => {
    const { defrag, refused: denied } = await look({ latency: refused('NOPERM') });
    expect(defrag.latency).toBeUndefined();
    expect(denied).toEqual(['latency|latest']);
  });
});

describe('without INFO there is no look', () => {
  test.each([
    ['LOADING Redis is loading the dataset in memory', 'refused'],
    ['BUSY Redis is busy running a script', 'refused'],
    ["NOPERM User fw has no permissions to run the 'info' command", 'refused'],
    ['MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk', 'refused'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'refused'],
    ['NOAUTH Authentication required.', 'wrong-credentials'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'wrong-credentials'],
  ])('%s', async (error, kind) => {
    const failure = look({ section: () => refused(error) });
    const message = expect.stringMatching(/^INFO was refused: [A-Z]+ ./);
    await expect(failure).rejects.toMatchObject({ name: 'NodeFailure', kind, message });
    await expect(failure).rejects.toThrow(error);
  });

  test.each([
    [
      'NOAUTH Authentication required.',
      'required. Set credentials.password, and for a user of an ACL credentials.username',
    ],
    ["NOPERM User fw has no permissions to run the 'info' command", 'Allow this user +info (ACL SETUSER)'],
  ])('%s: the remedy is named', async (error, remedy) => {
    await expect(look({ section: () => refused(error) })).rejects.toThrow(remedy);
  });

  test.each([
    "ERR unknown command 'INFO', with args beginning with: 'server'",
    'ERR unknown command `INFO`',
    'ERR unsupported command',
    "ERR 'INFO' command is not supported",
  ])('%s: as proxies answer, and not a data node', async (error) => {
    await expect(look({ section: () => refused(error) })).rejects.toMatchObject({
      kind: 'not-data-node',
      message: expect.stringContaining('put the servers behind it into the config, or allow INFO'),
    });
  });

  test('one refused section is enough', async () => {
    const section = (name: string) => (name === 'cpu' ? refused('BUSY') : ok('role:master'));
    await expect(look({ section })).rejects.toMatchObject({ kind: 'refused' });
  });

  test.each([
    ['a list', ['used_memory', '1']],
    ['null', null],
    ['a number', 1],
    ['an empty text', ''],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n'],
    ['5 MB of anything', 'x:'.repeat(2_500_000)],
  ])('%s is not what Redis answers', async (_what, value) => {
    await expect(look({ section: () => ok(value) })).rejects.toMatchObject({ name: 'NodeFailure', kind: 'not-redis' });
  });
});

describe('INFO memory', () => {
  const sample = (...lines: readonly string[]) => memorySample([infoLines(lines.join('\n'))]);

  test.each([
    [['used_memory_lua:1'], { scriptsVm: 1 }],
    [['used_memory_lua:1', 'used_memory_vm_eval:2', 'used_memory_vm_functions:3'], { scriptsVm: 2, functionsVm: 3 }],
    [['used_memory_vm_total:5', 'used_memory_vm_functions:3'], { scriptsVm: 2, functionsVm: 3 }],
    [['used_memory_scripts:7'], { scriptsCache: 7 }],
    [['used_memory_scripts:7', 'used_memory_functions:3'], { scriptsCache: 4, functionsCache: 3 }],
    [['mem_clients_slaves:4', 'mem_replication_backlog:5', 'mem_total_replication_buffers:9'], { replicaBuffers: 4 }],
    [['mem_total_replication_buffers:9'], { replicaBuffers: 9 }],
    [['mem_replica_full_sync_buffer:1'], { fullSyncBuffer: 1 }],
    [['mem_replicas_repl_buffer:2'], { fullSyncBuffer: 2 }],
  ])('%j', (lines, expected) => expect(sample(...lines)).toEqual(expected));

  test.each([
    ['zero', ['used_memory_rss:0']],
    ['negative', ['used_memory_rss:-4096']],
    ['an unsigned negative', ['used_memory_rss:18446744073709547520']],
    ['no number', ['used_memory_rss:nan']],
    ['digits of another script', ['used_memory_rss:٣٤٥']],
    ['with a unit', ['used_memory_rss:4G']],
    ['twice, far apart', ['used_memory_rss:3000000000', 'used_memory_rss:9000000000']],
  ])('RSS that is %s is left out, and named', (_what, lines) => {
    expect(sample(...lines)).toEqual({ odd: ['used_memory_rss'] });
  });

  test('much alike in two sections is two samples, the first counts; in one section it cannot be', () => {
    const samples = (...texts: readonly string[]) => memorySample(texts.map((text) => infoLines(text)));
    expect(samples('used_memory_rss:3000000000', 'used_memory_rss:3000100000')).toEqual({
      usedMemoryRss: 3_000_000_000,
    });
    expect(samples('mem_clients_normal:0', 'mem_clients_normal:1928')).toEqual({ clientBuffers: 0 });
    expect(sample('used_memory_rss:3000000000', 'used_memory_rss:3000100000')).toEqual({ odd: ['used_memory_rss'] });
  });

  test('a field without a value is absent', () => expect(sample('used_memory:', 'maxmemory:')).toEqual({}));
});

describe('LATENCY HISTORY', () => {
  test('holds the longest cycle of each second, oldest first', async () => {
    const history = ok([
      [1_764_000_000, 23],
      [1_764_000_002, 4],
    ]);
    expect((await look({ history })).defrag.cycles).toEqual([
      { at: 1_764_000_000, took: 23 },
      { at: 1_764_000_002, took: 4 },
    ]);
  });

  test.each([
    ['no list', 'OK', undefined],
    ['null', null, undefined],
    ['entries that are none', [1, 'x', [], [1], ['a', 'b'], [1, 2]], [{ at: 1, took: 2 }]],
  ])('%s', async (_what, value, cycles) => {
    expect((await look({ history: ok(value) })).defrag.cycles).toEqual(cycles);
  });
});

describe('INFO keyspace', () => {
  const keysOf = async (text: string) => (await look({ info: `${LEAST}# Keyspace\n${text}` })).keys;

  test.each([
    ['one database', 'db0:keys=700,expires=12,avg_ttl=0', 700],
    ['several', 'db0:keys=700,expires=0,avg_ttl=0\ndb12:keys=1,expires=0,avg_ttl=0,subexpiry=0', 701],
    ['none', '', undefined],
    ['a count that is none', 'db0:keys=-3,expires=0', undefined],
    ['a count beyond what a number holds', 'db0:keys=99999999999999999999,expires=0', undefined],
    ['another field of that kind', 'db0_distrib_strings_sizes:1=3', undefined],
  ])('%s', async (_what, text, keys) => {
    expect(await keysOf(text)).toBe(keys);
  });
});
