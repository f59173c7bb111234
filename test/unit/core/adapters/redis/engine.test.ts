import { describe, expect, test } from 'vitest';
import { identifyEngine } from '../../../../../core/adapters/redis/engine.ts';
import { parseInfo } from '../../../../../core/adapters/redis/info.ts';
import { engineText } from '../../../../../core/domain/engine.ts';
import { INFO_NAMES, infoText } from '../../../../support/info-texts.ts';

const engineOf = (...lines: readonly string[]) => identifyEngine(parseInfo(lines.join('\r\n')));
const redis = (version: string, ...more: readonly string[]) => engineOf(`redis_version:${version}`, ...more);
/** Every Valkey says that it is Redis 7.2.4. */
const valkey = (version: string, ...more: readonly string[]) =>
  engineOf('redis_version:7.2.4', 'server_name:valkey', `valkey_version:${version}`, ...more);
const keydb = (version: string, ...more: readonly string[]) => redis(version, 'long_lock_waits:0', ...more);

const KNOWN = [
  ['redis-7.0.15', 'redis', '7.0.15'],
  ['redis-7.0.15-bgsave-in-progress', 'redis', '7.0.15'],
  ['redis-7.0.15-debian-system-jemalloc', 'redis', '7.0.15'],
  ['redis-7.0.15-defrag-running', 'redis', '7.0.15'],
  ['redis-7.0.15-empty', 'redis', '7.0.15'],
  ['redis-7.0.15-primary-with-replica', 'redis', '7.0.15'],
  ['redis-7.0.15-replica', 'redis', '7.0.15'],
  ['redis-8.2.3', 'redis', '8.2.3'],
  ['valkey-8.0.1-system-jemalloc', 'valkey', '8.0.1'],
  ['valkey-8.1.1-system-jemalloc', 'valkey', '8.1.1'],
  ['valkey-9.1.2-system-jemalloc', 'valkey', '9.1.2'],
  ['written-dragonfly-1.40.1', 'dragonfly', 'df-v1.40.1'],
  ['written-elasticache-7.1.0', 'redis', '7.1.0'],
  ['written-garnet-2.1.5', 'garnet', '2.1.5'],
  ['written-keydb-6.3.4-active-replica', 'keydb', '6.3.4'],
  ['written-redis-4.0.14', 'redis', '4.0.14'],
  ['written-redis-7.0-libc', 'redis', '7.0.15'],
  ['written-redis-7.0-libc-underflow', 'redis', '7.0.15'],
] as const;

describe('name and version', () => {
  test.each(KNOWN)('%s is %s %s', (fixture, name, version) => {
    expect(identifyEngine(parseInfo(infoText(fixture)))).toMatchObject({ name, version });
  });

  test('every INFO text is in the table', () => {
    expect(KNOWN.map(([name]) => name)).toEqual(INFO_NAMES);
  });

  test.each([
    ['KeyDB by what it runs as', redis('6.3.4', 'executable:/opt/KeyDB/keydb-server'), 'keydb'],
    [
      'KeyDB by a field of its own, with the executable hidden',
      redis('6.3.4', 'executable:-', 'long_lock_waits:0'),
      'keydb',
    ],
    ['a Valkey that names itself without its version', engineOf('redis_version:7.2.4', 'server_name:valkey'), 'valkey'],
    ['Redis with its executable hidden', redis('7.1.0', 'executable:-'), 'redis'],
    ['nothing', engineOf(''), 'unknown'],
    ['an empty version', redis(''), 'unknown'],
    ['a version that is none', redis('unstable'), 'unknown'],
    ['a version of one number', redis('7'), 'unknown'],
    ['an escape sequence for a version', redis('\u001b[31m7.0.15'), 'unknown'],
    ['a Valkey version that is none', valkey('next'), 'unknown'],
    ['a release candidate', redis('7.4-rc1'), 'redis'],
    ['the development branch', redis('255.255.255'), 'redis'],
  ])('%s', (_what, engine, name) => {
    expect(engine.name).toBe(name);
  });
});

/** As their sources print them; `unknown` is watched only. */
const RELATIVES: readonly (readonly [string, ReturnType<typeof engineOf>, string])[] = [
  ['Kvrocks', redis('4.0.0', 'version:2.10.1', 'kvrocks_version:2.10.1', 'kvrocks_mode:standalone'), 'kvrocks 2.10.1'],
  ['Redict', redis('7.2.4', 'redict_version:7.3.2', 'redict_mode:standalone'), 'redict 7.3.2'],
  ['Upstash', engineOf('upstash_version:1.13.3', 'redis_version:6.2.6', 'redis_git_sha1:b8ef06c'), 'upstash 1.13.3'],
  ['Pika', engineOf('pika_version:3.2.7', 'pika_build_compile_date: Nov  7 2019'), 'pika 3.2.7'],
  ['Ardb', engineOf('ardb_version:0.9.7', 'redis_version:2.8.9', 'gcc_version:5.4.0'), 'ardb 0.9.7'],
  ['Tendis SSD', redis('2.8.17-TRedis-v1.2.20'), 'unknown 2.8.17-TRedis-v1.2.20'],
  ['Redis Enterprise', redis('7.2.4', 'rlec_version:7.4.2-54'), 'Redis Enterprise 7.4.2-54'],
  [
    'Camellia',
    engineOf('camellia_version:v1.2.25', 'redis_version:7.0.11', 'java_version:1.8.0_202'),
    'camellia v1.2.25',
  ],
  ['a name without a version', redis('7.2.4', 'server_name:skytable'), 'skytable'],
  ['Dragonfly', redis('7.4.0', 'dragonfly_version:df-v1.40.1'), 'dragonfly df-v1.40.1'],
  ['Garnet', redis('7.4.3', 'garnet_version:2.1.5', 'server_name:garnet'), 'garnet 2.1.5'],
  ['Valkey that hides its name', redis('7.2.4', 'valkey_version:8.1.10', 'server_name:redis'), 'valkey 8.1.10'],
  ['ElastiCache, Redis', redis('6.2.5', 'os:Amazon ElastiCache', 'executable:-'), 'redis 6.2.5 on Amazon ElastiCache'],
  ['MemoryDB, Valkey', valkey('7.3.0', 'os:Amazon MemoryDB', 'run_id:'), 'valkey 7.3.0 on Amazon MemoryDB'],
  ['Redis Stack', redis('6.2.6-v3'), 'redis 6.2.6-v3'],
  ['KeyDB with its executable hidden', redis('6.3.4', 'executable:-', 'server_threads:2'), 'keydb 6.3.4'],
  ['KeyDB by its role', redis('6.3.4', 'role:active-replica'), 'keydb 6.3.4'],
];

test.each(RELATIVES)('%s is called what it calls itself', (_what, engine, text) => {
  expect(engineText(engine)).toBe(text);
  expect(engine.name === 'unknown').toBe(!/^(?:redis|valkey|keydb|dragonfly|garnet) /.test(text));
});

test('a version of many dashes is read in no time', () => {
  const from = performance.now();
  expect(redis(`7.0.15${'-.'.repeat(24)}x`).name).toBe('unknown');
  expect(performance.now() - from).toBeLessThan(100);
});

test.each([
  ['redis 4.0.14', redis('4.0.14'), false, false],
  ['redis 6.2.14', redis('6.2.14'), false, false],
  ['redis 7.0.0', redis('7.0.0'), false, true],
  ['redis 7.4.9', redis('7.4.9'), false, true],
  ['redis 7.9.225 (8.0 release candidate)', redis('7.9.225'), false, true],
  ['redis 8.0.0', redis('8.0.0'), true, true],
  ['redis 8.2.3', redis('8.2.3'), true, true],
  ['redis 10.0.0', redis('10.0.0'), true, true],
  ['valkey 7.2.9', valkey('7.2.9'), false, true],
  ['valkey 8.0.9', valkey('8.0.9'), false, true],
  ['valkey 8.1.0', valkey('8.1.0'), true, true],
  ['valkey 9.1.2', valkey('9.1.2'), true, true],
  ['keydb 6.3.4', keydb('6.3.4'), false, false],
  ['dragonfly', engineOf('redis_version:7.4.0', 'dragonfly_version:df-v1.40.1'), false, false],
  ['garnet', engineOf('redis_version:7.4.3', 'garnet_version:2.1.5'), false, false],
  ['unknown', engineOf(''), false, false],
])('%s: slices %s, sets several at once %s', (_what, engine, slicedDefrag, atomicConfigSet) => {
  expect(engine).toMatchObject({ slicedDefrag, atomicConfigSet });
});

const CLUSTER = 'redis_mode:cluster';
const VALKEY_CLUSTER = 'server_mode:cluster';
const REPLICA = 'role:slave';
const PRIMARY = 'role:master';

describe('versions on which defrag is not toggled', () => {
  test.each([
    ['redis 7.0.15', redis('7.0.15'), undefined],
    ['redis 7.1.0, of ElastiCache', redis('7.1.0'), undefined],
    ['redis 7.2 release candidate', redis('7.1.240'), 'redis/redis#13307'],
    ['redis 7.2.0', redis('7.2.0'), 'redis/redis#13307'],
    ['redis 7.2', redis('7.2'), 'redis/redis#13307'],
    ['redis 7.2.5', redis('7.2.5'), 'redis/redis#13307'],
    ['redis 7.2.5 cluster', redis('7.2.5', CLUSTER), 'redis/redis#13307'],
    ['redis 7.2.6', redis('7.2.6'), undefined],
    ['redis 7.2.10', redis('7.2.10'), undefined],
    ['redis 7.2.6 cluster', redis('7.2.6', CLUSTER), undefined],
    ['valkey 7.2.4', valkey('7.2.4'), 'valkey-io/valkey#883'],
    ['valkey 7.2.5', valkey('7.2.5'), 'valkey-io/valkey#883'],
    ['valkey 7.2.6', valkey('7.2.6'), 'valkey-io/valkey#883'],
    ['valkey 7.2.7', valkey('7.2.7'), undefined],
    ['valkey 7.2.7 cluster', valkey('7.2.7', CLUSTER), 'valkey-io/valkey#1872'],
    ['valkey 7.2.8 cluster', valkey('7.2.8', CLUSTER), 'valkey-io/valkey#1872'],
    ['valkey 7.2.8 cluster, in its own word', valkey('7.2.8', VALKEY_CLUSTER), 'valkey-io/valkey#1872'],
    ['valkey 7.2.8 standalone', valkey('7.2.8', 'server_mode:standalone'), undefined],
    ['valkey 7.2.9 cluster', valkey('7.2.9', CLUSTER), undefined],
    ['valkey 8.0.9', valkey('8.0.9'), undefined],
    ['valkey 8.1.0', valkey('8.1.0'), 'valkey-io/valkey#2348'],
    ['valkey 8.1.3', valkey('8.1.3'), 'valkey-io/valkey#2348'],
    ['valkey 8.1.4', valkey('8.1.4'), undefined],
    ['redis 7.4 release candidate', redis('7.3.240'), 'redis/redis#14319'],
    ['redis 7.4.9 replica', redis('7.4.9', REPLICA), undefined],
    ['redis 8.0 milestone', redis('7.9.224'), 'redis/redis#14319'],
    ['redis 8.0 release candidate primary', redis('7.9.240', PRIMARY), 'redis/redis#14319'],
    ['redis 8.0 release candidate replica', redis('7.9.240', REPLICA), 'redis/redis#14319'],
    ['redis 8.0.0', redis('8.0.0'), 'redis/redis#14092'],
    ['redis 8.0.2 primary', redis('8.0.2', PRIMARY), 'redis/redis#14092'],
    ['redis 7.4.5 primary', redis('7.4.5', PRIMARY), 'redis/redis#14319'],
    ['redis 7.4.6 primary', redis('7.4.6', PRIMARY), undefined],
    ['redis 8.0.3 primary', redis('8.0.3', PRIMARY), 'redis/redis#14319'],
    ['redis 8.0.4 primary', redis('8.0.4', PRIMARY), undefined],
    ['redis 8.2 release candidate primary', redis('8.1.240', PRIMARY), 'redis/redis#14319'],
    ['redis 8.2 release candidate replica', redis('8.1.240', REPLICA), 'redis/redis#14267'],
    ['redis 8.4 release candidate', redis('8.3.240'), undefined],
    ['redis 8.0.3 replica', redis('8.0.3', REPLICA), 'redis/redis#14267'],
    ['redis 8.2.0 replica', redis('8.2.0', REPLICA), 'redis/redis#14267'],
    ['redis 8.2.0 primary', redis('8.2.0', PRIMARY), 'redis/redis#14319'],
    ['redis 8.2.1 replica', redis('8.2.1', REPLICA), 'redis/redis#14319'],
    ['redis 8.2.2 replica', redis('8.2.2', REPLICA), undefined],
    ['keydb 5.1.1', keydb('5.1.1'), 'Snapchat/KeyDB#131'],
    ['keydb 6.3.4', keydb('6.3.4'), 'Snapchat/KeyDB#131'],
    ["redis' figures on valkey", valkey('8.0.2', REPLICA), undefined],
  ])('%s: %s', (_what, engine, issue) => {
    expect(engine.denied?.issue).toBe(issue);
  });

  test('a denial says why, and what lifts it', () => {
    expect(redis('7.2.5').denied).toEqual({
      issue: 'redis/redis#13307',
      why: expect.stringContaining('crashes the server'),
      fixedIn: 'Redis 7.2.6',
    });
  });

  test.each([
    ['redis 7.9.240 primary', redis('7.9.240', PRIMARY), 'Redis 8.0.4'],
    ['redis 7.9.240 replica', redis('7.9.240', REPLICA), 'Redis 8.0.4'],
    ['redis 8.0.0 primary', redis('8.0.0', PRIMARY), 'Redis 8.0.4'],
    ['redis 8.0.2 replica', redis('8.0.2', REPLICA), 'Redis 8.0.4'],
    ['redis 8.0.9 replica', redis('8.0.9', REPLICA), undefined],
    ['redis 8.1.240 replica', redis('8.1.240', REPLICA), 'Redis 8.2.2'],
    ['redis 8.2.0 replica', redis('8.2.0', REPLICA), 'Redis 8.2.2'],
    ['valkey 7.2.5 standalone', valkey('7.2.5'), 'Valkey 7.2.7'],
    ['valkey 7.2.5 cluster', valkey('7.2.5', CLUSTER), 'Valkey 7.2.9'],
    ['valkey 7.2.6 cluster', valkey('7.2.6', VALKEY_CLUSTER), 'Valkey 7.2.9'],
    ['keydb 6.3.4', keydb('6.3.4'), 'no known KeyDB release'],
  ])('of %s, past each fault that it would meet on the way', (_what, engine, fixedIn) => {
    expect(engine.denied?.fixedIn).toBe(fixedIn);
  });
});
