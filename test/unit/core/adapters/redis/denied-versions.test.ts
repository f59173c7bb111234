import { expect, test } from 'vitest';
import { identifyEngine } from '../../../../../core/adapters/redis/engine.ts';
import { parseInfo } from '../../../../../core/adapters/redis/info.ts';

// Each boundary of the deny-list with a row on either side, as INFO would have it.

const STANDINGS = {
  primary: ['role:master', 'redis_mode:standalone'],
  replica: ['role:slave', 'redis_mode:standalone'],
  'cluster primary': ['role:master', 'server_mode:cluster'],
  'cluster replica': ['role:slave', 'redis_mode:cluster'],
  'primary without scripts': ['role:master', 'number_of_cached_scripts:0'],
  'primary with scripts': ['role:master', 'number_of_cached_scripts:1'],
  'replica with scripts': ['role:slave', 'number_of_cached_scripts:12'],
} as const;

const ENGINES = {
  redis: (version: string) => [`redis_version:${version}`],
  valkey: (version: string) => ['redis_version:7.2.4', 'server_name:valkey', `valkey_version:${version}`],
  keydb: (version: string) => [`redis_version:${version}`, 'executable:/usr/bin/keydb-server'],
} as const;

type Row = readonly [
  engine: keyof typeof ENGINES,
  version: string,
  standing: keyof typeof STANDINGS,
  issue: string | undefined,
  why?: RegExp,
  fixedIn?: string,
];

const STALE = /switched off in mid-run and on again/;
const SCRIPTS = /scripts leave the script cache/;
const EVAL = /during a long EVAL/;
const RESYNC = /full resync flushes/;
const LARGE = /4 GiB or more .*sparse slabs keep it running \(#2656\)/;
const NO_CAUSE = /7\.2\.11 cluster crashed .*cause is not known/;

const ROWS: readonly Row[] = [
  // Pre-releases with faults of their own.
  ['redis', '6.0.20', 'primary', undefined],
  ['redis', '6.1.240', 'primary', '#8284', /while the server loads/, 'Redis 6.2.0'],
  ['redis', '6.2.0', 'primary', undefined],
  ['redis', '6.9.240', 'primary', '#10271', /scripts of EVAL/, 'Redis 7.0.0'],
  ['redis', '7.0.0', 'primary', undefined],
  // Builds of a branch.
  ['redis', '255.255.255', 'primary', '', /between two releases/, 'a release of Redis'],
  ['valkey', '255.255.255', 'cluster replica', '', /between two releases/, 'a release of Valkey'],
  ['keydb', '255.255.255', 'primary', '#131', /crashes the server/, 'no known KeyDB release'],
  // redis#13307, from 7.2-rc1 on.
  ['redis', '7.0.15', 'cluster replica', undefined],
  ['redis', '7.1.239', 'primary', undefined],
  ['redis', '7.1.240', 'primary', '#13307', STALE, 'Redis 7.2.6'],
  ['redis', '7.2.5', 'cluster replica', '#13307', STALE, 'Redis 7.2.6'],
  ['redis', '7.2.6', 'cluster replica', undefined],
  ['redis', '7.2.240', 'primary', undefined],
  // redis#14319 in 7.4.
  ['redis', '7.3.240', 'primary', '#14319', /pub\/sub \(#14330\)/, 'Redis 7.4.6'],
  ['redis', '7.4.5', 'replica', '#14319', /scripts/, 'Redis 7.4.6'],
  ['redis', '7.4.6', 'replica', undefined],
  // In 8.0: its milestones, #14092 up to 8.0.2, #14319 up to 8.0.3, replicas likewise.
  ['redis', '7.8.240', 'replica', undefined],
  ['redis', '7.9.224', 'primary', '#14319', /scripts/, 'Redis 8.0.4'],
  ['redis', '7.9.240', 'replica', '#14319', /scripts/, 'Redis 8.0.4'],
  ['redis', '8.0.0', 'primary', '#14092', /before 8\.0\.2 cron timers run twice \(#14081\)/, 'Redis 8.0.4'],
  ['redis', '8.0.2', 'primary', '#14092', /expires are not defragmented/, 'Redis 8.0.4'],
  ['redis', '8.0.3', 'primary', '#14319', /scripts/, 'Redis 8.0.4'],
  ['redis', '8.0.0', 'replica', '#14267', RESYNC, 'Redis 8.0.4'],
  ['redis', '8.0.3', 'replica', '#14267', RESYNC, 'Redis 8.0.4'],
  ['redis', '8.0.4', 'primary', undefined],
  ['redis', '8.0.4', 'replica', undefined],
  ['redis', '8.0.6', 'cluster replica', undefined],
  // 8.2 from its first release candidate: replicas up to 8.2.0, scripts and streams up to 8.2.1.
  ['redis', '8.0.240', 'replica', undefined],
  ['redis', '8.1.240', 'replica', '#14267', RESYNC, 'Redis 8.2.2'],
  ['redis', '8.1.240', 'primary', '#14319', /streams .*\(#14323\)/, 'Redis 8.2.2'],
  ['redis', '8.2.0', 'replica', '#14267', RESYNC, 'Redis 8.2.2'],
  ['redis', '8.2.1', 'replica', '#14319', /#14323/, 'Redis 8.2.2'],
  ['redis', '8.2.1', 'primary', '#14319', /#14323/, 'Redis 8.2.2'],
  ['redis', '8.2.2', 'cluster replica', undefined],
  ['redis', '8.4.0', 'replica', undefined],
  ['redis', '8.10.1', 'replica with scripts', undefined],

  // Valkey 7.2 begins as Redis 7.2.4, in its release candidate, too.
  ['valkey', '7.2.4', 'primary', '#883', STALE, 'Valkey 7.2.7'],
  ['valkey', '7.2.6', 'replica', '#883', STALE, 'Valkey 7.2.7'],
  ['valkey', '7.2.7', 'primary', undefined],
  ['valkey', '7.2.7', 'replica with scripts', undefined],
  ['valkey', '7.2.6', 'cluster primary', '#883', STALE, 'Valkey 7.2.9'],
  ['valkey', '7.2.8', 'cluster primary', '#1872', /FLUSHDB ASYNC/, 'Valkey 7.2.9'],
  ['valkey', '7.2.9', 'cluster primary', undefined],
  ['valkey', '7.2.8', 'cluster replica', '#1872', /FLUSHDB ASYNC/, 'Valkey 8.0.2'],
  ['valkey', '7.2.9', 'cluster replica', '#1872', NO_CAUSE, 'Valkey 8.0.2'],
  ['valkey', '7.2.99', 'cluster replica', '#1872', NO_CAUSE, 'Valkey 8.0.2'],
  ['valkey', '7.2.11', 'replica', undefined],
  // Valkey 8.0: scripts that leave the cache up to 8.0.1, and long scripts, where there are any, in all of it.
  ['valkey', '7.9.240', 'primary', '#1310', SCRIPTS, 'Valkey 8.0.2'],
  ['valkey', '8.0.0', 'primary', '#1310', SCRIPTS, 'Valkey 8.0.2'],
  ['valkey', '8.0.1', 'cluster replica', '#1310', SCRIPTS, 'Valkey 8.0.2'],
  ['valkey', '8.0.1', 'primary without scripts', '#1310', SCRIPTS, 'Valkey 8.0.2'],
  ['valkey', '8.0.1', 'primary with scripts', '#1310', SCRIPTS, 'Valkey 8.1.4'],
  ['valkey', '8.0.2', 'primary', undefined],
  ['valkey', '8.0.2', 'cluster replica', undefined],
  ['valkey', '8.0.2', 'primary without scripts', undefined],
  ['valkey', '8.0.2', 'primary with scripts', '#1414', EVAL, 'Valkey 8.1.4'],
  ['valkey', '8.0.11', 'replica with scripts', '#1414', EVAL, 'Valkey 8.1.4'],
  // Valkey 8.1 up to 8.1.3.
  ['valkey', '8.0.240', 'primary', '#2348', LARGE, 'Valkey 8.1.4'],
  ['valkey', '8.1.0', 'primary', '#2348', LARGE, 'Valkey 8.1.4'],
  ['valkey', '8.1.0', 'primary with scripts', '#2348', LARGE, 'Valkey 8.1.4'],
  ['valkey', '8.1.3', 'replica', '#2348', LARGE, 'Valkey 8.1.4'],
  ['valkey', '8.1.4', 'cluster replica', undefined],
  ['valkey', '8.1.4', 'replica with scripts', undefined],
  ['valkey', '9.1.2', 'replica with scripts', undefined],

  ['keydb', '5.1.1', 'primary', '#131', /crashes the server/, 'no known KeyDB release'],
  ['keydb', '6.3.4', 'replica', '#131', /crashes the server/, 'no known KeyDB release'],
];

const CASES = ROWS.map(([engine, version, standing, issue, why, fixedIn]) => ({
  engine,
  version,
  standing,
  issue,
  why,
  fixedIn,
}));

test.each(CASES)('$engine $version, $standing: $issue', ({ engine, version, standing, issue, why, fixedIn }) => {
  const { denied } = identifyEngine(parseInfo([...ENGINES[engine](version), ...STANDINGS[standing]].join('\r\n')));
  expect(denied?.issue.replace(/^[^#]*/, '')).toBe(issue);
  if (why) expect(denied?.why).toMatch(why);
  expect(denied?.fixedIn).toBe(fixedIn);
});
