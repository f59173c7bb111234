import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { systemClock } from '../../core/adapters/clock.ts';
import { MIB, MINUTE } from '../../core/config/units.ts';
import { JOB_METRICS } from '../../core/domain/job-metrics.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { NODE_METRICS } from '../../core/domain/node-metrics.ts';
import { failIfUnexpected } from '../../core/reconcile/summary.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { historyKey, leaseKey, quarantineKey } from '../../core/state/keys.ts';
import { aLease } from '../support/builders.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type FragmentedServer, fragmentedServer } from '../support/fragmented-server.ts';
import { aJob, closedWindow, configYaml, type Job, SMALL_FLOORS } from '../support/job.ts';
import { troubleOf } from '../support/outcomes.ts';
import { lacksServer } from '../support/servers.ts';
import { nextMessage, startContender } from '../support/state-contenders.ts';

const INSTANCE = 'sessions';

describe.skipIf(lacksServer('defrag'))('a fragmented server and an open window', () => {
  let fragmented: FragmentedServer;
  let server: RunningServer;
  let redis: Redis;
  let before: Readonly<Record<string, string>>;
  let node: string;

  beforeAll(async () => {
    fragmented = await fragmentedServer(120 * MIB);
    ({ server, redis, settings: before } = fragmented);
    node = `127.0.0.1:${server.port}`;
  });
  beforeEach(() => refragmented(redis, 120 * MIB));
  afterAll(() => fragmented?.[Symbol.asyncDispose]());

  const store = (job: Job) => createFileStore(job.stateFile);
  const documents: readonly (readonly [what: string, damage: (job: Job) => Promise<unknown>, why: RegExp])[] = [
    ['is corrupt', (job) => writeFile(job.stateFile, '{"format": "offpeak/state@1", "next"'), /is neither an SQLite/],
    [
      'is cut off',
      async (job) => {
        await store(job).write('k', 'x'.repeat(9_000), undefined);
        await truncate(job.stateFile, 5_000);
      },
      /is damaged/,
    ],
    ['is a folder', (job) => mkdir(job.stateFile), /is a folder\. Move it away/],
  ];

  test.each(documents)('nothing is done while the state file %s, and that is told', async (_, damage, why) => {
    using job = aJob(configYaml(server.port));
    await damage(job);
    const stored = await readFile(job.stateFile).catch(String);
    const tick = await job.tick();
    expect(tick.problem).toMatch(why);
    expect(tick.outcomes).toMatchObject([
      { instance: INSTANCE, node, kind: 'observed', plan: { kind: 'skip', reason: 'state-unavailable' } },
    ]);
    expect(tick.outcomes[0]?.before?.diagnosis.reclaimable.defrag).toBeGreaterThan(24 * MIB);
    expect(job.alerts).toMatchObject([
      { event: 'state-unavailable', severity: 'critical', instance: 'all', node: 'all' },
    ]);
    expect(job.alerts[0]?.why).toMatch(why);
    expect(namesOf(job)).toEqual(
      expect.arrayContaining([NODE_METRICS.externalFragmentation.name, JOB_METRICS.heartbeat.name]),
    );
    expect(namesOf(job)).not.toContain(JOB_METRICS.leasesHeld.name);
    expect(() => failIfUnexpected([tick])).toThrow(/^the state could not be read: /);
    expect(await settingsOf(redis)).toEqual(before);
    expect(await readFile(job.stateFile).catch(String)).toEqual(stored);
  });

  const pieces: typeof documents = [
    [
      'holds a lease that is none',
      (job) => store(job).write(leaseKey(INSTANCE), { node: 1 }, undefined),
      /lease#sessions/,
    ],
    [
      'holds a lease of another shape',
      (job) => store(job).write(leaseKey(INSTANCE), { ...aLease(), prior: 'none' }, undefined),
      /the document lease#sessions cannot be read: prior is not as this version writes it/,
    ],
    [
      'holds a memory of another shape',
      (job) => store(job).write(historyKey(node), { learned: [], ineffective: 3 }, undefined),
      /the document history#127\.0\.0\.1:\d+ cannot be read: learned/,
    ],
  ];

  test.each(pieces)('nothing is started while the state file %s, and that is told', async (_, damage, why) => {
    using job = aJob(configYaml(server.port));
    await damage(job);
    const tick = await job.tick();
    expect(tick.problem).toBeUndefined();
    expect(tick.outcomes).toMatchObject([{ node, kind: 'observed', plan: { reason: 'state-unavailable' } }]);
    expect(job.alerts).toMatchObject([{ event: 'state-unavailable', severity: 'critical' }]);
    expect(job.alerts[0]?.why).toMatch(why);
    expect(namesOf(job)).toEqual(expect.arrayContaining([NODE_METRICS.externalFragmentation.name]));
    expect(() => failIfUnexpected([tick])).toThrow(why);
    expect(await settingsOf(redis)).toEqual(before);
  });

  test('what was started is given back, whatever else in the state file cannot be read', async () => {
    using job = aJob(configYaml(server.port));
    expect((await job.tick()).leased).toHaveLength(1);
    await store(job).write('pause#elsewhere', { until: 'never' }, undefined);
    await store(job).write(historyKey('127.0.0.1:1'), { learned: [] }, undefined);
    const memory = await store(job).read(historyKey(node));
    await store(job).write(historyKey(node), { learned: 'much' }, memory?.version);
    const { leased } = await job.tick({ release: 'interrupted' });
    expect(leased).toEqual([]);
    expect(await settingsOf(redis)).toEqual(before);
    expect([...(await store(job).list('lease#'))]).toEqual([]);
  });

  test('nothing is done while a living process keeps the state locked, and that is told', async () => {
    using job = aJob(configYaml(server.port));
    await store(job).write('something#else', 1, undefined);
    await using holder = startContender(job.stateFile, 'hold');
    expect(await nextMessage(holder.child)).toBe('held');
    const tick = await job.tick();
    expect(tick.outcomes).toMatchObject([
      { kind: 'failed', leased: false, problem: { kind: 'state-unavailable', expected: true } },
    ]);
    expect(troubleOf(tick.outcomes[0])?.message).toContain('is locked by another process that is alive');
    expect(job.alerts).toMatchObject([{ event: 'state-unavailable', severity: 'critical', instance: INSTANCE, node }]);
    expect(namesOf(job)).toEqual(
      expect.arrayContaining([NODE_METRICS.externalFragmentation.name, JOB_METRICS.heartbeat.name]),
    );
    expect(await settingsOf(redis)).toEqual(before);
    expect([...(await store(job).list(''))].map(([key]) => key)).toEqual(['something#else']);
  });

  test('a lease on a node that the config no longer names is told once, and kept', async () => {
    using job = aJob(configYaml(server.port, closedWindow() + SMALL_FLOORS));
    const lease = aLease({ instance: 'carts', node: '10.9.9.9:6379', expiresAt: Date.now() + MINUTE });
    await store(job).write(leaseKey('carts'), lease, undefined);
    const ticks = [await job.tick(), await job.tick()];
    for (const { outcomes, problem } of ticks) {
      expect(problem).toBeUndefined();
      expect(outcomes).toMatchObject([
        { instance: INSTANCE, kind: 'observed', plan: { reason: 'outside-window' } },
        {
          instance: 'carts',
          node: '10.9.9.9:6379',
          kind: 'failed',
          problem: { kind: 'stranded-lease', expected: true },
        },
      ]);
    }
    expect(job.alerts).toMatchObject([{ event: 'action-failed', severity: 'critical', instance: 'carts' }]);
    expect(job.alerts[0]?.why).toContain('CONFIG SET hz 10\nCONFIG SET active-defrag-cycle-max 25');
    expect((await store(job).read(leaseKey('carts')))?.value).toEqual(lease);
  });

  test('a lease on a node that has left its instance keeps the others of it untouched', async () => {
    using job = aJob(configYaml(server.port));
    await store(job).write(leaseKey(INSTANCE), aLease({ node: '10.9.9.9:6379', expiresAt: Date.now() }), undefined);
    const { outcomes } = await job.tick();
    expect(outcomes).toMatchObject([
      { node, kind: 'observed', plan: { reason: 'peer-acting', blockers: [{ peer: '10.9.9.9:6379' }] } },
      { node: '10.9.9.9:6379', kind: 'failed', problem: { kind: 'stranded-lease' } },
    ]);
    expect(await settingsOf(redis)).toEqual(before);
  });

  test('a day beyond its end it is quarantined, reported once more, and keeps no node from being tended', async () => {
    using job = aJob(configYaml(server.port));
    const over = aLease({ node: '10.9.9.9:6379', expiresAt: Date.now() - 25 * 60 * MINUTE });
    await store(job).write(leaseKey(INSTANCE), over, undefined);
    const { outcomes } = await job.tick({ mode: 'act', remaining: () => 0 });
    expect(outcomes).toMatchObject([{ node, plan: { reason: 'not-enough-time' } }, { kind: 'failed' }]);
    expect(job.alerts).toMatchObject([{ event: 'action-failed', severity: 'critical' }]);
    const kept = await store(job).list('lease#');
    expect([...kept].map(([key, { value }]) => [key, value])).toEqual([
      [quarantineKey(over), { ...over, schema: 1, status: 'quarantined', busyUntil: 0 }],
    ]);
  });

  test('an instance that got a new name still gives back what it took under the old one', async () => {
    using job = aJob(configYaml(server.port));
    expect((await job.tick()).leased).toHaveLength(1);
    using renamed = aJob(configYaml(server.port, closedWindow() + SMALL_FLOORS, 'renamed'), {
      stateFile: job.stateFile,
    });
    const { outcomes, leased } = await renamed.tick();
    expect(outcomes[0]).toMatchObject({ instance: 'renamed', plan: { action: { kind: 'stop-defrag' } } });
    expect(leased).toEqual([]);
    expect(await settingsOf(redis)).toEqual(before);
  });

  describe('a lease at which another job is at work', () => {
    /** As `startDefrag` writes it before its first CONFIG SET. */
    const busyLease = async (over: Partial<Lease>): Promise<Lease> =>
      aLease({
        node,
        holder: 'another',
        runId: /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? '',
        prior: { 'active-defrag-cycle-min': '1', activedefrag: 'no' },
        applied: { 'active-defrag-cycle-min': '25', activedefrag: 'yes' },
        busyUntil: Date.now() + MINUTE,
        expiresAt: Date.now() + 30 * MINUTE,
        ...over,
      });

    test.each([
      ['starting a defrag', {}],
      ['closing one', { closing: 'goal-met' }],
      ['purging', { phase: 'purging', prior: {}, applied: {} }],
    ] as const)('%s: neither the node nor the lease is touched', async (_, over) => {
      using job = aJob(configYaml(server.port));
      const lease = await busyLease(over);
      await store(job).write(leaseKey(INSTANCE), lease, undefined);
      const { outcomes, idle } = await job.tick();
      expect(outcomes).toMatchObject([
        {
          kind: 'observed',
          plan: { kind: 'skip', reason: 'peer-acting', blockers: [{ peer: 'another' }], until: lease.busyUntil },
        },
      ]);
      expect(idle).toBe(false);
      expect(job.alerts).toEqual([]);
      expect((await store(job).read(leaseKey(INSTANCE)))?.value).toEqual(lease);
      expect(await settingsOf(redis)).toEqual(before);
    });

    test('that died at it: its settings are given back once its time is over', async () => {
      using job = aJob(configYaml(server.port), { clock: systemClock({ offset: 2 * MINUTE }) });
      await store(job).write(leaseKey(INSTANCE), await busyLease({}), undefined);
      await redis.config('SET', 'active-defrag-cycle-min', '25');
      const { outcomes, leased } = await job.tick();
      expect(outcomes[0]).toMatchObject({ kind: 'stopped' });
      expect(leased).toEqual([]);
      expect(await settingsOf(redis)).toEqual(before);
      expect([...(await store(job).list('lease#'))]).toEqual([]);
    });

    test.each([
      ['during a purge: it is told and not repeated', true],
      ['before its purge was sent: there is nothing to tell', false],
    ])('that died %s', async (_, isTried) => {
      using job = aJob(configYaml(server.port), { clock: systemClock({ offset: 2 * MINUTE }) });
      const lease = await busyLease({ phase: 'purging', prior: {}, applied: {} });
      await store(job).write(leaseKey(INSTANCE), lease, undefined);
      const memory = { learned: {}, ineffective: { purge: 0, defrag: 0 }, lastPurgeAt: lease.acquiredAt + 1 };
      if (isTried) await store(job).write(historyKey(lease.node), memory, undefined);
      const { outcomes } = await job.tick();
      const notices = isTried ? [{ kind: 'action-failed', doing: 'purge' }] : [];
      expect(outcomes).toMatchObject([{ kind: isTried ? 'purge-unknown' : 'observed', notices }]);
      expect(job.alerts).toMatchObject(isTried ? [{ event: 'action-failed', severity: 'warning' }] : []);
      expect([...(await store(job).list('lease#'))]).toEqual([]);
    });
  });

  function namesOf(job: Job): readonly string[] {
    return job.metrics.map(({ name }) => name);
  }
});
