import { MIB } from '../../../../core/config/units.ts';
import type { AlertEvent, Severity } from '../../../../core/domain/alert.ts';
import type { NodeChange } from '../../../../core/domain/discovered.ts';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import { aFailure, anObservation, anOutcome, aSeen, aVerdict, SETTINGS } from '../../../support/builders.ts';
import { purged, retaining, started, stopped } from '../actions/defrag/steps.ts';
import { NOTICES, STOPS } from './samples.ts';

/** Too little to be worth its price. */
export const weak = aVerdict({ kind: 'unchanged', reclaimed: 3 * MIB, rssAfter: 838 * MIB, share: 3 / 350 });

const weakPurge = aVerdict({
  action: 'purge',
  kind: 'unchanged',
  rssBefore: 800 * MIB,
  rssAfter: 797 * MIB,
  reclaimed: 3 * MIB,
  predicted: 310 * MIB,
  share: 3 / 310,
  stall: 18,
  promisedStall: 250,
});

/** Active defrag that Offpeak has not started. */
const defragging = aSeen({
  observation: anObservation({
    defrag: { settings: { ...SETTINGS, activedefrag: 'yes' }, running: 25, hits: 210_000, misses: 90_000 },
  }),
});

const ORPHANED =
  'Offpeak holds a lease on this node, and the config no longer names it; put the node back into the config, or type on the server: CONFIG SET activedefrag no; CONFIG SET hz 10';

/** Longer cycles than promised, for an eighth of the time. */
const slow = aVerdict({ rssAfter: 741 * MIB, reclaimed: 100 * MIB, share: 100 / 350, stall: 31, beyond: 0.12 });

const before = aSeen();

const { verdict: _, ...lost } = stopped('server-restarted', { after: before, restored: {} });

export type Row = readonly [
  name: string,
  outcomes: readonly Outcome[],
  event: AlertEvent,
  severity: Severity,
  title: string,
  /** Of a discovery, where that is what happened. */
  changes?: readonly NodeChange[] | undefined,
];

export const ROWS: readonly Row[] = [
  ['a purge that helped', [purged], 'purged', 'info', 'sessions: 300 MiB returned by a purge'],
  [
    'a purge that did not',
    [{ ...purged, after: retaining, verdict: weakPurge }],
    'action-ineffective',
    'warning',
    'sessions: a purge returned 3 MiB of 310 MiB predicted',
  ],
  ['a defrag begins', [started], 'defrag-started', 'info', 'sessions: active defrag started, 350 MiB predicted back'],
  ['its goal is met', [stopped('goal-met')], 'defrag-finished', 'info', 'sessions: 341 MiB returned by active defrag'],
  [
    'no progress, but it helped',
    [stopped('no-progress')],
    'defrag-finished',
    'info',
    'sessions: 341 MiB returned by active defrag',
  ],
  [
    'no progress, and it did not help',
    [stopped('no-progress', { verdict: weak })],
    'action-ineffective',
    'warning',
    'sessions: active defrag returned 3 MiB of 350 MiB predicted',
  ],
  [
    'goal met, and it did not help',
    [stopped('goal-met', { verdict: weak })],
    'action-ineffective',
    'warning',
    'sessions: active defrag returned 3 MiB of 350 MiB predicted',
  ],
  [
    'the server restarted',
    [lost],
    'lease-lost',
    'warning',
    "sessions: the server restarted during Offpeak's active defrag",
  ],
  [
    'the window closed',
    [stopped('window-closed')],
    'defrag-aborted',
    'info',
    'sessions: active defrag ended early (the window has closed) on 10.0.3.17:6379',
  ],
  [
    'interrupted',
    [stopped('interrupted')],
    'defrag-aborted',
    'info',
    'sessions: active defrag ended early (the job was interrupted) on 10.0.3.17:6379',
  ],
  [
    'disabled',
    [stopped('disabled')],
    'defrag-aborted',
    'info',
    'sessions: active defrag ended early (defrag.enabled is false now) on 10.0.3.17:6379',
  ],
  [
    'paused',
    [stopped('paused')],
    'defrag-aborted',
    'info',
    'sessions: active defrag ended early (the instance is paused) on 10.0.3.17:6379',
  ],
  [
    'released',
    [stopped('released')],
    'defrag-aborted',
    'info',
    'sessions: active defrag ended early (a person released it) on 10.0.3.17:6379',
  ],
  [
    'stalls',
    [stopped('stall-spent', { verdict: slow })],
    'defrag-aborted',
    'warning',
    'sessions: active defrag ended early (its cycles were too long) on 10.0.3.17:6379',
  ],
  [
    'switched off by somebody',
    [stopped('switched-off')],
    'defrag-aborted',
    'warning',
    'sessions: active defrag ended early (it was switched off) on 10.0.3.17:6379',
  ],
  [
    'its time is spent',
    [stopped('duration-spent')],
    'defrag-aborted',
    'warning',
    'sessions: active defrag ended early (its time limit is reached) on 10.0.3.17:6379',
  ],
  [
    'a guard',
    [stopped('forking')],
    'defrag-aborted',
    'warning',
    'sessions: active defrag ended early (a forked child process is running) on 10.0.3.17:6379',
  ],
  [
    'foreign',
    [anOutcome({ before: defragging, notices: [NOTICES['foreign-defrag']] })],
    'foreign-defrag',
    'info',
    'sessions: active defrag is on, and Offpeak did not start it',
  ],
  [
    'unsupported',
    [anOutcome({ notices: [NOTICES['defrag-unsupported']] })],
    'defrag-unsupported',
    'info',
    'sessions: this build refuses active defrag',
  ],
  [
    'a rewrite that was counted',
    [anOutcome({ notices: [NOTICES['config-rewritten']] })],
    'config-rewritten',
    'warning',
    "sessions: Offpeak's settings are in the config file",
  ],
  [
    'a rewrite that a failover suggests',
    [anOutcome({ notices: [{ kind: 'config-rewritten', isSeen: false }] })],
    'config-rewritten',
    'warning',
    "sessions: probably Offpeak's settings are in the config file",
  ],
  [
    'our settings without a lease or a record',
    [anOutcome({ notices: [NOTICES['left-on']] })],
    'left-on',
    'warning',
    "sessions: settings that look like Offpeak's are on",
  ],
  [
    'our settings, given back by a record',
    [
      anOutcome({
        notices: [
          { kind: 'left-on', standing: { activedefrag: 'yes', hz: '500' }, restored: { activedefrag: 'no', hz: '10' } },
        ],
      }),
    ],
    'left-on',
    'warning',
    "sessions: Offpeak's settings were still on, and Offpeak has restored the earlier ones",
  ],
  [
    'one server under two addresses',
    [anOutcome({ notices: [NOTICES['same-server']] })],
    'same-server',
    'warning',
    'sessions: 10.0.3.17:6379 and 10.0.3.18:6379 are the same server',
  ],
  [
    'a new node',
    [],
    'node-found',
    'info',
    'sessions/0002: 10.0.3.21:6379 was found',
    [{ kind: 'node-found', instance: 'sessions/0002', node: '10.0.3.21:6379' }],
  ],
  [
    'a node that was taken out',
    [],
    'node-gone',
    'info',
    'sessions/0002: 10.0.3.20:6379 is gone',
    [{ kind: 'node-gone', instance: 'sessions/0002', node: '10.0.3.20:6379' }],
  ],
  [
    'a node that the config does not name',
    [],
    'node-unlisted',
    'warning',
    'sessions: 10.0.3.22:6379 is not in the config',
    [{ kind: 'node-unlisted', instance: 'sessions', node: '10.0.3.22:6379' }],
  ],
  [
    'a purge failed',
    [aFailure({ before, notices: [NOTICES['action-failed']] })],
    'action-failed',
    'warning',
    'sessions: MEMORY PURGE failed',
  ],
  [
    'a start failed',
    [aFailure({ before, notices: [{ kind: 'action-failed', doing: 'start-defrag', why: 'NOPERM' }] })],
    'action-failed',
    'warning',
    'sessions: active defrag could not be started',
  ],
  [
    'a stop failed',
    [
      aFailure({
        before,
        plan: STOPS['goal-met'],
        leased: true,
        notices: [{ kind: 'action-failed', doing: 'stop-defrag', why: 'refused' }],
      }),
    ],
    'action-failed',
    'critical',
    'sessions: active defrag could not be ended',
  ],
  [
    'a lease on a node that is no longer configured',
    [
      aFailure({
        instance: 'gone',
        notices: [{ kind: 'action-failed', doing: 'stop-defrag', why: ORPHANED }],
      }),
    ],
    'action-failed',
    'critical',
    'gone: active defrag could not be ended',
  ],
  [
    'the store fails on one node',
    [aFailure({ before, problem: { kind: 'state-unavailable', message: 'locked', expected: true } })],
    'state-unavailable',
    'critical',
    'sessions: Offpeak starts nothing, because it cannot read or write its state',
  ],
  [
    'the store fails, as a notice',
    [anOutcome({ notices: [NOTICES['state-unavailable']] })],
    'state-unavailable',
    'critical',
    'sessions: Offpeak starts nothing, because it cannot read or write its state',
  ],
  [
    'somebody changed a setting',
    [anOutcome({ notices: [NOTICES['settings-changed']] })],
    'settings-changed',
    'warning',
    "sessions: a person or another program changed settings during Offpeak's defrag",
  ],
];
