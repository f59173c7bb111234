import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plan } from '../../../../core/actions/plan.ts';
import { sumOf } from '../../../../core/diagnosis/account.ts';
import type { Diagnosis } from '../../../../core/domain/diagnosis.ts';
import { EMPTY_HISTORY } from '../../../../core/domain/node-history.ts';
import type { Plan } from '../../../../core/domain/plan.ts';
import { findingText } from '../../../../core/reporting/wording/finding.ts';
import { runs } from '../../../fuzz/runs.ts';
import { SETTINGS } from '../../../support/builders.ts';
import { lookAtReport, reportInfo } from '../../../support/reports.ts';
import { aSituation } from '../../../support/situations.ts';
import { withPurge } from './seen.ts';

// Whatever a server reports: the account adds up, and findings and plan say the same of both actions.

const ENGINES = [
  ...['5.0.14', '6.2.14', '7.0.15', '7.2.4', '7.4.7', '8.2.3'].map((redis_version) => ({ redis_version })),
  ...['7.2.11', '8.0.7', '8.1.4', '9.1.2'].map((valkey_version) => ({ server_name: 'valkey', valkey_version })),
  { redis_version: '6.3.4', executable: '/usr/bin/keydb-server' },
];

/** Shares of used_memory: of what is in it, and of what is beyond it. */
const share = fc.constantFrom(0, 0.01, 0.2, 0.6, 1.05, 3);
const beyond = fc.constantFrom(0, 0.01, 0.05, 0.3, 1, 3);
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const server = fc.record({
  engine: fc.constantFrom(...ENGINES),
  used: fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
  frag: beyond,
  seen: some(fc.constantFrom(0, 0.1, 1)),
  free: beyond,
  outside: fc.constantFrom(-0.5, -0.02, 0, 0.02, 0.3, 2),
  perKey: some(fc.constantFrom(60, 5_000, 1_000_000)),
  allocator: fc.constantFrom('jemalloc-5.1.0', 'jemalloc-5.3.0', 'libc'),
  parts: fc.record({
    used_memory_overhead: some(share),
    mem_clients_normal: some(share),
    mem_replication_backlog: some(share),
    mem_not_counted_for_evict: some(share),
    used_memory_scripts: some(share),
    used_memory_lua: some(share),
    maxmemory: some(share),
    total_system_memory: some(beyond),
    rdb_last_cow_size: some(share),
  }),
  settings: fc.constantFrom(SETTINGS, 'refused' as const, { ...SETTINGS, activedefrag: 'yes' }),
  maxBlock: fc.constantFrom(100, 10_000),
  support: some(fc.constantFrom('supported' as const, 'unsupported' as const)),
});

type Server = typeof server extends fc.Arbitrary<infer One> ? One : never;

async function seen({ engine, used, parts, ...rest }: Server) {
  const active = Math.round(used * (1 + rest.frag));
  const resident = Math.round(active + used * rest.free);
  const sizes = Object.entries(parts).map(([name, of]) => [name, of && Math.round(of * used)]);
  const info = reportInfo('denied-724', {
    ...engine,
    used_memory: used,
    allocator_allocated: used,
    allocator_active: active,
    allocator_resident: resident,
    ...(rest.seen !== undefined && { allocator_frag_bytes: Math.round((active - used) * rest.seen) }),
    used_memory_rss: Math.round(Math.max(4096, resident + used * rest.outside)),
    ...(rest.perKey && { db0: `keys=${Math.ceil(used / rest.perKey)},expires=0,avg_ttl=0` }),
    mem_allocator: rest.allocator,
    ...Object.fromEntries(sizes),
  });
  const observation = await lookAtReport(info, rest.settings);
  const { runId = '' } = observation;
  const memory = { ...EMPTY_HISTORY, runId, ...(rest.support && { defragSupport: rest.support }) };
  const situation = aSituation({ observation, policy: withPurge({ maxBlock: rest.maxBlock }), memory });
  return { diagnosis: situation.diagnosis, planned: plan(situation) };
}

/** What a finding promises: an action that nothing stands in the way of. */
function promised({ findings }: Diagnosis): readonly string[] {
  return findings.flatMap((finding) =>
    (finding.kind === 'fragmented' || finding.kind === 'free-pages') && !finding.obstacle ? [finding.kind] : [],
  );
}

/** Of a plan that acts, or would if the server were not busy with something else. */
function intended(planned: Plan): string | undefined {
  const action = planned.kind === 'act' ? planned.action.kind : planned.blockers && planned.instead?.action;
  return action && (action === 'purge' ? 'free-pages' : 'fragmented');
}

test('the account adds up, a promise is planned, and a plan is promised', async () => {
  await fc.assert(
    fc.asyncProperty(server, async (one) => {
      const { diagnosis, planned } = await seen(one);
      const { account, findings } = diagnosis;
      expect(account && sumOf(account.parts)).toBe(account?.total);
      const intent = intended(planned);
      if (intent) expect(promised(diagnosis)).toContain(intent);
      else expect(promised(diagnosis)).toEqual([]);
      if (planned.kind === 'act') expect(planned.predicted.reclaim).toBeLessThanOrEqual(account?.total ?? 0);
      for (const finding of findings) {
        expect(findingText(finding)).not.toMatch(/NaN|undefined|Infinity/);
        if (finding.kind === 'held') expect(finding.percent).toBeLessThanOrEqual(100);
      }
    }),
    { numRuns: runs(0.4) },
  );
});
