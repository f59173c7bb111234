import { expect, test } from 'vitest';
import { reportInfo } from '../../../support/reports.ts';
import { type Said, said, withPurge } from './seen.ts';

// redis_exporter#371: a guard that reads the first of several fields is blind for the others.

const roomy = withPurge({ maxBlock: 5_000 });
const planOf = async (info: string) => (await said(info, { policy: roomy })).plan;

/** The report's server with its replication replaced. */
const following = (...replication: readonly string[]) => {
  const [rest = ''] = reportInfo('keydb-multimaster-new').split('# Replication');
  return [`${rest}# Replication`, ...replication].join('\n');
};
const IN_STEP = ['role:active-replica', 'master_host:10.0.0.2', 'master_link_status:up', 'master_sync_in_progress:0'];

test('all primaries in step: the purge is planned', async () => {
  expect(await planOf(following(...IN_STEP))).toMatchObject({ kind: 'act', action: { kind: 'purge' } });
  expect(
    await planOf(
      following('master_global_link_status:up', ...IN_STEP, 'master_1_link_status:up', 'connected_slaves:0'),
    ),
  ).toMatchObject({ kind: 'act' });
});

test.each([
  ['the report', reportInfo('keydb-multimaster-new'), { kind: 'replica-syncing', linkUp: false }],
  [
    'only the tenth link is down',
    following(...IN_STEP, 'master_9_link_status:down'),
    { kind: 'replica-syncing', linkUp: false },
  ],
  [
    'the second one is synced from, under its number',
    following(...IN_STEP, 'master_1_link_status:up', 'master_1_sync_in_progress:1'),
    { kind: 'replica-syncing', linkUp: true },
  ],
  [
    'KeyDB 5 repeats the fields without a number',
    following(
      'Master 0:',
      ...IN_STEP,
      'Master 1:',
      'master_host:10.0.0.3',
      'master_link_status:down',
      'master_sync_in_progress:1',
    ),
    { kind: 'replica-syncing', linkUp: false },
  ],
  [
    'only the sum of the links says it',
    following('master_global_link_status:down', ...IN_STEP),
    { kind: 'replica-syncing', linkUp: false },
  ],
  [
    'a replica that is synced is not the first one of its name',
    following(
      'role:master',
      'slave0:ip=10.0.0.4,port=6379,state=online,offset=1,lag=0',
      'slave0:ip=10.0.0.5,port=6379,state=send_bulk,offset=0,lag=0',
    ),
    { kind: 'feeding-full-sync', replicas: 1 },
  ],
  [
    'the twelfth replica',
    following('role:master', 'slave0:ip=10.0.0.4,state=online', 'slave11:ip=10.0.0.5,state=wait_bgsave'),
    { kind: 'feeding-full-sync', replicas: 1 },
  ],
  [
    'a section comes twice, and the second says that it saves',
    `${following(...IN_STEP)}\n# Persistence\nrdb_bgsave_in_progress:1`,
    { kind: 'forking', child: 'bgsave' },
  ],
  ['and that it loads', `${following(...IN_STEP)}\nloading:nan\nloading:1`, { kind: 'loading' }],
  [
    'that it frees memory',
    `${following(...IN_STEP)}\nlazyfree_pending_objects:7`,
    { kind: 'lazyfree-pending', objects: 7 },
  ],
  [
    'that it is short of memory',
    `${following(...IN_STEP)}\ncurrent_eviction_exceeded_time:0\ncurrent_eviction_exceeded_time:3000`,
    { kind: 'eviction-pressure', exceededFor: 3000, overLimit: 0 },
  ],
  [
    'that a failover is under way',
    `${following(...IN_STEP)}\nmaster_failover_state:no-failover\nmaster_failover_state:waiting-for-sync`,
    { kind: 'failover' },
  ],
  [
    'that it has just started',
    `${following(...IN_STEP)}\nuptime_in_seconds:3`,
    { kind: 'just-restarted', uptime: 3_000, required: 10_000 },
  ],
])('%s', async (_what, info, blocker) => {
  expect(await planOf(info)).toMatchObject({ kind: 'skip', reason: blocker.kind, blockers: [blocker] });
});

test('a replica that is said twice in the same words is one', async () => {
  const text = following('role:master', 'slave0:ip=10.0.0.4,port=6379,state=send_bulk,offset=0,lag=0');
  const plan: Said['plan'] = await planOf(`${text}\n${text}`);
  expect(plan).toMatchObject({ blockers: [{ kind: 'feeding-full-sync', replicas: 1 }] });
});
