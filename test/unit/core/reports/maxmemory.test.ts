import { expect, test } from 'vitest';
import { reportInfo } from '../../../support/reports.ts';
import { said, withPurge } from './seen.ts';

// evict.c getMaxmemoryState: what maxmemory limits is less than used_memory, and not the same on a replica.

const roomy = withPurge({ maxBlock: 5_000 });
const planOf = async (fields: Readonly<Record<string, string | number | undefined>>) =>
  (await said(reportInfo('replica-buffers-62', fields), { policy: roomy })).plan;

const PURGE = { kind: 'act', action: { kind: 'purge' } };
const PRESSURE = (overLimit: number) => ({
  kind: 'skip',
  blockers: [{ kind: 'eviction-pressure', exceededFor: 0, overLimit }],
});
const REPLICA = { role: 'slave', master_link_status: 'up', mem_not_counted_for_evict: 0 };

test.each([
  ["used_memory is above it by a replica's buffers, which do not count", {}],
  ['a replica of Redis 6.2, which leaves eviction to its primary', REPLICA],
  ['a replica of Redis 5', { ...REPLICA, redis_version: '5.0.14' }],
  ['no maxmemory', { maxmemory: 0, mem_not_counted_for_evict: 0 }],
])('%s: the purge is planned', async (_what, fields) => expect(await planOf(fields)).toMatchObject(PURGE));

test.each([
  ['buffers that do not count are not enough', { mem_not_counted_for_evict: 4e8 }, 6e8],
  ['the server does not say what does not count', { mem_not_counted_for_evict: undefined }, 1e9],
  ["KeyDB's active replica evicts as a primary does", { ...REPLICA, role: 'active-replica' }, 1e9],
])('%s: that is pressure', async (_what, fields, over) => expect(await planOf(fields)).toMatchObject(PRESSURE(over)));

test("a replica's buffers hold it, and are named", async () => {
  const { findings } = await said(reportInfo('replica-buffers-62'), { policy: roomy });
  expect(findings[0]).toMatch(/^replicas' buffers hold 1\.86 GiB/);
});
