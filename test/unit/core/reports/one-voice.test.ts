import { expect, test } from 'vitest';
import { SETTINGS } from '../../../support/builders.ts';
import { reportInfo } from '../../../support/reports.ts';
import { type Circumstances, said, withDefrag, withPurge } from './seen.ts';

// KeyDB#460, redis#10778: findings and legend speak of what can be had here, in the bytes of the plan.

const ofRun = { runId: '0123456789abcdef0123456789abcdef01234567' };
const fragmented = reportInfo('denied-724', { redis_version: '7.2.7' });

test('with nothing in its way', async () => {
  const memory = { ...ofRun, defragSupport: 'supported' } as const;
  const { findings, holes, plan } = await said(fragmented, { memory });
  expect(findings).toEqual([
    '1.91 GiB are free, but scattered over pages that also hold data (68 % of the data): active defrag returns 1.87 GiB of them',
  ]);
  expect(holes).toBe('active defrag, then a purge: 1.95 GiB back');
  expect(plan.kind).toBe('act');
});

test.each<readonly [string, Circumstances]>([
  ['not asked yet', {}],
  ['asked before it restarted', { memory: { runId: 'the one before', defragSupport: 'supported' } }],
  ['refused before it restarted', { memory: { runId: 'the one before', defragSupport: 'unsupported' } }],
])('whether the build can is not known (%s): it is not promised', async (_what, circumstances) => {
  const { findings, holes } = await said(fragmented, circumstances);
  expect(findings).toEqual([
    '1.91 GiB are free, but scattered over pages that also hold data (68 % of the data): active defrag would return 1.87 GiB of them, if this build can',
  ]);
  expect(holes).toBe('active defrag, if this build can: 1.95 GiB back');
});

const REFUSED: readonly (readonly [string, Circumstances, RegExp, string, string?])[] = [
  [
    'refused by the build',
    { memory: { ...ofRun, defragSupport: 'unsupported' } },
    /this build refuses active defrag/,
    'no action: this build refuses active defrag',
  ],
  ['CONFIG refused', { settings: 'refused' }, /refuses CONFIG /, 'no action: the server refuses CONFIG'],
  [
    'no such setting',
    { settings: { hz: '10' } },
    /this build refuses active defrag/,
    'no action: this build refuses active defrag',
  ],
  [
    'defrag.enabled: false',
    { policy: withDefrag({ enabled: false }) },
    /defrag\.enabled is false in the config/,
    'active defrag is off in the config (defrag.enabled)',
  ],
  [
    'not visible to the defragger',
    {},
    /the server's own defragger sees only 0 B of the 1\.91 GiB/,
    "no action: the server's own defragger sees too little",
    reportInfo('denied-724', { redis_version: '7.2.7', allocator_frag_bytes: 0 }),
  ],
  [
    'a first cycle of a large heap, by the default policy',
    { memory: { ...ofRun, defragSupport: 'supported' } },
    /would keep clients waiting once for up to 1\.\d s as it begins, longer than purge\.maxBlock/,
    'no action: clients would wait for up to 1.5 s',
    reportInfo('denied-724', {
      redis_version: '6.2.14',
      mem_allocator: 'jemalloc-5.1.0',
      used_memory: 60e9,
      used_memory_rss: 93e9,
      allocator_allocated: 60e9,
      allocator_active: 90e9,
      allocator_resident: 91e9,
    }),
  ],
  [
    'cycles of large values on Valkey 8.1',
    { memory: { ...ofRun, defragSupport: 'supported' } },
    /a cycle of active defrag would keep clients waiting for about 1\d ms, longer than defrag\.maxStall; defrag\.maxStall of 1\d ms would allow it/,
    'no action: clients would wait for up to 12 ms',
    reportInfo('valkey-801', { valkey_version: '8.1.4', db0: 'keys=300000,expires=0,avg_ttl=0' }),
  ],
  [
    'an engine that is not known',
    {},
    /it does not know this engine/,
    'no action: Offpeak does not know this engine',
    reportInfo('denied-724', { redis_version: 'unstable' }),
  ],
  [
    'a crash under our defrag',
    { memory: { crashed: { version: '7.2.7', at: Date.parse('2026-11-23T01:00:00Z') } } },
    /the server restarted during Offpeak's active defrag \(seen on this node\)/,
    'no action: active defrag is unsafe on this version',
  ],
];

const named = <T>(rows: readonly (readonly [string, Circumstances, RegExp, T, string?])[]) =>
  rows.map(([what, circumstances, why, note, info]) => ({ what, circumstances, why, note, info }));

test.each(named(REFUSED))(
  '$what: neither finding nor legend offers defrag',
  async ({ circumstances, why, note, info }) => {
    const { findings, holes, plan } = await said(info ?? fragmented, circumstances);
    expect(plan.kind).toBe('skip');
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(why);
    expect(findings.join()).not.toMatch(/active defrag returns/);
    expect(holes).toBe(note);
  },
);

const retained = reportInfo('keydb-after-sync');

const UNRETURNED: readonly (readonly [string, Circumstances, RegExp, RegExp, string?])[] = [
  ['purge.enabled: false', { policy: withPurge({ enabled: false }) }, /purge\.enabled is false/, /off in the config/],
  [
    'MEMORY PURGE refused',
    { memory: { byAction: { purge: { refusedAt: Date.parse('2026-11-24T01:00:00Z'), ineffective: 0 } } } },
    /the server refuses MEMORY PURGE \(a managed service, or an ACL/,
    /the server refuses MEMORY PURGE/,
  ],
  ['longer than maxBlock', {}, /longer than purge\.maxBlock allows \(1\.1 s\)/, /a purge would block for 1\.1 s/],
  [
    'an engine that is not known',
    {},
    /it does not know this engine/,
    /does not know this engine/,
    reportInfo('activedefrag-yes-retained', { redis_version: undefined }),
  ],
];

test.each(named(UNRETURNED))(
  '$what: neither finding nor legend offers a purge',
  async ({ circumstances, why, note, info }) => {
    const { findings, pages, plan } = await said(info ?? retained, circumstances);
    expect(plan.kind).toBe('skip');
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(why);
    expect(findings.join()).not.toMatch(/MEMORY PURGE or time returns/);
    expect(pages).toMatch(note);
    expect(pages).not.toMatch(/ back$/);
  },
);

test.each([['cow-over-limit'], ['monitor-client-6gb'], ['keydb-after-sync']])(
  '%s: what a tidy heap of its size has is no finding',
  async (name) => {
    const { findings, holes, planned } = await said(reportInfo(name), { policy: withPurge({ maxBlock: 5_000 }) });
    expect(findings.join()).not.toMatch(/scattered over pages that also hold data/);
    expect(holes).toBe('little for active defrag to return');
    expect(planned).not.toMatch(/start active defrag|scattered over pages that also hold data/);
  },
);

test('after a sync the gain is the purge’s, in the finding, the legend and the plan', async () => {
  const { findings, holes, pages, planned, diagnosis } = await said(retained, {
    policy: withPurge({ maxBlock: 5_000 }),
  });
  expect(diagnosis.reclaimable.defrag).toBe(0);
  expect(holes).toBe('little for active defrag to return');
  expect(findings).toEqual([
    'the allocator holds 2.86 GiB of free pages: MEMORY PURGE or time returns 2.73 GiB of them',
  ]);
  expect(pages).toBe('MEMORY PURGE: 2.73 GiB back');
  expect(planned).toMatch(/^purge: the allocator holds 2\.86 GiB of free pages; predicted 2\.73 GiB back/);
});

test('holes of 40 MB beside gigabytes of pages are not worth a run, and take no credit for them', async () => {
  const info = reportInfo('keydb-after-sync', {
    redis_version: '7.0.15',
    executable: '/usr/bin/redis-server',
    allocator_active: 3_467_000_000,
  });
  const { diagnosis, holes } = await said(info, { policy: withPurge({ maxBlock: 5_000 }) });
  expect(diagnosis.reclaimable.defrag).toBe(Math.round(90_000_000 - 0.015 * 3_377_000_000));
  expect(holes).toBe('little for active defrag to return');
});

test('a heap of 20 GB that defrag has just left is not fragmented, one with more than it leaves is', async () => {
  const heap = (holes: number) =>
    reportInfo('denied-724', {
      redis_version: '7.0.15',
      used_memory: 20e9,
      allocator_allocated: 20e9,
      allocator_active: 20e9 + holes,
      allocator_resident: 20e9 + holes + 100e6,
      used_memory_rss: 20e9 + holes + 200e6,
    });
  const left = await said(heap(300e6), { settings: SETTINGS });
  expect(left.findings).toEqual([]);
  expect(left.planned).toBe(
    'nothing: no action would return enough: defrag 0 B (minReclaim 100 MiB), purge 0 B (minReclaim 128 MiB)',
  );
  const more = await said(heap(600e6), { memory: { ...ofRun, defragSupport: 'supported' } });
  expect(more.findings).toEqual([
    '572 MiB are free, but scattered over pages that also hold data (3 % of the data): active defrag returns 286 MiB of them',
  ]);
  expect(more.planned).toMatch(/predicted 286 MiB back/);
});
