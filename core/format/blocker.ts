import type { Blocker, BlockerKind } from '../domain/blocker.ts';
import type { Outage } from '../domain/stage.ts';
import { figuresOf } from './blocker-figures.ts';
import { lookup } from './lookup.ts';
import { type Moment, timeText } from './units.ts';

/** What each blocker is, where its figures are not at hand. */
const KINDS: Readonly<Record<BlockerKind, string>> = {
  'unknown-engine': 'this engine is not known to Offpeak, which only watches the server',
  loading: 'the server is loading its data',
  forking: 'a forked child process is running',
  'persistence-failing': 'the server fails to save its data; see its log, free its disk or its memory, then BGSAVE',
  'swapped-out': 'part of the data seems to be swapped out, and defrag or a purge would wait for the disk',
  'replica-syncing': 'the replica is not in sync with its primary',
  'replica-behind': 'replication is behind',
  'peers-silent': 'this primary is left alone, because other nodes of its instance do not answer',
  'replicas-missing': 'this primary is left alone, because fewer replicas are connected than the config has',
  'watch-only': 'it is only watched, because its tags say so or cannot be read, or no discovery names it any more',
  undiscovered: 'its nodes could not be found now: what is under way there is unknown',
  'group-changing': "the node's group is being changed by AWS",
  'aws-maintenance': "the group's maintenance window of AWS is open",
  'aws-snapshot': "the group's snapshot window of AWS is open",
  'slots-migrating': 'slots are migrating to or from this node',
  'cluster-down': 'the cluster is down (cluster_state is not ok)',
  'cluster-refused':
    'the server refuses CLUSTER INFO or CLUSTER NODES, so migrating slots cannot be seen: grant +cluster|info +cluster|nodes (Valkey 9: +cluster|getslotmigrations, too)',
  'clients-paused': 'clients of the server are paused',
  'module-types': 'a module may hold data that active defrag cannot move',
  'stage-limit': 'other nodes of the stage are being defragmented',
  'group-limit': 'this shard waits for its turn, because Offpeak acts on other shards of its group',
  'host-acting': 'this server waits for its turn, because Offpeak acts on another one on its host',
  'version-fell': 'a server of this version may have crashed during active defrag',
  'version-unseen': 'a server of this version is under active defrag, and was not checked in this tick yet',
  'feeding-full-sync': 'the node is feeding a full sync',
  failover: "a failover is under way, or the node's role has changed",
  'lazyfree-pending': 'memory is still being freed in the background',
  rehashing: 'a large hash table is being resized, and the server frees the old one itself',
  'eviction-pressure': 'the server is short of memory for its data, which no action solves',
  'just-restarted': 'the server has just started',
  busy: 'the server is busy',
  'peer-acting': 'this node waits for its turn, because another node or job acts on this instance',
  'canary-died': 'another node of this instance may have crashed during active defrag',
  'cooling-down': 'the cooldown after the last action is not over',
  'same-server': 'the config names this server twice, and Offpeak acts on it under its other address',
  'not-enough-time': 'the job has too little time left',
  'too-long': 'active defrag would not finish in time',
};

export function blockerKindText(kind: BlockerKind): string {
  // A stored reason may be of a newer version.
  return lookup(KINDS, kind) ?? JSON.stringify(kind);
}

/** Why acting is unsafe or unwise now, with its figures. */
export function blockerText(blocker: Blocker, moment: Moment = {}): string {
  const text = blockerKindText(blocker.kind);
  if (blocker.kind === 'aws-maintenance' || blocker.kind === 'aws-snapshot')
    return `${text} until ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'cooling-down') return `${text}, and ends ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'canary-died')
    return `${text} (${blocker.node}), so no defrag before ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'version-fell') return fellText(blocker, moment);
  if (blocker.kind === 'version-unseen') return unseenText(blocker, moment);
  const figures = figuresOf(blocker);
  return figures === '' ? text : `${text} (${figures})`;
}

const FELL: Readonly<Record<Outage['how'], { readonly what: string; readonly next: string }>> = {
  restarted: { what: 'restarted', next: '; see its log' },
  vanished: { what: 'does not answer', next: ', or until it answers; see its log' },
  unchecked: { what: 'could not be checked', next: ', or until it can be; see its error' },
};

/** `10.0.3.18:6379 restarted Tue 02:14 Europe/Berlin (1 h ago)`. One that has not restarted may be well. */
function fellText({ node, how, at, until }: Extract<Blocker, { kind: 'version-fell' }>, moment: Moment): string {
  const { what, next } = FELL[how];
  const when = how === 'restarted' ? ` ${timeText(at, moment)}` : '';
  const fell = `${blockerKindText('version-fell')} (${node} ${what}${when})`;
  return `${fell}, so no defrag before ${timeText(until, moment)}${next}`;
}

function unseenText({ node, until }: Extract<Blocker, { kind: 'version-unseen' }>, moment: Moment): string {
  const ends = timeText(until, moment);
  return `${blockerKindText('version-unseen')} (${node}), so no defrag before it is, or before ${ends}`;
}
