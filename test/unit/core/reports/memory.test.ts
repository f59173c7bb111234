import { describe, expect, test } from 'vitest';
import { pictureLines } from '../../../../cli/render/picture.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { anInstance, anOutcome } from '../../../support/builders.ts';
import { lookAtReport, reportInfo } from '../../../support/reports.ts';
import { type Circumstances, said, withPurge } from './seen.ts';

// What people have reported of their memory (rows of the table of public reports), and more of each kind.

type Fields = Readonly<Record<string, string | number | undefined>>;

const found = async (name: string, fields: Fields = {}, circumstances: Circumstances = {}) =>
  (await said(reportInfo(name, fields), circumstances)).findings.join('\n');

const limited = (memoryLimit: number): Circumstances => ({ policy: anInstance({ memoryLimit }) });

async function picture(name: string, fields: Fields = {}, policy: InstanceConfig = anInstance()): Promise<string> {
  const observation = await lookAtReport(reportInfo(name, fields));
  const { diagnosis } = await said(reportInfo(name, fields), { policy });
  return pictureLines(
    anOutcome({ before: { observation, diagnosis } }),
    { paint: plainPaint, unicode: false },
    policy,
  ).join('\n');
}

describe('row 4, redis-operator#769: maxmemory beside the limit', () => {
  const name = 'maxmemory-equals-limit';

  test('as large as the limit: eviction begins too late, and this is what it should be', async () => {
    expect(await found(name, {}, limited(6 * GIB))).toBe(
      "eviction begins at maxmemory (6 GiB), and with this node's own overhead RSS is then about 6.35 GiB: at or after the memory limit of 6 GiB, where the kernel kills the server. Set maxmemory to at most 4672mb, or give the server at least 7.81 GiB",
    );
  });

  test.each<[string, Fields, Circumstances, RegExp]>([
    ['larger than the limit', { maxmemory: 8 * GIB }, limited(6 * GIB), /^eviction begins at maxmemory \(8 GiB\)/],
    ['that refuses writes', { maxmemory_policy: 'noeviction' }, limited(6 * GIB), /^writes are refused at maxmemory/],
    [
      'smaller, but this node needs half as much again',
      { maxmemory: 4.5 * GIB, used_memory_rss: 4_600_000_000 },
      limited(6 * GIB),
      /eviction begins at maxmemory \(4\.5 GiB\), and .* RSS is then about 6\.\d+ GiB/,
    ],
    [
      'with a fork that takes the rest',
      { maxmemory: 4 * GIB, rdb_last_cow_size: 2_500_000_000 },
      limited(6 * GIB),
      /eviction begins at maxmemory \(4 GiB\)/,
    ],
    [
      'with 20 % of headroom',
      { maxmemory: 5 * GIB },
      limited(6 * GIB),
      /^maxmemory \(5 GiB\) leaves 20 % of headroom below the memory limit of 6 GiB; 30 to 50 % .* Set maxmemory to at most 4672mb, or give the server at least 6\.5 GiB$/,
    ],
    ['as large as the machine', { total_system_memory: 6 * GIB }, {}, /at or after the machine's memory of 6 GiB/],
    [
      'not set',
      { maxmemory: 0 },
      limited(6 * GIB),
      /^maxmemory is not set: .* at the memory limit of 6 GiB\. Set maxmemory to at most 4672mb$/,
    ],
    [
      'of a managed service',
      {},
      { ...limited(6 * GIB), settings: 'refused' },
      /in the service's parameter group \(ElastiCache: reserved-memory-percent\)/,
    ],
    [
      'on an empty server',
      {
        used_memory: 2 * MIB,
        used_memory_rss: 9 * MIB,
        allocator_allocated: 2 * MIB,
        allocator_active: 3 * MIB,
        allocator_resident: 6 * MIB,
      },
      limited(6 * GIB),
      /^eviction begins at maxmemory \(6 GiB\)/,
    ],
  ])('%s', async (_what, fields, circumstances, text) =>
    expect(await found(name, fields, circumstances)).toMatch(text),
  );

  test.each<[string, Fields, Circumstances]>([
    ['with a third of headroom', { maxmemory: 4.5 * GIB }, limited(6 * GIB)],
    ['where no limit is known', { total_system_memory: undefined }, {}],
    ['not set, on a machine that is ten times larger', { maxmemory: 0 }, {}],
    ['of an engine whose maxmemory is another', { dragonfly_version: 'df-v1.40.1' }, limited(6 * GIB)],
  ])('%s: nothing to say', async (_what, fields, circumstances) => {
    expect(await found(name, fields, circumstances)).not.toContain('maxmemory');
  });
});

describe('row 5, redis#9269 and #11573: buffers are not data', () => {
  test('a client that reads MONITOR slowly', async () => {
    expect(await found('monitor-client-6gb')).toMatch(
      /^clients' buffers hold 5\.59 GiB \(63 % of the memory\): CLIENT LIST shows whose .*client-output-buffer-limit/,
    );
    expect(await picture('monitor-client-6gb')).toMatch(/= {2}clients {7}5\.59 GiB {4}63 % {3}CLIENT LIST shows whose/);
  });

  const none = { mem_clients_normal: 0, mem_total_replication_buffers: undefined };

  test.each<[string, Fields, RegExp]>([
    [
      'replicas',
      { ...none, mem_clients_slaves: 5e9 },
      /^replicas' buffers hold 4\.66 GiB .*INFO replication.*client-output-buffer-limit replica/,
    ],
    [
      'only the total of replication',
      {
        ...none,
        mem_clients_slaves: undefined,
        mem_replication_backlog: undefined,
        mem_total_replication_buffers: 5e9,
      },
      /^replicas' buffers hold 4\.66 GiB/,
    ],
    [
      'only what eviction leaves out',
      {
        ...none,
        mem_clients_slaves: undefined,
        mem_replication_backlog: undefined,
        mem_aof_buffer: undefined,
        mem_not_counted_for_evict: 5e9,
      },
      /^replicas' buffers hold 4\.66 GiB/,
    ],
    [
      'a backlog',
      { ...none, mem_replication_backlog: 4e9 },
      /^the replication backlog holds 3\.73 GiB .*repl-backlog-size/,
    ],
    ['the AOF', { ...none, mem_aof_buffer: 2e9 }, /^the AOF buffer holds 1\.86 GiB .*disk/],
    [
      'the Cluster bus',
      { ...none, mem_cluster_links: 3e9 },
      /^links to other nodes of the Cluster hold 2\.79 GiB .*cluster-link-sendbuf-limit/,
    ],
    ['a full sync', { ...none, mem_replica_full_sync_buffer: 3e9 }, /^the buffer of a full sync holds 2\.79 GiB/],
    [
      'slots on their way',
      { ...none, mem_cluster_slot_export: 3e9 },
      /^buffers of slots that are moved hold 2\.79 GiB/,
    ],
    [
      'without used_memory_overhead',
      { used_memory_overhead: undefined, used_memory_dataset: undefined },
      /^clients' buffers hold 5\.59 GiB/,
    ],
    ['without RSS', { used_memory_rss: undefined }, /clients' buffers hold 5\.59 GiB/],
    [
      'an overhead that is not broken down (Redis 4)',
      {
        redis_version: '4.0.14',
        mem_clients_normal: undefined,
        mem_clients_slaves: undefined,
        mem_replication_backlog: undefined,
        mem_aof_buffer: undefined,
        mem_not_counted_for_evict: undefined,
        mem_total_replication_buffers: undefined,
      },
      /^tables and buffers hold 5\.68 GiB .*MEMORY STATS shows which/,
    ],
  ])('%s', async (_what, fields, text) => expect(await found('monitor-client-6gb', fields)).toMatch(text));

  test('the total of replication does not count its parts once more', async () => {
    const fields = {
      mem_clients_slaves: 500_000_000,
      mem_replication_backlog: 500_000_000,
      mem_total_replication_buffers: 1e9,
      mem_clients_normal: 0,
    };
    expect(await found('monitor-client-6gb', fields)).not.toContain('replica');
  });
});

describe('row 5, counted at another instant', () => {
  test('buffers of nearly all of used_memory, and a little more, are still named', async () => {
    const fields = { used_memory: 9e9, mem_clients_normal: 9.1e9, used_memory_overhead: 9.3e9 };
    const text = await found('monitor-client-6gb', fields);
    expect(text).toMatch(/^clients' buffers hold 8\.\d+ GiB/m);
    expect(text).not.toContain('cannot be');
  });

  test('a backlog that is not touched yet (before 7.0) holds a share of what is allocated, and is not swapped', async () => {
    const fields = { redis_version: '5.0.14', mem_clients_normal: 0, mem_replication_backlog: 6e9 };
    const text = await found('monitor-client-6gb', { ...fields, used_memory_rss: 3.4e9 });
    expect(text).toMatch(/^the replication backlog holds 5\.59 GiB \(6\d % of the memory\)/m);
    expect(text).not.toContain('below used_memory');
  });
});

describe('row 6, redis#5828: Lua is known by its own field', () => {
  test('of a Redis 4 without allocator fields', async () => {
    expect(await found('lua-43gib-redis4')).toMatch(/Lua scripts hold 43 GiB \(43 % of the memory\): SCRIPT FLUSH/);
    expect(await picture('lua-43gib-redis4')).toMatch(/% scripts +43 GiB +43 % {3}SCRIPT FLUSH frees them/);
  });

  test.each<[string, Fields]>([
    ['another allocator', { mem_allocator: 'libc' }],
    ['a later version that does not report its allocator', { redis_version: '6.2.14' }],
    ['KeyDB', { executable: '/usr/bin/keydb-server' }],
    ['no RSS', { used_memory_rss: undefined }],
    ['the sum alone', { redis_version: '7.2.7', used_memory_lua: undefined, used_memory_vm_total: 46_130_000_000 }],
    ['no used_memory_overhead, no policy', { maxmemory_policy: undefined, mem_fragmentation_ratio: undefined }],
    ['an RSS that has less of it, because some is swapped out', { used_memory_rss: 60e9 }],
    ['an RSS below used_memory', { used_memory_rss: 15e9 }],
  ])('%s', async (_what, fields) => {
    expect(await found('lua-43gib-redis4', fields)).toMatch(/Lua scripts hold 43 GiB/);
  });
});

test('row 6, with layers: Lua that is a little more than what is outside is not an unknown cause', async () => {
  const text = await found('lua-in-jemalloc-8', { redis_version: '6.2.14', used_memory_rss: 8_090_000_000 });
  expect(text).toMatch(/^Lua scripts hold 3\.26 GiB/);
  expect(text).not.toContain('The cause is unknown');
});

describe('row 7, valkey#1826: functions are not scripts', () => {
  test('functions hold it, and no SCRIPT FLUSH is offered', async () => {
    const text = await found('functions-vm');
    expect(text).toMatch(/^functions hold 1\.91 GiB \(49 % of the memory\): FUNCTION LIST .*FUNCTION DELETE$/);
    expect(text).not.toMatch(/scripts|SCRIPT FLUSH/);
  });

  test.each<[string, Fields, RegExp, RegExp]>([
    [
      'scripts alone',
      { used_memory_vm_eval: 2e9, used_memory_vm_functions: 64_512, used_memory_functions: 0 },
      /^Lua scripts hold 1\.91 GiB/,
      /functions|FUNCTION/,
    ],
    [
      'texts of scripts alone, in used_memory',
      { used_memory_vm_functions: 64_512, used_memory_functions: 0, used_memory_scripts: 1e9 },
      /^Lua scripts hold 954 MiB/,
      /functions|FUNCTION/,
    ],
    [
      'texts of functions alone',
      { used_memory_vm_functions: 64_512, used_memory_functions: 1e9, used_memory_scripts: 1e9 },
      /^functions hold 954 MiB/,
      /scripts|SCRIPT/,
    ],
    ['Valkey', { valkey_version: '8.1.4', server_name: 'valkey' }, /^functions hold 1\.91 GiB/, /SCRIPT FLUSH/],
  ])('%s', async (_what, fields, text, other) => {
    const findings = await found('functions-vm', fields);
    expect(findings).toMatch(text);
    expect(findings).not.toMatch(other);
  });

  test('both, each with its own remedy', async () => {
    const text = await found('functions-vm', { used_memory_vm_eval: 1e9, used_memory_vm_functions: 1e9 });
    expect(text).toMatch(/functions hold 1,?001 MiB[^\n]*\nLua scripts hold 954 MiB/);
  });
});

describe('row 8, redis#13133: since 7.4 Lua is in the allocator and in used_memory', () => {
  test('scripts hold it, and what is outside is not theirs', async () => {
    const text = await found('lua-in-jemalloc-8');
    expect(text).toMatch(/^Lua scripts hold 3\.26 GiB/m);
    expect(text).toMatch(/^572 MiB \(11 % of RSS\) are outside of what the allocator reports\. The cause is unknown/m);
  });

  test.each<[string, Fields, number, number]>([
    ['7.4', { redis_version: '7.4.2' }, 3_500_000_000, 600_000_000],
    ['8.10', { redis_version: '8.10.1' }, 3_500_000_000, 600_000_000],
    ['7.2, where it is outside', { redis_version: '7.2.11', used_memory_rss: 8_700_000_000 }, 500_000_000, 599_966_208],
    [
      'Valkey 8, where it is outside',
      { valkey_version: '8.1.4', used_memory_rss: 8_700_000_000 },
      500_000_000,
      599_966_208,
    ],
  ])('%s', async (_what, fields, scripts, process) => {
    const { diagnosis } = await said(reportInfo('lua-in-jemalloc-8', fields));
    expect(diagnosis.account?.parts).toContainEqual({ kind: 'scripts', group: 'data', bytes: scripts });
    expect(diagnosis.account?.parts).toContainEqual({ kind: 'process', group: 'process', bytes: process });
  });
});

describe('row 9, redis#10842: a cause that is not known', () => {
  const WHERE = /^1\.74 GiB \(54 % of RSS\) are outside .* unknown.*smaps_rollup, AnonHugePages .*LazyFree/m;

  test('is said to be, with the place to look, and no SCRIPT FLUSH of 54 KiB', async () => {
    const text = await found('muzzy-redis5');
    expect(text).toMatch(WHERE);
    expect(text).not.toMatch(/SCRIPT FLUSH|scripts hold/);
    expect(await picture('muzzy-redis5')).toMatch(/\. overhead +1\.74 GiB +54 % {3}INFO does not say what: see below/);
  });

  test.each<[string, Fields]>([
    ['Redis 6.2', { redis_version: '6.2.14' }],
    ['Valkey', { valkey_version: '8.0.7', used_memory_vm_total: 98_304 }],
    ['KeyDB', { executable: '/usr/bin/keydb-server' }],
    ['scripts below the threshold', { used_memory_lua: 2_000_000, used_memory_scripts: 3_000_000 }],
  ])('%s', async (_what, fields) => {
    const text = await found('muzzy-redis5', fields);
    expect(text).toMatch(/are outside of what the allocator reports\. The cause is unknown/);
    expect(text).not.toMatch(/SCRIPT FLUSH|scripts hold/);
  });

  test('connections by TLS are a place to look, and a miscounted overhead is not (redis#13973)', async () => {
    const text = await found('tls-buffers-742');
    expect(text).toMatch(/^1\.39 GiB \(67 % of RSS\) are outside .* TLS have buffers outside of the allocator/m);
    expect(text).toMatch(/^clients' buffers hold 572 MiB/m);
    expect(text).not.toContain('cannot be');
  });

  test('modules that allocate past the server’s count are named as such', async () => {
    const fields = { used_memory: 21_000_000, allocator_allocated: 1_500_000_000, used_memory_overhead: undefined };
    expect(await found('muzzy-redis5', fields)).toMatch(
      /^what the server does not count in used_memory holds 1\.38 GiB .*MODULE LIST/m,
    );
  });
});

describe('row 10, redis-doc#2672: muzzy pages are free pages', () => {
  const policy = withPurge({ maxBlock: 5_000 });

  test('that a purge returns, and nothing is outside of the allocator', async () => {
    const text = await found('muzzy-named-8', {}, { policy });
    expect(text).toContain(
      'the allocator holds 1.86 GiB of free pages (1.82 GiB of them muzzy: the kernel may take these): MEMORY PURGE or time returns 1.82 GiB of them',
    );
    expect(text).not.toContain('outside');
  });

  test.each<[string, Fields]>([
    ['Valkey 8.0', { valkey_version: '8.0.7' }],
    ['Redis 7.4', { redis_version: '7.4.2' }],
    ['more than RSS holds of it', { allocator_muzzy: 9_000_000_000 }],
  ])('%s', async (_what, fields) => {
    const { plan, findings } = await said(reportInfo('muzzy-named-8', fields), { policy });
    expect(plan).toMatchObject({ kind: 'act', action: { kind: 'purge' } });
    expect(findings.join('\n')).not.toContain('outside');
  });
});

describe('row 13, redis#10778: the kernel counts the fork as well', () => {
  const limit = limited(1e12);

  test('RSS and what the fork has copied are 105 % of the limit', async () => {
    expect(await found('cow-over-limit', {}, limit)).toMatch(
      /^RSS is 750 GiB, and the fork that runs has copied 233 GiB: together 105 % of the memory limit of 931 GiB\. Give the server more memory, or store less\. Do not start another save before this one has ended\n/,
    );
    expect(await picture('cow-over-limit', {}, anInstance({ memoryLimit: 1e12 }))).toMatch(
      /105 % of 931 GiB\n(?:.|\n)*\. fork +233 GiB {3,}copied by the fork that runs, beside RSS/,
    );
  });

  const none = { rdb_bgsave_in_progress: 0, current_cow_size: 0, current_cow_peak: 0 };

  test.each<[string, Fields, Circumstances, RegExp | undefined]>([
    [
      'an AOF rewrite',
      { rdb_bgsave_in_progress: 0, aof_rewrite_in_progress: 1 },
      limit,
      /the fork that runs has copied 233 GiB: together 105 %/,
    ],
    ['a module’s fork', { rdb_bgsave_in_progress: 0, module_fork_in_progress: 1 }, limit, /together 105 %/],
    ['without memoryLimit, the machine', {}, {}, /together 105 % of the machine's memory of 931 GiB/],
    [
      'before the next fork, by the last one',
      { ...none, rdb_last_cow_size: 150e9 },
      limit,
      /the last fork copied 140 GiB, which the next one may as well: together 95 %/,
    ],
    [
      'of the AOF, too',
      { ...none, rdb_last_cow_size: 0, aof_last_cow_size: 150e9 },
      limit,
      /the last fork copied 140 GiB/,
    ],
    [
      'one that has just begun, by the last one',
      { current_cow_size: 1e9, current_cow_peak: 1e9, rdb_last_cow_size: 150e9 },
      limit,
      /the last fork copied 140 GiB, which the one that runs may as well: together 95 %/,
    ],
    [
      'a full sync of Redis 6.0, which does not report it',
      { ...none, rdb_bgsave_in_progress: 1, rdb_last_cow_size: 150e9 },
      limit,
      /which the one that runs may as well: together 95 %/,
    ],
    ['none runs, and the last one was small', none, limit, undefined],
    ['a field that is left from a fork that is over', { rdb_bgsave_in_progress: 0 }, limit, undefined],
  ])('%s', async (_what, fields, circumstances, text) => {
    const findings = await found('cow-over-limit', fields, circumstances);
    if (text) expect(findings).toMatch(text);
    else expect(findings).not.toContain('together');
  });
});

describe('row 15, redis#2174: the machine is a limit as well', () => {
  test('near it, with what an action would return', async () => {
    expect(await found('machine-full', {}, { policy: withPurge({ maxBlock: 5_000 }) })).toMatch(
      /^RSS is 14\.5 GiB, 98 % of the machine's memory of 14\.9 GiB\. An action of Offpeak would return 2\.91 GiB\. If that is not enough, give the server more memory, or store less\n/,
    );
  });

  test.each<[string, Fields, Circumstances, RegExp]>([
    ['KeyDB', { executable: '/usr/bin/keydb-server' }, {}, /98 % of the machine's memory.*\. Give the server/],
    ['a memoryLimit beyond the machine', {}, limited(64 * GIB), /98 % of the machine's memory of 14\.9 GiB/],
    ['a memoryLimit below it counts', {}, limited(15e9), /104 % of the memory limit of 14 GiB/],
    [
      'Redis 4',
      {
        redis_version: '4.0.14',
        allocator_allocated: undefined,
        allocator_active: undefined,
        allocator_resident: undefined,
      },
      {},
      /98 % of the machine's memory/,
    ],
  ])('%s', async (_what, fields, circumstances, text) => {
    expect(await found('machine-full', fields, circumstances)).toMatch(text);
  });

  test.each<[string, Fields]>([
    ['far from it', { total_system_memory: 64e9 }],
    ['not known', { total_system_memory: 0 }],
    ['not reported', { total_system_memory: undefined }],
  ])('%s: nothing to say', async (_what, fields) =>
    expect(await found('machine-full', fields)).not.toContain("the machine's"),
  );
});

describe('row 16, redis#6646: INFO remembers the peak', () => {
  const name = 'peak-over-limit';

  test.each<[string, Fields, Circumstances]>([
    ['beyond memoryLimit', {}, limited(6e9)],
    ['beyond the machine', { total_system_memory: 6e9 }, {}],
    [
      'of a server that is small by now',
      {
        used_memory: 5e6,
        used_memory_rss: 9e6,
        allocator_allocated: 5e6,
        allocator_active: 6e6,
        allocator_resident: 8e6,
      },
      limited(6e9),
    ],
    ['by one byte', { used_memory_peak: 6e9 + 1 }, limited(6e9)],
  ])('%s', async (_what, fields, circumstances) => {
    expect(await found(name, fields, circumstances)).toMatch(
      /^used_memory was [\d.]+ GiB at its peak since the server's start, more than/m,
    );
  });

  test.each<[string, Fields, Circumstances]>([
    ['below it', {}, limited(7e9)],
    ['no number', { used_memory_peak: '-1' }, limited(6e9)],
  ])('%s: nothing to say', async (_what, fields, circumstances) => {
    expect(await found(name, fields, circumstances)).not.toContain('at its peak');
  });
});

describe('row 21, redis#12526: more is allocated than is in RAM', () => {
  // In swap: RSS of 3 GiB on 56 GiB of data.
  const swapped = {
    used_memory: 59e9,
    used_memory_rss: 3_200_000_000,
    allocator_allocated: 59e9,
    allocator_active: 60e9,
    allocator_resident: 62e9,
    used_memory_peak: undefined,
  };

  test.each<[string, string, Fields]>([
    ['by far', 'denied-724', swapped],
    ['a little', 'cow-over-limit', {}],
    ['more than a terabyte', 'denied-724', { ...swapped, allocator_resident: 2e12, allocator_active: 6e10 }],
    [
      'without allocator fields',
      'written',
      {
        ...swapped,
        redis_version: '4.0.14',
        allocator_allocated: undefined,
        allocator_active: undefined,
        allocator_resident: undefined,
      },
    ],
  ])('%s: columns apart, and a label that holds', async (_what, name, fields) => {
    const text = await picture(name === 'written' ? 'denied-724' : name, fields);
    const line = text.split('\n').find((one) => /-\d/.test(one)) ?? '';
    expect(line).toMatch(
      /(overhead|not in RAM) +-[\d.,]+ [KMGT]iB( {3,}allocated and not in RAM: never touched, or swapped)?$/,
    );
    expect(line).not.toMatch(/%|code, stacks/);
    expect(text).not.toMatch(/iB-|%-|\d%/);
  });

  test('says what to do, and does not claim swap', async () => {
    const text = await found('denied-724', swapped);
    expect(text).toMatch(/^RSS \(2\.98 GiB\) is below used_memory \(54\.9 GiB\): .*VmSwap in \/proc\/<pid>\/status/m);
    expect(text).not.toMatch(/is swapped|swapped out/);
  });
});

describe('row 22, redis#15175: what cannot be is not believed', () => {
  test.each<[string, Fields]>([
    ['zero', {}],
    ['one byte', { used_memory_rss: 1 }],
    ['negative', { used_memory_rss: -4096 }],
    ['an unsigned negative', { used_memory_rss: '18446744073709547520' }],
    ['no number', { used_memory_rss: 'nan' }],
    ['digits of another script', { used_memory_rss: '٣٢٠٠٠٠٠٠٠٠' }],
    ['more than any machine', { used_memory_rss: 2 ** 52 }],
  ])('an RSS that is %s is unknown', async (_what, fields) => {
    const { diagnosis, findings, planned } = await said(reportInfo('rss-zero', fields));
    expect(diagnosis).not.toHaveProperty('ratio');
    expect(diagnosis).not.toHaveProperty('layers');
    expect(diagnosis.account).toMatchObject({ of: 'used-memory', total: 3e9, impossible: ['used_memory_rss'] });
    expect(findings[0]).toBe(
      'INFO prints values that cannot be: used_memory_rss. Offpeak leaves them out; check what answers at this address',
    );
    expect(findings.join('\n')).toContain('RSS is not known');
    expect(findings.join('\n')).not.toMatch(/is below used_memory|healthy/);
    expect(planned).toMatch(/^nothing: /);
  });

  test.each<[string, Fields, Circumstances, RegExp]>([
    [
      'memoryLimit',
      {},
      limited(3_200_000_000),
      /and used_memory alone is 2\.79 GiB, 94 % of the memory limit of 2\.98 GiB\. Give/,
    ],
    [
      'the machine',
      { total_system_memory: 3_200_000_000 },
      {},
      /used_memory alone is 2\.79 GiB, 94 % of the machine's memory/,
    ],
  ])('used_memory near %s says enough without RSS', async (_what, fields, circumstances, text) => {
    expect(await found('rss-zero', fields, circumstances)).toMatch(text);
    expect(await found('rss-zero', { ...fields, used_memory: 1e9 }, circumstances)).not.toContain('alone');
  });

  test('a field that comes twice with two values far apart is unknown', async () => {
    const { diagnosis } = await said(
      `${reportInfo('rss-zero', { used_memory_rss: 3_200_000_000 })}\nused_memory_rss:9000000000`,
    );
    expect(diagnosis.account).toMatchObject({ of: 'used-memory', impossible: ['used_memory_rss'] });
  });

  test.each<[string, Fields, string]>([
    ['a used_memory of 0', { used_memory: 0, used_memory_rss: 3_200_000_000 }, 'used_memory'],
    [
      'more active than resident, by far',
      { allocator_active: 9e9, used_memory_rss: 3_200_000_000 },
      'allocator_active',
    ],
    [
      'an overhead of more than there is',
      { used_memory_overhead: 4e9, used_memory_rss: 3_200_000_000 },
      'used_memory_overhead',
    ],
    [
      'a peak of more than any process',
      { used_memory_peak: 2 ** 52, used_memory_rss: 3_200_000_000 },
      'used_memory_peak',
    ],
    ['buffers of many servers', { mem_clients_normal: 2 ** 42, used_memory_rss: 3_200_000_000 }, 'mem_clients_normal'],
    ['a maxmemory below zero', { maxmemory: -1, used_memory_rss: 3_200_000_000 }, 'maxmemory'],
  ])('%s is said to be impossible', async (_what, fields, field) => {
    expect(await found('rss-zero', fields)).toMatch(new RegExp(`values that cannot be: .*\\b${field}\\b`));
  });
});

test.each(['cow-over-limit', 'machine-full', 'lua-43gib-redis4', 'functions-vm', 'monitor-client-6gb', 'muzzy-redis5'])(
  '%s is drawn in 100 columns',
  async (name) => {
    const lines = (await picture(name, {}, anInstance({ memoryLimit: 1023 * GIB }))).split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  },
);
