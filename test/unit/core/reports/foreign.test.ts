import { expect, test } from 'vitest';
import { MIB } from '../../../../core/config/units.ts';
import { anInstance, RUN_ID, SETTINGS } from '../../../support/builders.ts';
import { reportInfo } from '../../../support/reports.ts';
import { CLOSED } from '../../../support/situations.ts';
import { type Circumstances, said, withDefrag, withPurge } from './seen.ts';

// aiven-docs#1828, ansible-role-redis#60: a switch that keeps defrag off, or on, keeps no purge from being done.

const ON = { ...SETTINGS, activedefrag: 'yes' };
const roomy = withPurge({ maxBlock: 5_000 });
const off = { ...roomy, defrag: { ...roomy.defrag, enabled: false } };
const PURGE = { kind: 'act', action: { kind: 'purge' }, reason: 'free-pages' };
const retained = reportInfo('activedefrag-yes-retained');
/** As many pages, and holes that are worth a defrag. */
const both = reportInfo('activedefrag-yes-retained', {
  allocator_allocated: 7_000_000_000,
  used_memory: 7_000_000_000,
  // Its first cycle is not what is asked here.
  mem_allocator: 'jemalloc-5.3.0',
});
const ofRun = { runId: '0123456789abcdef0123456789abcdef01234567' };

test.each<readonly [string, string, Circumstances]>([
  ['on for good, defrag.enabled: false (the report)', retained, { settings: ON, policy: off }],
  ['on for good', retained, { settings: ON, policy: roomy }],
  ['on for good, with holes', both, { settings: ON, policy: roomy }],
  [
    'on, and CONFIG refused: INFO alone says so',
    reportInfo('activedefrag-yes-retained', { active_defrag_running: 12 }),
    { settings: 'refused', policy: roomy },
  ],
  ['defrag.enabled: false', both, { policy: off }],
  ['CONFIG refused', both, { settings: 'refused', policy: roomy }],
  ['no such setting', both, { settings: { hz: '10' }, policy: roomy }],
  ['a build that refuses', both, { policy: roomy, memory: { ...ofRun, defragSupport: 'unsupported' } }],
  [
    'a denied version',
    reportInfo('activedefrag-yes-retained', { allocator_allocated: 7_000_000_000, redis_version: '7.2.4' }),
    { policy: roomy },
  ],
  [
    'denied and on',
    reportInfo('activedefrag-yes-retained', { redis_version: '7.2.4' }),
    { settings: ON, policy: roomy },
  ],
  [
    'a server that restarted under our defrag',
    both,
    { policy: roomy, memory: { crashed: { version: '7.0.15', at: Date.parse('2026-11-23T01:00:00Z') } } },
  ],
])('%s: the purge goes on', async (_what, info, circumstances) => {
  const { plan, pages } = await said(info, circumstances);
  expect(plan).toMatchObject(PURGE);
  expect(pages).toMatch(/^MEMORY PURGE: .* back$/);
});

test.each<readonly [string, Circumstances]>([
  ['purge.enabled: false', { policy: withPurge({ enabled: false }) }],
  [
    'MEMORY PURGE refused',
    { memory: { byAction: { purge: { refusedAt: Date.parse('2026-11-24T01:00:00Z'), ineffective: 0 } } } },
  ],
  ['a purge that would block for too long', { policy: withPurge({ maxBlock: 20 }) }],
])('%s: the defrag goes on, without the pages as its gain', async (_what, { policy, memory }) => {
  const known = { ...ofRun, defragSupport: 'supported', ...memory } as const;
  const { plan, holes, diagnosis } = await said(both, { ...(policy && { policy }), memory: known });
  expect(plan).toMatchObject({ kind: 'act', action: { kind: 'start-defrag' } });
  expect(diagnosis.reclaimable.defrag).toBe(Math.round(1_100_000_000 - 0.015 * 7_000_000_000));
  expect(holes).toBe('active defrag: 949 MiB back');
});

test('the switch itself stays untouched, and is the reason where there is nothing to purge', async () => {
  const few = reportInfo('activedefrag-yes-retained', {
    allocator_allocated: 7_000_000_000,
    allocator_resident: 8_150_000_000,
    used_memory_rss: 8_200_000_000,
  });
  const { plan, planned, holes, findings } = await said(few, { settings: ON });
  expect(plan).toEqual({ kind: 'skip', reason: 'foreign-defrag' });
  expect(planned).toBe('nothing: active defrag is on; Offpeak did not start it, and leaves it on');
  expect(holes).toBe('active defrag is on already');
  expect(findings).toEqual([
    '1.02 GiB are free, but scattered over pages that also hold data (16 % of the data): active defrag is on already',
  ]);
});

test('a purge beside a human’s defrag waits for its window, too', async () => {
  const { plan } = await said(retained, { settings: ON, policy: roomy, window: CLOSED });
  expect(plan).toMatchObject({ kind: 'skip', reason: 'outside-window', instead: { action: 'purge' } });
});

test('floors belong to their own cure', async () => {
  const policy = { ...withDefrag({ minReclaim: 900_000 * MIB }), purge: { ...anInstance().purge, maxBlock: 5_000 } };
  expect((await said(both, { policy, memory: { runId: RUN_ID } })).plan).toMatchObject(PURGE);
});
