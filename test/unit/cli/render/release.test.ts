import { describe, expect, test } from 'vitest';
import { commandLineFor } from '../../../../cli/command-line.ts';
import { adviceLines, keptLines, releasedLines } from '../../../../cli/render/release.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import type { Lease } from '../../../../core/domain/lease.ts';
import { longest, type Pause } from '../../../../core/domain/pause.ts';
import type { Tick } from '../../../../core/reconcile/scope.ts';
import { aLease, anInstance, anOutcome, anUnreached, aTick, NODE, NOW } from '../../../support/builders.ts';
import { configOf } from '../../../support/job.ts';
import { PAUSE } from '../../core/reporting/samples.ts';

const other = aLease({ instance: 'carts', node: '10.0.3.18:6379' });
const tickWith = (outcomes: Tick['outcomes']): Tick => aTick({ outcomes, idle: false });

const fleet = (over: Partial<InstanceConfig>) => ({
  ...configOf('instances: [{ id: a, url: "redis://127.0.0.1:1" }]'),
  instances: [anInstance(over)],
});

test('without a lease it says where none was found', () => {
  expect(releasedLines([], [], { place: 'stage prod', state: '/a/p.json (config p.yml)' })).toEqual([
    'Offpeak has no defrag on in stage prod. Searched: /a/p.json (config p.yml)',
  ]);
});

test('says which leases are gone', () => {
  expect(releasedLines([aLease(), other], [other], { place: '', state: '' })).toEqual([
    `sessions ${NODE}: released, its settings are restored`,
  ]);
});

describe('a lease that is still held: why, and what to type there', () => {
  const prior = { hz: '10', 'active-defrag-cycle-max': '', activedefrag: 'no' };
  const commands = ['  CONFIG SET activedefrag no', '  CONFIG SET hz 10'];
  const said = (lease: Lease, outcomes: Tick['outcomes']) => keptLines([lease], [tickWith(outcomes)], fleet({}));

  test.each([
    ['it does not answer', [anUnreached()], 'no answer'],
    ['another job is at it', [anOutcome({ leased: true })], 'another job is working on it: tick-1'],
    ['it was not tried', [], 'it was not tried'],
  ])('%s', (_, outcomes, why) => {
    expect(said(aLease({ prior }), outcomes)).toEqual([
      `sessions ${NODE}: NOT released: ${why}. Its lease stays, and the next tick tries again. By hand, on that server:`,
      ...commands,
    ]);
  });

  test('its node is no longer in the config', () => {
    expect(said(aLease({ prior, node: 'gone:6379' }), [])).toEqual([
      'sessions gone:6379: NOT released: the config does not name that node. Put it back into the config and release it again. By hand, on that server:',
      ...commands,
    ]);
  });

  test('a purge has nothing to restore', () => {
    expect(said(aLease({ phase: 'purging', prior: {} }), []).join()).toMatch(/There is nothing to restore\.$/);
  });
});

describe('advises a pause', () => {
  const stateWith = (pause?: Pause) => ({
    leases: new Map(),
    obstacle: () => undefined,
    unreadable: new Map(),
    quarantined: [],
    records: [],
    stageDocument: { claims: [], falls: [] },
    historyOf: () => ({ learned: {}, byAction: {} }),
    pauses: { stored: new Map(), pauseOf: (_: unknown, now: number) => longest([pause], now) },
  });
  const { defrag } = anInstance();
  const advice = (over: Partial<InstanceConfig>, pause?: Pause, wanted = [aLease()]) =>
    adviceLines(wanted, fleet(over), stateWith(pause), { now: NOW, commandLine: commandLineFor({ config: 'p.yml' }) });

  test('where a schedule would start again', () => {
    expect(advice({})).toEqual([
      'A schedule that still runs may start a defrag again in an open window. To prevent that:',
      "  npx offpeak pause sessions --for 1d --reason 'released by hand' -c p.yml",
    ]);
  });

  test.each([
    ['while it is paused', {}, PAUSE],
    ['where no window opens', { windows: [] }, undefined],
    ['where holidays leave no window', { holidays: [{ first: '2026-01-01', last: '2029-01-01' }] }, undefined],
    ['where defrag is disabled', { defrag: { ...defrag, enabled: false } }, undefined],
  ])('not %s', (_, over, pause) => expect(advice(over, pause)).toEqual([]));

  test('but once the pause is over, and not for what was not asked for', () => {
    expect(advice({}, { ...PAUSE, until: NOW })).toHaveLength(2);
    expect(advice({}, undefined, [other])).toEqual([]);
  });
});
