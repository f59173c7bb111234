import { describe, expect, test } from 'vitest';
import { tickJson } from '../../../../cli/render/json.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import { tickLines } from '../../../../cli/render/tick.ts';
import { MIB } from '../../../../core/config/units.ts';
import type { Tick } from '../../../../core/reconcile/scope.ts';
import { anOutcome, anUnreached, aPlan, aSeen, aTick, aVerdict, NODE } from '../../../support/builders.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { purged, purgedAfter, started, stopped } from '../../core/actions/defrag/steps.ts';
import { PLANS, SKIPS } from '../../core/reporting/samples.ts';

const style = { paint: plainPaint, unicode: false };

const drawn = (tick: Tick) => tickLines(tick, style);

describe('in a terminal', () => {
  test('says when, which stage, and how many nodes of which kind', () => {
    const outcomes = [
      started,
      anUnreached({ node: 'b:1' }),
      anOutcome({ node: 'c:1' }),
      anUnreached({ node: 'd:1', kind: 'not-reached' }),
    ];
    const lines = drawn(aTick({ outcomes, leased: [{ instance: 'sessions', node: NODE }] }));
    expect(lines[0]).toBe(
      '2026-11-24 02:14:05 Europe/Berlin  prod: 4 nodes, 1 observed, 1 acted, 1 unreachable, 1 not reached, 1 being defragmented',
    );
    expect(lines.filter((line) => line.startsWith('sessions '))).toHaveLength(4);
  });

  test('two steps on one node are one block: one header, one picture', () => {
    const lines = drawn(aTick({ outcomes: [stopped('goal-met', { purge: purgedAfter })] }));
    expect(lines[0]).toMatch(/prod: 1 node, 2 acted$/);
    expect(lines.filter((line) => line.startsWith('sessions '))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('  done'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('  after'))).toHaveLength(1);
  });

  test('what concerns all of it stands at the top', () => {
    const lines = drawn(aTick({ problem: 'state.json is locked', undelivered: 2 }));
    expect(lines.slice(1, 3)).toEqual([
      'no action was planned, because the state store is unavailable: state.json is locked',
      '2 metrics or alerts could not be delivered',
    ]);
  });
});

describe('as JSON', () => {
  const parsed = (tick: Tick) => JSON.parse(tickJson(tick));

  test('is one line with the documented fields', () => {
    const verdict = aVerdict();
    const tick = aTick({
      outcomes: [
        {
          ...purged,
          before: aSeen(),
          after: aSeen(),
          plan: aPlan(),
          verdict,
          leased: true,
          opsPerSecond: 12.5,
          mainThreadCpu: 3.2,
        },
      ],
      leased: [{ instance: 'sessions', node: NODE }],
    });
    expect(tickJson(tick)).not.toContain('\n');
    expect(parsed(tick)).toEqual({
      schema: 1,
      at: '2026-11-24T01:14:05.000Z',
      stage: 'prod',
      outcomes: [
        {
          instance: 'sessions',
          node: NODE,
          status: 'acted',
          role: 'primary',
          engine: { name: 'redis', version: '7.0.15' },
          memory: { used: 450 * MIB, rss: 841 * MIB, counted: 841 * MIB, ratio: 841 / 450 },
          returnable: expect.any(Number),
          by: 'Offpeak is defragmenting it',
          diagnosis: {
            verdict: 'findings',
            account: {
              total: 841 * MIB,
              of: 'rss',
              parts: [
                { kind: 'data', group: 'data', bytes: 450 * MIB },
                { kind: 'uncounted', group: 'data', bytes: MIB },
                { kind: 'external-fragmentation', group: 'allocator', bytes: 357 * MIB },
                { kind: 'free-pages', group: 'allocator', bytes: 18 * MIB },
                { kind: 'scripts-vm', group: 'process', bytes: 63_872 },
                { kind: 'functions-vm', group: 'process', bytes: 32_768 },
                { kind: 'process', group: 'process', bytes: 15 * MIB - 96_640 },
              ],
              impossible: [],
            },
            layers: { data: 451 * MIB, fragmentation: 357 * MIB, freePages: 18 * MIB, overhead: 15 * MIB },
            findings: [
              {
                kind: 'fragmented',
                bytes: 357 * MIB,
                percentOfData: (357 / 451) * 100,
                closable: Math.round((357 - 0.015 * 451) * MIB),
                text: '357 MiB are free, but scattered over pages that also hold data (79 % of the data): active defrag returns 350 MiB of them',
              },
            ],
            predictions: {
              defrag: { reclaim: expect.any(Number), text: 'active defrag, then a purge: 353 MiB back' },
              purge: { reclaim: 0, stall: 6, text: 'normal: the allocator keeps about this much' },
            },
          },
          plan: {
            kind: 'act',
            action: { ...aPlan().action, expiresAt: '2026-11-24T01:44:05.000Z' },
            reason: 'fragmented',
            why: 'start active defrag: 357 MiB are free, but scattered over pages that also hold data; predicted 350 MiB back, in stalls of about 0.5 ms',
            predicted: { reclaim: 350 * MIB, stall: 0.5 },
          },
          verdict: {
            ...verdict,
            text: 'returned 341 MiB of 350 MiB predicted (97 %); RSS went from 841 MiB to 500 MiB; longest stall 3 ms, 5 ms promised',
          },
          leased: true,
          opsPerSecond: 12.5,
          mainThreadCpu: 3.2,
        },
      ],
      totals: { servers: 1, rss: 841 * MIB, used: 450 * MIB, returnable: expect.any(Number) },
      leasesHeld: 1,
      undelivered: 0,
      alerts: [],
    });
  });

  test('a stop and the purge that follows it are two steps', () => {
    const purge = { ...purgedAfter, leased: false };
    const outcomes = [{ ...stopped('goal-met', { purge }), leased: true }];
    expect(parsed(aTick({ outcomes })).outcomes).toMatchObject([
      { node: NODE, status: 'acted', plan: { action: { kind: 'stop-defrag' } }, leased: true },
      { node: NODE, status: 'acted', plan: { action: { kind: 'purge' } }, leased: true },
    ]);
  });

  test('what was sent is listed in short', () => {
    const { event, severity, instance, node, title } = anAlert();
    expect(JSON.parse(tickJson(aTick(), [anAlert()])).alerts).toEqual([{ event, severity, instance, node, title }]);
  });

  test('a skip has the action and the prediction of what would have been done', () => {
    const [outcome] = parsed(aTick({ outcomes: [anOutcome({ plan: SKIPS.busy })] })).outcomes;
    expect(outcome.plan).toEqual({
      kind: 'skip',
      action: { kind: 'start-defrag' },
      reason: 'busy',
      why: 'nothing: the server is busy (main thread at 62 %, maxMainThreadCpu is 40 %); would have started active defrag for 350 MiB',
      predicted: { reclaim: 350 * MIB, stall: 0.5 },
      blockers: [{ kind: 'busy', mainThread: { cpu: 62.4, limit: 40 } }],
    });
  });

  test('an unreachable node has its problem and nothing else', () => {
    const problem = { kind: 'timeout', message: 'no answer', expected: true };
    expect(parsed(aTick({ outcomes: [anUnreached()], problem: 'locked' }))).toMatchObject({
      outcomes: [{ instance: 'sessions', node: NODE, status: 'unreachable', problem, leased: false }],
      problem: 'locked',
    });
  });

  test.each(PLANS.map((plan) => [`${plan.kind} ${plan.reason}`, plan] as const))(
    '%s: kind, reason and why are always there',
    (_, plan) => {
      const [outcome] = parsed(aTick({ outcomes: [anOutcome({ plan })] })).outcomes;
      expect(outcome.plan).toMatchObject({ kind: plan.kind, reason: plan.reason, why: expect.stringMatching(/: /) });
      expect('action' in outcome.plan).toBe(plan.kind === 'act' || plan.instead !== undefined);
    },
  );
});
