import { expect, test } from 'vitest';
import { reportInfo } from '../../../support/reports.ts';
import { said } from './seen.ts';

// valkey#1310, KeyDB#460: a version that must not be toggled, and what is said of it.

const REDIS_REPLICA = { role: 'slave', master_link_status: 'up' };

test.each([
  ['Valkey 8.0.1', reportInfo('valkey-801'), 'valkey-io/valkey#1310', 'Valkey 8.0.2'],
  ['a Valkey 8.0 release candidate', reportInfo('valkey-801', { valkey_version: '7.9.240' }), '#1310', 'Valkey 8.0.2'],
  [
    'Valkey 8.0.7 with scripts in its cache',
    reportInfo('valkey-801', { valkey_version: '8.0.7', number_of_cached_scripts: 3 }),
    'valkey-io/valkey#1414',
    'Valkey 8.1.4',
  ],
  [
    'a cluster replica of Valkey 7.2.11',
    reportInfo('valkey-801', { valkey_version: '7.2.11', server_mode: 'cluster', ...REDIS_REPLICA }),
    'valkey-io/valkey#1872',
    'Valkey 8.0.2',
  ],
  ['Redis 7.2.4', reportInfo('denied-724'), 'redis/redis#13307', 'Redis 7.2.6'],
  [
    'a replica of Redis 8.2.0',
    reportInfo('denied-724', { redis_version: '8.2.0', ...REDIS_REPLICA }),
    'redis/redis#14267',
    'Redis 8.2.2',
  ],
  ['KeyDB 6.3.1', reportInfo('keydb-631'), 'Snapchat/KeyDB#131', 'no known KeyDB release'],
])('%s: the plan, the finding and the legend refuse defrag alike', async (_what, info, issue, fixedIn) => {
  const { plan, planned, findings, holes } = await said(info);
  expect(plan).toMatchObject({ kind: 'skip', reason: 'denied-version', denial: { fixedIn } });
  expect(planned).toContain(issue);
  const fragmented = findings.filter((text) => text.includes('scattered over pages that also hold data'));
  expect(fragmented).toEqual([
    expect.stringMatching(/\. Offpeak does not return them: active defrag is unsafe on this/),
  ]);
  expect(findings.join()).not.toMatch(/active defrag returns|would return/);
  expect(fragmented[0]).toContain(planned.replace('nothing: ', ''));
  expect(holes).toBe('no action: active defrag is unsafe on this version');
});

test.each([
  ['Valkey 8.0.2', reportInfo('valkey-801', { valkey_version: '8.0.2' })],
  [
    'Valkey 8.0.11 without scripts',
    reportInfo('valkey-801', { valkey_version: '8.0.11', number_of_cached_scripts: 0 }),
  ],
  ['a replica of Redis 8.0.6', reportInfo('denied-724', { redis_version: '8.0.6', ...REDIS_REPLICA })],
  ['Redis 7.2.6', reportInfo('denied-724', { redis_version: '7.2.6' })],
])('%s: beyond the fault, all of them offer it', async (_what, info) => {
  const memory = { runId: '0123456789abcdef0123456789abcdef01234567', defragSupport: 'supported' } as const;
  const { plan, findings, holes } = await said(info, { memory });
  expect(plan).toMatchObject({ kind: 'act', reason: 'fragmented' });
  expect(findings).toEqual([
    '1.91 GiB are free, but scattered over pages that also hold data (68 % of the data): active defrag returns 1.87 GiB of them',
  ]);
  expect(holes).toMatch(/^active defrag, then a purge: .* back$/);
});
