import { MIB } from '../../../../core/config/units.ts';
import type { Blocker, BlockerKind } from '../../../../core/domain/blocker.ts';
import type { Finding } from '../../../../core/domain/diagnosis.ts';
import type { Notice } from '../../../../core/domain/notice.ts';
import type { Pause } from '../../../../core/domain/pause.ts';
import type { Plan, SkipReason, StopDefrag, StopPlan, StopReason } from '../../../../core/domain/plan.ts';
import { aPlan, aPurgePlan, aSkip, NOW, type SkipPlan } from '../../../support/builders.ts';

/** One of everything that has words: a new reason without a sample does not compile. */

type Of<T extends { kind: string }> = { readonly [Kind in T['kind']]: Extract<T, { kind: Kind }> };

const HOUR = 3_600_000;

export const BLOCKERS: Of<Blocker> = {
  'unknown-engine': { kind: 'unknown-engine', engine: 'unknown', version: '' },
  loading: { kind: 'loading' },
  forking: { kind: 'forking', child: 'bgsave' },
  'replica-syncing': { kind: 'replica-syncing', linkUp: false },
  'feeding-full-sync': { kind: 'feeding-full-sync', replicas: 2 },
  failover: { kind: 'failover' },
  'lazyfree-pending': { kind: 'lazyfree-pending', objects: 1200 },
  rehashing: { kind: 'rehashing', bytes: 48 * MIB, limit: 32 * MIB },
  'eviction-pressure': { kind: 'eviction-pressure', exceededFor: 12_000, overLimit: 48 * MIB },
  'just-restarted': { kind: 'just-restarted', uptime: 4000, required: 10_000 },
  busy: { kind: 'busy', mainThread: { cpu: 62.4, limit: 40 } },
  'peer-acting': { kind: 'peer-acting', peer: '10.0.3.18:6379' },
  'cooling-down': { kind: 'cooling-down', until: NOW + 4 * HOUR },
  'canary-died': { kind: 'canary-died', node: '10.0.3.18:6379', until: NOW + 4 * HOUR },
  'same-server': { kind: 'same-server', as: '10.0.3.18:6379' },
  'not-enough-time': { kind: 'not-enough-time', remaining: 8000, required: 22_500 },
  'too-long': {
    kind: 'too-long',
    required: 50 * 60_000,
    available: 30 * 60_000,
    cpu: 25,
    bound: 'window',
    isLearned: true,
  },
  'persistence-failing': { kind: 'persistence-failing', failing: ['save'], unsaved: 4711 },
  'swapped-out': { kind: 'swapped-out', rss: 220 * MIB, used: 450 * MIB },
  'replica-behind': { kind: 'replica-behind', whose: 'own', silentFor: 300_000 },
  'peers-silent': { kind: 'peers-silent', peers: ['10.0.3.18:6379', '10.0.3.19:6379'], configured: 2 },
  'replicas-missing': { kind: 'replicas-missing', connected: 1, configured: 2 },
  'watch-only': { kind: 'watch-only' },
  undiscovered: { kind: 'undiscovered' },
  'group-changing': { kind: 'group-changing', group: 'sessions', status: 'modifying' },
  'aws-maintenance': { kind: 'aws-maintenance', until: NOW + 2 * HOUR },
  'aws-snapshot': { kind: 'aws-snapshot', until: NOW + HOUR },
  'slots-migrating': { kind: 'slots-migrating', slots: 3 },
  'cluster-down': { kind: 'cluster-down' },
  'cluster-refused': { kind: 'cluster-refused' },
  'clients-paused': { kind: 'clients-paused', reason: 'client_pause', left: 8000 },
  'module-types': { kind: 'module-types', modules: ['graph', 'search'] },
  'group-limit': { kind: 'group-limit', group: 'carts', limit: 2, nodes: ['10.0.3.18:6379', '10.0.4.17:6379'] },
  'stage-limit': { kind: 'stage-limit', limit: 2, nodes: ['10.0.3.18:6379', '10.0.4.17:6379'] },
  'host-acting': { kind: 'host-acting', node: '10.0.3.17:6380', isDefrag: true },
  'version-fell': {
    kind: 'version-fell',
    node: '10.0.3.18:6379',
    engine: { name: 'redis', version: '7.0.15' },
    how: 'restarted',
    at: NOW - HOUR,
    until: NOW + 19 * HOUR,
  },
  'version-unseen': {
    kind: 'version-unseen',
    node: '10.0.3.18:6379',
    at: NOW - 4 * 60_000,
    until: NOW - 4 * 60_000 + 20 * HOUR,
  },
};

export const FINDINGS: Of<Finding> = {
  'too-small': { kind: 'too-small', usedMemoryRss: 12 * MIB, floor: 100 * MIB },
  fragmented: { kind: 'fragmented', bytes: 357 * MIB, percentOfData: 79.2, closable: 350 * MIB },
  'free-pages': { kind: 'free-pages', bytes: 310 * MIB, returnable: 291 * MIB },
  overhead: { kind: 'overhead', bytes: 120 * MIB, percent: 12 },
  held: { kind: 'held', by: 'client-buffers', bytes: 5600 * MIB, percent: 63 },
  'near-limit': {
    kind: 'near-limit',
    usedMemoryRss: 5325 * MIB,
    limit: 6144 * MIB,
    of: 'config',
    percent: 86.7,
    returnable: 0,
  },
  'peak-over-limit': { kind: 'peak-over-limit', peak: 7168 * MIB, limit: 6144 * MIB, of: 'config' },
  maxmemory: {
    kind: 'maxmemory',
    problem: 'beyond-limit',
    maxmemory: 6144 * MIB,
    refusesWrites: false,
    limit: { bytes: 6144 * MIB, of: 'config' },
    expected: 6656 * MIB,
    suggested: 4672 * MIB,
    needed: 8000 * MIB,
    isManaged: false,
  },
  impossible: { kind: 'impossible', fields: ['used_memory_rss'] },
  'rss-below-used': { kind: 'rss-below-used', usedMemory: 450 * MIB, usedMemoryRss: 400 * MIB },
  'no-layers': { kind: 'no-layers', why: 'not-jemalloc', memAllocator: 'libc', beyondUsed: 0 },
};

export const NOTICES: Of<Notice> = {
  'foreign-defrag': { kind: 'foreign-defrag' },
  'defrag-unsupported': { kind: 'defrag-unsupported' },
  'settings-changed': { kind: 'settings-changed', leftAlone: { hz: '50' } },
  'config-rewritten': { kind: 'config-rewritten', isSeen: true },
  'left-on': {
    kind: 'left-on',
    standing: { activedefrag: 'yes', hz: '500' },
    typed: 'CONFIG SET activedefrag no\nCONFIG SET hz 10',
  },
  'same-server': { kind: 'same-server', as: '10.0.3.18:6379' },
  'action-failed': { kind: 'action-failed', doing: 'purge', why: 'no answer within 2488 ms' },
  'state-unavailable': { kind: 'state-unavailable', why: 'state.json is no JSON' },
};

export const PAUSE: Pause = { until: NOW + 4 * HOUR, reason: 'Black Friday', by: 'alice', at: NOW - HOUR };

type StopReasons = { readonly [Reason in StopReason]: StopPlan };

const stop = (because: StopReason, more: Partial<StopDefrag> = {}): StopPlan => ({
  kind: 'act',
  action: { kind: 'stop-defrag', because, ...more },
  reason: because,
  predicted: aPlan().predicted,
});

const blockedStop = (because: BlockerKind): StopPlan => stop(because, { blockers: [BLOCKERS[because]] });

export const STOPS: StopReasons = {
  'goal-met': stop('goal-met'),
  'no-progress': stop('no-progress'),
  'window-closed': stop('window-closed'),
  'duration-spent': stop('duration-spent'),
  'stall-spent': stop('stall-spent'),
  'switched-off': stop('switched-off'),
  'server-restarted': stop('server-restarted'),
  'never-started': stop('never-started'),
  disabled: stop('disabled'),
  paused: stop('paused', { pause: PAUSE }),
  interrupted: stop('interrupted'),
  released: stop('released'),
  'newer-version': stop('newer-version'),
  'unknown-engine': blockedStop('unknown-engine'),
  loading: blockedStop('loading'),
  forking: blockedStop('forking'),
  'replica-syncing': blockedStop('replica-syncing'),
  'feeding-full-sync': blockedStop('feeding-full-sync'),
  failover: stop('failover'),
  'lazyfree-pending': blockedStop('lazyfree-pending'),
  rehashing: blockedStop('rehashing'),
  'eviction-pressure': blockedStop('eviction-pressure'),
  'just-restarted': blockedStop('just-restarted'),
  busy: blockedStop('busy'),
  'peer-acting': blockedStop('peer-acting'),
  'cooling-down': blockedStop('cooling-down'),
  'canary-died': blockedStop('canary-died'),
  'same-server': blockedStop('same-server'),
  'not-enough-time': blockedStop('not-enough-time'),
  'too-long': blockedStop('too-long'),
  'persistence-failing': blockedStop('persistence-failing'),
  'swapped-out': blockedStop('swapped-out'),
  'replica-behind': blockedStop('replica-behind'),
  'peers-silent': blockedStop('peers-silent'),
  'replicas-missing': blockedStop('replicas-missing'),
  'watch-only': blockedStop('watch-only'),
  undiscovered: blockedStop('undiscovered'),
  'group-changing': blockedStop('group-changing'),
  'aws-maintenance': blockedStop('aws-maintenance'),
  'aws-snapshot': blockedStop('aws-snapshot'),
  'slots-migrating': blockedStop('slots-migrating'),
  'cluster-down': blockedStop('cluster-down'),
  'cluster-refused': blockedStop('cluster-refused'),
  'clients-paused': blockedStop('clients-paused'),
  'module-types': blockedStop('module-types'),
  'stage-limit': blockedStop('stage-limit'),
  'group-limit': blockedStop('group-limit'),
  'host-acting': blockedStop('host-acting'),
  'version-fell': blockedStop('version-fell'),
  'version-unseen': blockedStop('version-unseen'),
};

const purge = { action: 'purge', predicted: { reclaim: 310 * MIB, stall: 122 } } as const;
const defrag = { action: 'start-defrag', predicted: { reclaim: 350 * MIB, stall: 0.5 } } as const;

const blocked = (reason: BlockerKind): SkipPlan => aSkip(reason, { blockers: [BLOCKERS[reason]], instead: defrag });

export const SKIPS: { readonly [Reason in SkipReason]: SkipPlan } = {
  healthy: aSkip('healthy'),
  disabled: aSkip('disabled'),
  defragmenting: aSkip('defragmenting', {
    until: NOW + 28 * 60_000,
    underWay: { elapsed: 40_000, moved: 214_000, closed: 120 * MIB, share: 0.62, left: 24_000, level: 0 },
  }),
  'foreign-defrag': aSkip('foreign-defrag'),
  'left-on': aSkip('left-on'),
  unsupported: aSkip('unsupported'),
  'not-defraggable': aSkip('not-defraggable'),
  'denied-version': aSkip('denied-version', {
    denial: { issue: 'redis/redis#13307', why: 'it crashes in defragLaterStep', fixedIn: 'Redis 7.2.6' },
  }),
  'config-refused': aSkip('config-refused'),
  'by-group': aSkip('by-group'),
  'odd-settings': aSkip('odd-settings'),
  'purge-refused': aSkip('purge-refused'),
  'no-layers': aSkip('no-layers'),
  'would-block': aSkip('would-block', { instead: { ...purge, predicted: { reclaim: 1024 * MIB, stall: 420 } } }),
  'would-stall': aSkip('would-stall', {
    instead: { ...defrag, predicted: { reclaim: 350 * MIB, stall: 0.5, firstCycle: 120 } },
  }),
  paused: aSkip('paused', { until: PAUSE.until, pause: { reason: PAUSE.reason, by: PAUSE.by }, instead: purge }),
  holiday: aSkip('holiday', { until: NOW + 77 * HOUR, instead: purge }),
  'outside-window': aSkip('outside-window', { until: NOW + 5 * HOUR, instead: purge }),
  changed: aSkip('changed'),
  interrupted: aSkip('interrupted'),
  'state-unavailable': aSkip('state-unavailable'),
  'unknown-engine': blocked('unknown-engine'),
  loading: blocked('loading'),
  forking: blocked('forking'),
  'replica-syncing': blocked('replica-syncing'),
  'feeding-full-sync': blocked('feeding-full-sync'),
  failover: blocked('failover'),
  'lazyfree-pending': blocked('lazyfree-pending'),
  rehashing: blocked('rehashing'),
  'eviction-pressure': blocked('eviction-pressure'),
  'just-restarted': blocked('just-restarted'),
  busy: blocked('busy'),
  'peer-acting': blocked('peer-acting'),
  'cooling-down': blocked('cooling-down'),
  'canary-died': blocked('canary-died'),
  'same-server': blocked('same-server'),
  'not-enough-time': blocked('not-enough-time'),
  'too-long': blocked('too-long'),
  'persistence-failing': blocked('persistence-failing'),
  'swapped-out': blocked('swapped-out'),
  'replica-behind': blocked('replica-behind'),
  'peers-silent': blocked('peers-silent'),
  'replicas-missing': blocked('replicas-missing'),
  'watch-only': blocked('watch-only'),
  undiscovered: blocked('undiscovered'),
  'group-changing': blocked('group-changing'),
  'aws-maintenance': blocked('aws-maintenance'),
  'aws-snapshot': blocked('aws-snapshot'),
  'slots-migrating': blocked('slots-migrating'),
  'cluster-down': blocked('cluster-down'),
  'cluster-refused': blocked('cluster-refused'),
  'clients-paused': blocked('clients-paused'),
  'module-types': blocked('module-types'),
  'stage-limit': blocked('stage-limit'),
  'group-limit': blocked('group-limit'),
  'host-acting': blocked('host-acting'),
  'version-fell': blocked('version-fell'),
  'version-unseen': blocked('version-unseen'),
};

/** Every plan that there is. */
export const PLANS: readonly Plan[] = [
  aPlan(),
  aPurgePlan(),
  aPurgePlan({ reason: 'after-defrag' }),
  ...Object.values(STOPS),
  ...Object.values(SKIPS),
];
