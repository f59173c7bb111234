import { describe, expect, test } from 'vitest';
import { GIB, MIB } from '../../../../core/config/units.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import type { ReportInput } from '../../../../core/domain/report.ts';
import { alertSubject, alertText } from '../../../../core/format/alert-layout.ts';
import { ALERT_EVENTS } from '../../../support/alert-events.ts';
import {
  aDiagnosis,
  aFailure,
  anInstance,
  anOutcome,
  anUnreached,
  aPlan,
  aPurgePlan,
  aSeen,
  aSkip,
  NODE,
  NOW,
} from '../../../support/builders.ts';
import { purged, purgedAfter, reportOf, started, stopped } from '../actions/defrag/steps.ts';
import { ROWS, weak } from './alert-rows.ts';
import { FINDINGS, NOTICES } from './samples.ts';
import { TROUBLE_ALERTS } from './trouble-alerts.ts';

function onlyAlert(outcomes: readonly Outcome[], over: Partial<ReportInput> = {}): Alert {
  const { alerts } = reportOf(outcomes, over);
  const [alert] = alerts;
  if (!alert || alerts.length > 1) throw new Error(`one alert expected: ${JSON.stringify(alerts)}`);
  return alert;
}

const CASES = ROWS.map(([name, outcomes, event, severity, title, changes = []]) => ({
  name,
  outcomes,
  event,
  severity,
  title,
  changes,
}));

function expectReadable(alert: Alert): void {
  expect(alertSubject(alert)).toMatch(/^\[offpeak prod\] [\x20-\x7e]{10,}\((info|warning|critical)\)$/);
  const text = alertText(alert);
  expect(text).not.toMatch(/undefined|NaN|Infinity|\[object|!/);
  expect(text.split('\n').filter((line) => line.length > 72 && line.includes(' ', 20))).toEqual([]);
  // A setting keeps its spelling.
  expect(alert.why).toMatch(/^(?:[A-Z\d]|defrag\.enabled ).*\.$/);
  expect(alert.next).toMatch(/^[A-Z].*\.$/s);
}

const factOf = (alert: Alert, label: string) => alert.facts.find((fact) => fact.label === label)?.value;

describe('alerts', () => {
  test.each(CASES)('$name', ({ outcomes, event, severity, title, changes }) => {
    expect(onlyAlert(outcomes, { changes })).toMatchObject({ event, severity, title, stage: 'prod' });
  });

  test('every event of the contract has a row', () => {
    const ofTroubles = TROUBLE_ALERTS.map(([, { event }]) => event);
    expect(new Set([...ROWS.map(([, , event]) => event), ...ofTroubles])).toEqual(new Set(ALERT_EVENTS));
  });

  test.each(TROUBLE_ALERTS)('%s: reads well in a mail, names the node and its beginning', (_, alert) => {
    expectReadable(alert);
    expect(alert.id).toMatch(
      /^prod\/sessions\/10\.0\.3\.17:6379\/trouble-(began|over)\/[a-z-]+\/2026-11-24T00:44:05\.000Z$/,
    );
    expect(alert.why).toMatch(/Tue 01:44 UTC \(30 min ago\)|Tue 00:44 UTC \(30 min ago\)/);
  });

  test.each(CASES)('$name: reads well in a mail', ({ outcomes, changes }) => {
    const alert = onlyAlert(outcomes, { changes });
    expectReadable(alert);
    expect(alert.id).toBe(reportOf(outcomes, { changes }).alerts[0]?.id);
  });

  test.each([
    ['nothing was done', [anOutcome()]],
    ['unreachable: a CloudWatch alarm tells it', [anUnreached()]],
    [
      'a bug: the Errors alarm tells it',
      [aFailure({ problem: { kind: 'unexpected', message: 'x', expected: false } })],
    ],
    ['a plan that was only shown', [anOutcome({ plan: aPlan() })]],
    ['a defrag that carries on', [anOutcome({ plan: aSkip('defragmenting'), leased: true })]],
  ])('%s: no alert', (_, outcomes) => expect(reportOf(outcomes).alerts).toEqual([]));

  test('the id names the event and its time, and nothing else', () => {
    expect(onlyAlert([purged]).id).toBe(`prod/sessions/${NODE}/purged/2026-11-24T01:14:14.000Z`);
    expect(onlyAlert([purged]).at).toBe('2026-11-24T01:14:14.000Z');
  });

  test('an event without a look happened when the tick began', () => {
    const outcome = anUnreached({ notices: [NOTICES['action-failed']] });
    expect(onlyAlert([outcome]).at).toBe('2026-11-24T01:14:04.500Z');
  });

  test('ids differ where a node has two events, and where it has the same one twice', () => {
    const start = { kind: 'action-failed', doing: 'start-defrag', why: 'x' } as const;
    const { alerts } = reportOf([
      { ...purged, notices: [NOTICES['settings-changed'], NOTICES['action-failed'], start] },
    ]);
    expect(alerts).toHaveLength(4);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(4);
  });

  test('figures are filled, and the limit with them', () => {
    expect(onlyAlert([purged], { instances: [anInstance({ memoryLimit: GIB })] }).figures).toEqual({
      rssBefore: 800 * MIB,
      rssAfter: 500 * MIB,
      predictedBytes: 310 * MIB,
      returnedBytes: 300 * MIB,
      stallMs: 96,
      promisedStallMs: 250,
      memoryLimit: GIB,
    });
    expect(onlyAlert([started]).figures).toEqual({
      rssBefore: 841 * MIB,
      predictedBytes: 350 * MIB,
      promisedStallMs: 5,
    });
  });

  test('the purge after a defrag is told with it, not besides it', () => {
    const alert = onlyAlert([stopped('goal-met', { purge: purgedAfter })]);
    expect(alert.event).toBe('defrag-finished');
    expect(factOf(alert, 'Purge after it')).toBe('140 MiB of that; clients blocked for 48 ms, 100 ms promised');
  });

  test('a purge that would have blocked is said with the defrag', () => {
    const plan = aSkip('would-block', { instead: { action: 'purge', predicted: { reclaim: GIB, stall: 420 } } });
    const purge = { ...anOutcome(), plan };
    expect(factOf(onlyAlert([stopped('goal-met', { purge })]), 'Purge after it')).toBe(
      'none: a purge would block clients for longer than purge.maxBlock allows (420 ms); it would return 1 GiB',
    );
  });

  test('a purge after a defrag that failed has an alert of its own', () => {
    const plan = aPurgePlan({ reason: 'after-defrag' });
    const purge = aFailure({ before: aSeen(), plan, notices: [NOTICES['action-failed']] });
    const { alerts } = reportOf([stopped('goal-met', { purge })]);
    expect(alerts.map(({ event }) => event)).toEqual(['defrag-finished', 'action-failed']);
    expect(alerts[0] && factOf(alerts[0], 'Purge after it')).toBe('failed: no answer');
  });

  test('a purge after a defrag whose job has ended during it is not known, and has an alert of its own', () => {
    const { kind: _, plan: __, ...seen } = anOutcome({ notices: [NOTICES['action-failed']] });
    const purge = { ...seen, kind: 'purge-unknown', plan: aSkip('changed'), episode: NOW - 1000 } as const;
    const { alerts } = reportOf([stopped('goal-met', { purge })]);
    expect(alerts.map(({ event }) => event)).toEqual(['defrag-finished', 'action-failed']);
    expect(alerts[0] && factOf(alerts[0], 'Purge after it')).toBe('unknown: the job died during it');
    expect(alerts[1]?.id).toBe(`prod/sessions/${NODE}/action-failed/purge/2026-11-24T01:14:04.000Z`);
  });

  test('an aborted defrag says which settings it gave back, the switch first', () => {
    const restored = { hz: '10', activedefrag: 'no' };
    const alert = onlyAlert([stopped('window-closed', { restored })]);
    expect(factOf(alert, 'Settings now')).toBe('activedefrag no, hz 10');
  });

  test('a guard that ended a defrag is named with its figures', () => {
    expect(onlyAlert([stopped('busy')]).why).toBe(
      'The server is busy (main thread at 62 %, maxMainThreadCpu is 40 %).',
    );
  });

  test('an ineffective action says that its cooldown doubles', () => {
    const { next } = onlyAlert([stopped('goal-met', { verdict: weak })]);
    expect(next).toBe(
      'The cooldown of 6 h doubles after each consecutive run that returns too little. If this continues, raise defrag.minReclaim, or set defrag.enabled to false.',
    );
    const { defrag } = anInstance();
    const instances = [anInstance({ defrag: { ...defrag, cooldown: 0 } })];
    expect(onlyAlert([stopped('goal-met', { verdict: weak })], { instances }).next).toMatch(
      /because defrag\.cooldown is 0/,
    );
  });

  test('a start says when it ends, by the clock of the instance', () => {
    expect(factOf(onlyAlert([started]), 'Ends')).toBe('Tue 02:44 Europe/Berlin (in 30 min) at the latest');
    expect(onlyAlert([started]).why).toBe(
      '357 MiB are free, but scattered over pages that also hold data; predicted 350 MiB back, in stalls of about 0.5 ms.',
    );
  });

  test('a node near its limit says so, before and after', () => {
    const diagnosis = aDiagnosis({
      findings: [{ ...FINDINGS['near-limit'], usedMemoryRss: 841 * MIB, limit: 960 * MIB, percent: 87.6 }],
    });
    const before = aSeen({ diagnosis });
    expect(factOf(onlyAlert([{ ...purged, before }]), 'Near the limit')).toBe(
      'RSS was 88 % of 960 MiB before, 52 % after',
    );
    expect(factOf(onlyAlert([{ ...started, before }]), 'Near the limit')).toBe('RSS was 88 % of 960 MiB');
  });

  test('a store that fails in the whole tick is one event', () => {
    const outcomes = [
      anOutcome({ plan: aSkip('state-unavailable') }),
      anOutcome({ node: 'b:1', notices: [NOTICES['state-unavailable']] }),
    ];
    const alert = onlyAlert(outcomes, { problem: { why: 'state.json is locked by process 12' } });
    expect(alert).toMatchObject({ event: 'state-unavailable', instance: 'all', node: 'all', severity: 'critical' });
    expect(alert.why).toContain('locked by process 12');
  });

  test('a store that fails on several nodes is one event as well, and names them', () => {
    const problem = { kind: 'state-unavailable', message: 'locked', expected: true };
    const alert = onlyAlert([aFailure({ problem }), aFailure({ problem, node: 'b:1' })]);
    expect(alert).toMatchObject({ instance: 'all', node: 'all' });
    expect(factOf(alert, 'Nodes')).toBe(`sessions ${NODE}, sessions b:1`);
  });

  test('a whole mail', () => {
    const restored = { hz: '10', 'active-defrag-cycle-min': '1', activedefrag: 'no' };
    expect(alertText(onlyAlert([stopped('goal-met', { restored, purge: purgedAfter })]))).toMatchInlineSnapshot(`
      "sessions: 341 MiB returned by active defrag

      Why: The fragmentation is removed, and the rest is not worth more work.

        RSS before      841 MiB
        RSS after       500 MiB
        Returned        341 MiB of 350 MiB predicted (97 %)
        Cost            longest stall 3 ms, 5 ms promised
        Purge after it  140 MiB of that; clients blocked for 48 ms, 100 ms
                        promised
        Settings now    activedefrag no, hz 10, active-defrag-cycle-min 1
        Server          redis 7.0.15, primary

      Next: Nothing to do. The next run here comes after the cooldown of 6 h,
      at the earliest.

      prod | sessions | 10.0.3.17:6379 | 2026-11-24 01:14:14 UTC |
      defrag-finished |
      id=prod/sessions/10.0.3.17:6379/defrag-finished/2026-11-24T01:14:14.000Z
      "
    `);
  });
});
