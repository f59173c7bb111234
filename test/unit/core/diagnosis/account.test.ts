import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MEMORY_FIELDS } from '../../../../core/adapters/redis/memory-fields.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { diagnose } from '../../../../core/diagnosis/diagnose.ts';
import { MEANINGS } from '../../../../core/diagnosis/field-meanings.ts';
import { isIn, luaPlace } from '../../../../core/diagnosis/lua-place.ts';
import { bytesOfClass, kernelBytes, type MemoryAccount, PART_CLASS } from '../../../../core/domain/account.ts';
import type { EngineName } from '../../../../core/domain/engine.ts';
import type { MemorySample, Observation } from '../../../../core/domain/observation.ts';
import { aMemorySample, anEngine, anInstance, anObservation } from '../../../support/builders.ts';
import { INFO_NAMES, infoText } from '../../../support/info-texts.ts';
import { lookAtReport, reportInfo } from '../../../support/reports.ts';

const REPORTS = readdirSync(new URL('../../../fixtures/reports/', import.meta.url))
  .filter((file) => file.endsWith('.info'))
  .map((file) => file.slice(0, -'.info'.length));

const accountIn = (observation: Observation) => diagnose(observation, anInstance()).account;
/** Exactly this sample, at this engine. */
const accountOfSample = (memory: MemorySample, name: EngineName = 'redis', version = '7.0.15') =>
  accountIn({ ...anObservation(), engine: anEngine({ name, version }), memory });
const bytesIn = (account: MemoryAccount | undefined) =>
  Object.fromEntries(account?.parts.map(({ kind, bytes }) => [kind, bytes]) ?? []);
const sum = (account: MemoryAccount) => account.parts.reduce((total, { bytes }) => total + bytes, 0);

describe('adds up, to the byte', () => {
  test.each(INFO_NAMES.filter((name) => !name.includes('garnet')))('%s', async (name) => {
    const text = infoText(name);
    const account = accountIn(await lookAtReport(text));
    const rss = Number(/^used_memory_rss:(\d+)/m.exec(text)?.[1]);
    if (!account) return expect(Number.isNaN(rss)).toBe(true);
    expect(account).toMatchObject({ total: rss, of: 'rss', impossible: [] });
    expect(sum(account)).toBe(rss);
  });

  // A Sentinel is not a data node, and is not observed.
  test.each(REPORTS.filter((name) => name !== 'sentinel'))('%s', async (name) => {
    const account = accountIn(await lookAtReport(reportInfo(name)));
    if (account) expect(sum(account)).toBe(account.total);
  });

  const bytes = fc.oneof(fc.nat(), fc.nat({ max: 2 ** 40 }), fc.constantFrom(0, 1, 2 ** 50));
  const fields = Object.keys(aMemorySample()).concat(
    'allocatorMuzzy',
    'usedMemoryOverhead',
    'usedMemoryStartup',
    'clientBuffers',
    'replicaBuffers',
    'replicationBacklog',
    'aofBuffer',
    'scriptsCache',
    'functionsCache',
    'totalSystemMemory',
  );
  const sample = fc.record(
    Object.fromEntries(
      fields.map((field) => [field, field === 'memAllocator' ? fc.constantFrom('jemalloc-5.3.0', 'libc') : bytes]),
    ),
    { requiredKeys: [] },
  );
  const engine = fc.constantFrom<[EngineName, string]>(
    ['redis', '4.0.9'],
    ['redis', '7.2.4'],
    ['redis', '7.4.2'],
    ['redis', '8.2.3'],
    ['valkey', '9.1.2'],
    ['keydb', '6.3.4'],
    ['dragonfly', '1.40.1'],
    ['unknown', ''],
  );

  test('whatever a server reports, and no part is zero', () => {
    fc.assert(
      fc.property(sample, engine, (memory, [name, version]) => {
        const account = accountOfSample(memory as MemorySample, name, version);
        if (!account) return;
        expect(sum(account)).toBe(account.total);
        expect(account.parts.filter(({ bytes: size }) => size === 0)).toEqual([]);
        const negative = account.parts.filter(({ bytes: size }) => size < 0).map(({ kind }) => kind);
        expect(negative.filter((kind) => kind !== 'uncounted' && kind !== 'not-resident')).toEqual([]);
        const classes = new Set(Object.values(PART_CLASS));
        expect([...classes].reduce((total, one) => total + bytesOfClass(account, one), 0)).toBe(account.total);
      }),
      { numRuns: 500 },
    );
  });
});

describe('used_memory, by what it is', () => {
  const SAMPLE = aMemorySample({
    usedMemory: 450 * MIB,
    allocatorAllocated: 451 * MIB,
    usedMemoryOverhead: 100 * MIB,
    usedMemoryStartup: MIB,
    clientBuffers: 40 * MIB,
    replicaBuffers: 3 * MIB,
    replicationBacklog: 10 * MIB,
    clusterLinks: 2 * MIB,
    aofBuffer: 4 * MIB,
    scriptsCache: 5 * MIB,
    functionsCache: 6 * MIB,
    scriptsVm: 7 * MIB,
    functionsVm: 2 * MIB,
  });

  test('each field is a part, and dictionaries are what is left of the overhead', () => {
    expect(bytesIn(accountOfSample(SAMPLE))).toEqual({
      keys: 350 * MIB,
      dictionaries: 29 * MIB,
      startup: MIB,
      'client-buffers': 40 * MIB,
      'replica-buffers': 3 * MIB,
      'replication-backlog': 10 * MIB,
      'cluster-links': 2 * MIB,
      'aof-buffer': 4 * MIB,
      scripts: 5 * MIB,
      functions: 6 * MIB,
      uncounted: MIB,
      'external-fragmentation': 357 * MIB,
      'free-pages': 18 * MIB,
      'scripts-vm': 7 * MIB,
      'functions-vm': 2 * MIB,
      process: 6 * MIB,
    });
  });

  // The VMs, 9 MiB: outside, in the dataset, in the overhead.
  test.each<[EngineName, string, Record<string, number>]>([
    [
      'redis',
      '7.2.11',
      { keys: 350, dictionaries: 29, scripts: 5, functions: 6, 'scripts-vm': 7, 'functions-vm': 2, process: 6 },
    ],
    [
      'valkey',
      '8.1.1',
      { keys: 350, dictionaries: 29, scripts: 5, functions: 6, 'scripts-vm': 7, 'functions-vm': 2, process: 6 },
    ],
    [
      'keydb',
      '6.3.4',
      { keys: 350, dictionaries: 29, scripts: 5, functions: 6, 'scripts-vm': 7, 'functions-vm': 2, process: 6 },
    ],
    ['redis', '7.4.2', { keys: 341, dictionaries: 29, scripts: 12, functions: 8, process: 15 }],
    ['redis', '8.0.6', { keys: 350, dictionaries: 20, scripts: 12, functions: 8, process: 15 }],
    ['redis', '8.10.1', { keys: 350, dictionaries: 20, scripts: 12, functions: 8, process: 15 }],
    ['dragonfly', '1.40.1', { keys: 350, dictionaries: 29, scripts: 5, functions: 6, process: 15 }],
  ])('where Lua is in %s %s', (name, version, expected) => {
    const parts = bytesIn(accountOfSample(SAMPLE, name, version));
    const names = ['keys', 'dictionaries', 'scripts', 'functions', 'scripts-vm', 'functions-vm', 'process'];
    const inMib = Object.fromEntries(names.flatMap((kind) => (parts[kind] ? [[kind, parts[kind] / MIB]] : [])));
    expect(inMib).toEqual(expected);
  });

  test('the system’s jemalloc has Lua inside the allocator, beyond used_memory', () => {
    const memory = { ...SAMPLE, allocatorAllocated: 470 * MIB, usedMemoryRss: 830 * MIB };
    const account = accountOfSample(memory, 'valkey', '8.0.1');
    expect(account?.parts.filter(({ kind }) => kind.endsWith('-vm'))).toEqual([
      { kind: 'scripts-vm', group: 'data', bytes: 7 * MIB },
      { kind: 'functions-vm', group: 'data', bytes: 2 * MIB },
    ]);
    expect(bytesIn(account).uncounted).toBe(11 * MIB);
  });

  test('with the C library’s allocator Lua is outside in every version', () => {
    const { allocatorActive: _, ...memory } = { ...SAMPLE, memAllocator: 'libc' };
    expect(bytesIn(accountOfSample(memory, 'redis', '8.2.3'))).toMatchObject({
      'scripts-vm': 7 * MIB,
      'beyond-used': 382 * MIB,
    });
  });

  test('parts that are more than the whole were counted at another instant: the largest is cut', () => {
    const sample = { ...SAMPLE, clientBuffers: 451 * MIB };
    const account = accountOfSample(sample);
    expect(account && sum(account)).toBe(sample.usedMemoryRss);
    const { keys, dictionaries, 'client-buffers': buffers = 0 } = bytesIn(account);
    expect({ keys, dictionaries }).toEqual({});
    expect(buffers).toBeGreaterThan(410 * MIB);
    expect(buffers).toBeLessThan(450 * MIB);
  });

  test('a part of twice the whole is not believed', () => {
    const account = accountOfSample({ ...SAMPLE, clientBuffers: 900 * MIB });
    expect(account?.impossible).toEqual(['mem_clients_normal']);
    expect(bytesIn(account)).not.toHaveProperty('client-buffers');
  });

  test('Lua that is partly swapped out takes the room that is there', () => {
    const memory = { ...SAMPLE, scriptsVm: 2 * GIB, functionsVm: 0 };
    const account = accountOfSample(memory);
    expect(account && sum(account)).toBe(SAMPLE.usedMemoryRss);
    expect(bytesIn(account)).not.toHaveProperty('process');
    expect(account?.parts.filter(({ bytes }) => bytes < 0)).toEqual([]);
  });

  test('an overhead without its parts is not called dictionaries', () => {
    const memory = { usedMemory: 400 * MIB, usedMemoryRss: 600 * MIB, usedMemoryOverhead: 120 * MIB };
    expect(bytesIn(accountOfSample(memory, 'redis', '4.0.14'))).toEqual({
      keys: 280 * MIB,
      'other-overhead': 120 * MIB,
      'beyond-used': 200 * MIB,
    });
  });
});

describe('muzzy pages', () => {
  const muzzy = (allocatorMuzzy: number, usedMemoryRss = 900 * MIB) =>
    diagnose(anObservation({ memory: { allocatorMuzzy, usedMemoryRss, scriptsVm: 0, functionsVm: 0 } }), anInstance());

  test('are free pages, which a purge returns', () => {
    const { layers, account, reclaimable } = muzzy(60 * MIB);
    expect(layers).toMatchObject({ freePages: 78 * MIB, muzzyPages: 60 * MIB, overhead: 14 * MIB });
    expect(bytesIn(account)).toMatchObject({ 'free-pages': 18 * MIB, 'muzzy-pages': 60 * MIB, process: 14 * MIB });
    expect(reclaimable.purge.reclaim).toBeGreaterThan(50 * MIB);
  });

  test('that the kernel has taken are not in RSS', () => {
    expect(muzzy(500 * MIB).layers).toMatchObject({ freePages: 92 * MIB, muzzyPages: 74 * MIB, overhead: 0 });
    expect(muzzy(500 * MIB, 800 * MIB).layers).toMatchObject({ freePages: 18 * MIB, overhead: -26 * MIB });
  });
});

describe('a fork', () => {
  const RUNS = { rdbBgsaveInProgress: true, cowSize: 200 * MIB, cowPeak: 210 * MIB, lastCowSize: 50 * MIB };

  test.each([
    ['runs', RUNS, { kind: 'running', bytes: 200 * MIB, peak: 210 * MIB }],
    [
      'has copied less so far than the last one',
      { rdbBgsaveInProgress: true, cowSize: 9 * MIB, lastCowSize: 50 * MIB },
      { kind: 'running', bytes: 9 * MIB, last: 50 * MIB },
    ],
    ['rewrites the AOF', { aofRewriteInProgress: true, cowSize: 9 * MIB }, { kind: 'running', bytes: 9 * MIB }],
    ['is a module’s', { moduleForkInProgress: true, cowSize: 9 * MIB }, { kind: 'running', bytes: 9 * MIB }],
    ['has not reported yet', { ...RUNS, cowSize: 0 }, { kind: 'last', bytes: 50 * MIB, runs: true }],
    [
      'does not say (Redis 6.0)',
      { rdbBgsaveInProgress: true, lastCowSize: 50 * MIB },
      { kind: 'last', bytes: 50 * MIB, runs: true },
    ],
    ['is over', { cowSize: 200 * MIB, lastCowSize: 50 * MIB }, { kind: 'last', bytes: 50 * MIB }],
    ['copied more than there is now', { lastCowSize: 5 * GIB }, { kind: 'last', bytes: 841 * MIB }],
    ['has never been', { lastCowSize: 0 }, undefined],
  ] as const)('that %s', (_what, persistence, expected) => {
    const account = accountIn(anObservation({ persistence }));
    expect(account?.fork).toEqual(expected);
    expect(kernelBytes(account)).toBe(841 * MIB + (expected?.kind === 'running' ? expected.bytes : 0));
  });
});

describe('what cannot be', () => {
  test.each<[string, Partial<MemorySample>, readonly string[], number]>([
    ['an RSS of one byte', { usedMemoryRss: 1 }, ['used_memory_rss'], 450 * MIB],
    [
      'an RSS of many machines',
      { usedMemoryRss: 2 ** 50, totalSystemMemory: 16 * GIB },
      ['used_memory_rss'],
      450 * MIB,
    ],
    ['a machine that is smaller than RSS', { totalSystemMemory: 800 * MIB }, ['total_system_memory'], 841 * MIB],
    ['an overhead of twice the whole', { usedMemoryOverhead: 900 * MIB }, ['used_memory_overhead'], 841 * MIB],
    ['a backlog of twice the whole', { replicationBacklog: 900 * MIB }, ['mem_replication_backlog'], 841 * MIB],
    [
      'a peak of many machines',
      { usedMemoryPeak: 2 ** 45, totalSystemMemory: 16 * GIB },
      ['used_memory_peak'],
      841 * MIB,
    ],
    ['Lua of many machines', { scriptsVm: 2 ** 45, totalSystemMemory: 16 * GIB }, ['used_memory_lua'], 841 * MIB],
    [
      'no allocated byte beside data',
      { allocatorAllocated: 0 },
      ['allocator_allocated', 'allocator_active', 'allocator_resident'],
      841 * MIB,
    ],
  ])('%s is said, and left out', (_what, memory, impossible, total) => {
    const { account, findings } = diagnose(anObservation({ memory }), anInstance());
    expect(account).toMatchObject({ total, impossible });
    expect(account && sum(account)).toBe(total);
    expect(findings).toContainEqual({ kind: 'impossible', fields: impossible });
  });

  test('an overhead a little beyond the whole is a miscount of the server (redis#13973): left out without a word', () => {
    const { account, findings } = diagnose(anObservation({ memory: { usedMemoryOverhead: 451 * MIB } }), anInstance());
    expect(account).toMatchObject({ total: 841 * MIB, impossible: [] });
    expect(findings.map(({ kind }) => kind)).not.toContain('impossible');
  });

  test('a fork that copied more than the machine has', () => {
    const persistence = { rdbBgsaveInProgress: true, cowSize: 2 ** 50 };
    const { account } = diagnose(anObservation({ persistence, memory: { totalSystemMemory: 16 * GIB } }), anInstance());
    expect(account).toMatchObject({ impossible: ['current_cow_size'] });
    expect(account).not.toHaveProperty('fork');
  });

  test('nothing at all has no account', () => expect(accountOfSample({})).toBeUndefined());
});

describe('what the fields mean', () => {
  const ENGINES = [
    ['redis', '4.0.14'],
    ['redis', '5.0.14'],
    ['redis', '6.2.14'],
    ['redis', '7.0.15'],
    ['redis', '7.4.2'],
    ['redis', '8.2.3'],
    ['valkey', '8.0.1'],
    ['valkey', '9.1.2'],
    ['keydb', '6.3.4'],
  ] as const;

  const meaningsOf = (field: string, engine: { readonly name: EngineName; readonly version: string }) =>
    MEANINGS.filter(({ fields, of }) => fields.includes(field) && (of?.some((range) => isIn(engine, range)) ?? true));

  test.each(MEMORY_FIELDS)('%s has one meaning in each version', (field) => {
    for (const [name, version] of ENGINES)
      expect(meaningsOf(field, { name, version }), `${name} ${version}`).toHaveLength(1);
  });

  test('each meaning has its source', () => {
    expect(MEANINGS.filter(({ source }) => !/\.c\b|#\d|captured/.test(source))).toEqual([]);
  });

  test('of an engine that is not known, the place of Lua is not known', () => {
    expect(luaPlace({ name: 'dragonfly', version: '7.2.0' })).toBeUndefined();
    expect(luaPlace({ name: 'unknown', version: '' })).toBeUndefined();
    expect(luaPlace({ name: 'redis', version: 'unstable' })).toBeUndefined();
  });
});
