import type { Blocker, BlockerKind, Busy } from '../domain/blocker.ts';
import { bytesText, countText, durationText, type Moment, percentText, timeText, unworded } from './units.ts';

const CHILDREN = {
  bgsave: 'BGSAVE',
  'aof-rewrite': 'AOF rewrite',
  module: 'a module',
  'slot-migration': 'a slot migration',
} as const;

/** What a blocker is, where its figures are not at hand. */
export function blockerKindText(kind: BlockerKind): string {
  switch (kind) {
    case 'unknown-engine':
      return 'the engine is unknown to Offpeak';
    case 'loading':
      return 'the server is loading its data';
    case 'forking':
      return 'a forked child process is running';
    case 'persistence-failing':
      return 'the server fails to save its data: see its log, free its disk or its memory, then BGSAVE';
    case 'swapped-out':
      return 'part of the data seems to be swapped out: defrag or a purge would wait for the disk';
    case 'replica-syncing':
      return 'the replica is not in sync with its primary';
    case 'replica-behind':
      return 'replication is behind';
    case 'peers-silent':
      return 'this primary is left alone, because other nodes of its instance do not answer';
    case 'replicas-missing':
      return 'this primary is left alone, because fewer replicas are connected than the config has';
    case 'slots-migrating':
      return 'slots are migrating to or from this node';
    case 'cluster-down':
      return 'the cluster is down (cluster_state is not ok)';
    case 'cluster-refused':
      return 'the server refuses CLUSTER INFO or CLUSTER NODES, so migrating slots cannot be seen: grant +cluster|info +cluster|nodes (Valkey 9: +cluster|getslotmigrations, too)';
    case 'clients-paused':
      return 'clients of the server are paused';
    case 'module-types':
      return 'a module may hold data that active defrag cannot move';
    case 'stage-limit':
      return 'other nodes of the stage are being defragmented';
    case 'host-acting':
      return 'waiting: another server of the same host goes first';
    case 'version-fell':
      return 'a server of this version crashed during active defrag';
    case 'feeding-full-sync':
      return 'the node is feeding a full sync';
    case 'failover':
      return "a failover is under way, or the node's role has changed";
    case 'lazyfree-pending':
      return 'memory is still being freed in the background';
    case 'rehashing':
      return 'a large hash table is being resized, and the server frees the old one itself';
    case 'eviction-pressure':
      return 'the server is short of memory for its data, which no action solves';
    case 'just-restarted':
      return 'the server has just started';
    case 'busy':
      return 'the server is busy';
    case 'peer-acting':
      return 'waiting: another node of this instance goes first';
    case 'canary-died':
      return 'another node of this instance restarted during active defrag';
    case 'cooling-down':
      return 'the cooldown after the last action is not over';
    case 'same-server':
      return 'the config names this server twice: Offpeak acts on it under its other address';
    case 'not-enough-time':
      return 'the job has too little time left';
    case 'too-long':
      return 'active defrag would not finish in time';
  }
  return unworded(kind);
}

/** Why acting is unsafe or unwise now, with its figures. */
export function blockerText(blocker: Blocker, moment: Moment = {}): string {
  const text = blockerKindText(blocker.kind);
  if (blocker.kind === 'cooling-down') return `${text}: it ends ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'canary-died')
    return `${text} (${blocker.node}): no defrag before ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'version-fell') return fellText(blocker, moment);
  const figures = figuresOf(blocker);
  return figures === '' ? text : `${text} (${figures})`;
}

const FELL = { restarted: 'restarted', vanished: 'stopped answering' } as const;

/** `10.0.3.18:6379, redis 7.0.15, restarted Tue 02:14 Europe/Berlin (1 h ago)` */
function fellText({ node, engine, how, at, until }: Of<'version-fell'>, moment: Moment): string {
  const what = `${node}, ${engine.name} ${engine.version}, ${FELL[how]} ${timeText(at, moment)}`;
  return `${blockerKindText('version-fell')} (${what}): no defrag before ${timeText(until, moment)}; see its log`;
}

/** Of so many names the others are counted. */
const MOST_NAMES = 6;

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${countText(names.length - MOST_NAMES)} more` : shown;
}

type Of<Kind extends BlockerKind> = Extract<Blocker, { kind: Kind }>;

type WithFigures = Exclude<Blocker, { kind: 'cooling-down' | 'canary-died' | 'version-fell' }>;

function figuresOf(blocker: WithFigures): string {
  switch (blocker.kind) {
    case 'unknown-engine':
      return blocker.version === '' ? 'it reports no version' : `version ${blocker.version}`;
    case 'loading':
    case 'failover':
    case 'cluster-down':
    case 'cluster-refused':
      return '';
    case 'persistence-failing':
      return persistenceFigures(blocker);
    case 'swapped-out':
      return `RSS is ${bytesText(blocker.rss)}, used_memory ${bytesText(blocker.used)}`;
    case 'replica-behind':
      return behindFigures(blocker);
    case 'peers-silent':
      return `${namesText(blocker.peers)}; ${countText(blocker.peers.length)} of ${countText(blocker.configured)} peers`;
    case 'replicas-missing':
      return `${countText(blocker.connected)} of ${countText(blocker.configured)}`;
    case 'slots-migrating':
      return blocker.slots === undefined
        ? `${bytesText(blocker.bytes ?? 0)} in its buffers`
        : `slots and tasks: ${countText(blocker.slots)}`;
    case 'clients-paused':
      return `${blocker.reason}, for another ${durationText(blocker.left)}`;
    case 'module-types':
      return `${namesText(blocker.modules)}; to allow it, add them to defrag.allowModules`;
    case 'stage-limit':
      return `${countText(blocker.nodes.length)} of ${countText(blocker.limit)}: ${namesText(blocker.nodes)}; see maxDefragsAtOnce`;
    case 'host-acting':
      return `${blocker.isDefrag ? 'active defrag' : 'a purge'} on ${blocker.node}`;
    case 'forking':
      return CHILDREN[blocker.child];
    case 'replica-syncing':
      return blocker.linkUp ? 'a sync is under way' : 'the link is down';
    case 'feeding-full-sync':
      return blocker.replicas === 1 ? 'to 1 replica' : `to ${countText(blocker.replicas)} replicas`;
    case 'lazyfree-pending':
      return `${countText(blocker.objects)} objects`;
    case 'rehashing':
      return `${bytesText(blocker.bytes)}; the limit is ${bytesText(blocker.limit)}`;
    case 'eviction-pressure':
      return evictionFigures(blocker);
    case 'just-restarted':
      return `up for ${durationText(blocker.uptime)}, ${durationText(blocker.required)} required`;
    case 'busy':
      return busyFigures(blocker);
    case 'peer-acting':
      return blocker.peer;
    case 'same-server':
      return `it is ${blocker.as}`;
    case 'not-enough-time':
      return `${durationText(blocker.remaining)}; ${durationText(blocker.required)} needed`;
    case 'too-long':
      return tooLongFigures(blocker);
  }
  return unworded(blocker);
}

const BOUNDS = {
  window: { has: 'the window has', longer: 'a longer window' },
  maxDuration: { has: 'defrag.maxDuration leaves', longer: 'a longer defrag.maxDuration' },
  schedule: { has: 'between two runs of the job there are', longer: 'a schedule.every of 15 min or less' },
} as const;

/** `needs 50 min at 25 %, the window has 30 min; a longer window, or defrag.maxCpu of 42 %, would do` */
function tooLongFigures(blocker: Extract<Blocker, { kind: 'too-long' }>): string {
  const { required, available, cpu, bound, isLearned } = blocker;
  const about = isLearned ? '' : 'about ';
  const share = Math.ceil((cpu * required) / Math.max(1, available));
  const { has, longer } = BOUNDS[bound];
  const remedy =
    share <= HIGHEST_CPU ? `${longer}, or defrag.maxCpu of ${share} %, would do` : `only ${longer} would do`;
  return `needs ${about}${durationText(required)} at ${cpu} %, ${has} ${durationText(available)}; ${remedy}`;
}

/** Of `defrag.maxCpu`. */
const HIGHEST_CPU = 75;

function busyFigures({ mainThread, commands }: Busy): string {
  if (!mainThread && !commands) return 'or may be: it reports neither its CPU time nor its commands';
  return [...(mainThread ? [cpuFigures(mainThread)] : []), ...(commands ? [commandFigures(commands)] : [])].join('; ');
}

function cpuFigures({ cpu, limit, ownDefrag }: NonNullable<Busy['mainThread']>): string {
  const own = ownDefrag === undefined ? '' : `, up to ${percentText(ownDefrag)} of it Offpeak's active defrag`;
  return `main thread at ${percentText(cpu)}${own}, maxMainThreadCpu is ${percentText(limit)}`;
}

function commandFigures({ perSecond, limit, standsIn }: NonNullable<Busy['commands']>): string {
  const rate = `${countText(perSecond)} commands/s`;
  return standsIn
    ? `${rate}; its CPU could not be measured, then the limit is ${countText(limit)} commands/s`
    : `${rate}, maxOpsPerSecond is ${countText(limit)}`;
}

const FAILING = {
  save: 'rdb_last_bgsave_status',
  'aof-write': 'aof_last_write_status',
  'aof-rewrite': 'aof_last_bgrewrite_status',
} as const;

function persistenceFigures({ failing, unsaved }: Of<'persistence-failing'>): string {
  const fields = failing.map((what) => FAILING[what]).join(', ');
  return `${fields}: err${unsaved === undefined ? '' : `; ${countText(unsaved)} changes since the last save`}`;
}

function behindFigures({ whose, silentFor, behind }: Of<'replica-behind'>): string {
  const silence =
    whose === 'own'
      ? 'this replica has not heard from its primary for'
      : 'a replica of this primary has not acknowledged for';
  return [
    ...(silentFor === undefined ? [] : [`${silence} ${durationText(silentFor)}`]),
    ...(behind === undefined ? [] : [`${bytesText(behind)} of the replication stream are not applied`]),
  ].join(', ');
}

function evictionFigures({ exceededFor, overLimit }: Extract<Blocker, { kind: 'eviction-pressure' }>): string {
  const exceeded = exceededFor > 0 ? [`above maxmemory for ${durationText(exceededFor)}`] : [];
  const over = overLimit > 0 ? [`${bytesText(overLimit)} above it now`] : [];
  return [...exceeded, ...over].join(', ');
}
