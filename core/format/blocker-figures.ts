import type { Blocker, BlockerKind, Busy } from '../domain/blocker.ts';
import { bytesText, countText, durationText, percentText } from './units.ts';

const CHILDREN = {
  bgsave: 'BGSAVE',
  'aof-rewrite': 'AOF rewrite',
  module: 'a module',
  'slot-migration': 'a slot migration',
} as const;

/** Of so many names the others are counted. */
const MOST_NAMES = 6;

export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${countText(names.length - MOST_NAMES)} more` : shown;
}

type Of<Kind extends BlockerKind> = Extract<Blocker, { kind: Kind }>;

type WithFigures = Exclude<
  Blocker,
  { kind: 'cooling-down' | 'canary-died' | 'version-fell' | 'version-unseen' | 'aws-maintenance' | 'aws-snapshot' }
>;

const BOUNDS = {
  window: { has: 'the window has', longer: 'a longer window' },
  maxDuration: { has: 'defrag.maxDuration leaves', longer: 'a longer defrag.maxDuration' },
  schedule: { has: 'between two runs of the job there are', longer: 'a schedule.every of 15 min or less' },
} as const;

/** `needs 50 min at 25 % of a CPU, and the window has 30 min; a longer window, or defrag.maxCpu of 42 %, would do` */
function tooLongFigures(blocker: Extract<Blocker, { kind: 'too-long' }>): string {
  const { required, available, cpu, bound, isLearned } = blocker;
  const about = isLearned ? '' : 'about ';
  const share = Math.ceil((cpu * required) / Math.max(1, available));
  const { has, longer } = BOUNDS[bound];
  const remedy =
    share <= HIGHEST_CPU ? `${longer}, or defrag.maxCpu of ${share} %, would do` : `only ${longer} would do`;
  return `needs ${about}${durationText(required)} at ${cpu} % of a CPU, and ${has} ${durationText(available)}; ${remedy}`;
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

const FIGURES: { readonly [K in WithFigures['kind']]: (blocker: Of<K>) => string } = {
  'unknown-engine': ({ engine, version }) =>
    [
      ...(engine === 'unknown' ? [] : [`it calls itself ${engine}`]),
      version === '' ? 'it reports no version' : `version ${version}`,
    ].join(', '),
  loading: () => '',
  failover: () => '',
  'cluster-down': () => '',
  'cluster-refused': () => '',
  'persistence-failing': persistenceFigures,
  'swapped-out': ({ rss, used }) => `RSS is ${bytesText(rss)}, used_memory ${bytesText(used)}`,
  'replica-behind': behindFigures,
  'peers-silent': ({ configured, peers }) =>
    `${namesText(peers)}; ${countText(peers.length)} of ${countText(configured)} peers`,
  'watch-only': () => '',
  undiscovered: () => '',
  'group-changing': ({ group, status }) => `${group} is ${status}`,
  'replicas-missing': ({ configured, connected }) => `${countText(connected)} of ${countText(configured)}`,
  'slots-migrating': ({ bytes, slots }) =>
    slots === undefined ? `${bytesText(bytes ?? 0)} in its buffers` : `slots and tasks: ${countText(slots)}`,
  'clients-paused': ({ left, reason }) => `${reason}, for another ${durationText(left)}`,
  'module-types': ({ modules }) => `${namesText(modules)}; to allow it, add them to defrag.allowModules`,
  'stage-limit': ({ limit, nodes }) =>
    `${countText(nodes.length)} of ${countText(limit)}: ${namesText(nodes)}; see maxDefragsAtOnce`,
  'group-limit': ({ group, limit, nodes, isCanary }) =>
    isCanary
      ? `the first of ${group} tonight is ${namesText(nodes)}: it shows whether this version survives active defrag`
      : `${countText(nodes.length)} of ${countText(limit)} in ${group}: ${namesText(nodes)}; see maxShardsAtOnce`,
  'host-acting': ({ isDefrag, node }) => `${isDefrag ? 'active defrag' : 'a purge'} on ${node}`,
  forking: ({ child }) => CHILDREN[child],
  'replica-syncing': ({ linkUp }) => (linkUp ? 'a sync is under way' : 'the link is down'),
  'feeding-full-sync': ({ replicas }) => (replicas === 1 ? 'to 1 replica' : `to ${countText(replicas)} replicas`),
  'lazyfree-pending': ({ objects }) => `${countText(objects)} objects`,
  rehashing: ({ bytes, limit }) => `${bytesText(bytes)}; the limit is ${bytesText(limit)}`,
  'eviction-pressure': evictionFigures,
  'just-restarted': ({ required, uptime }) => `up for ${durationText(uptime)}, ${durationText(required)} required`,
  busy: busyFigures,
  'peer-acting': ({ peer }) => peer,
  'same-server': (one) => `it is ${one.as}`,
  'not-enough-time': ({ remaining, required }) => `${durationText(remaining)}; ${durationText(required)} needed`,
  'too-long': tooLongFigures,
};

/** What the guard has measured, and what would be enough. */
export function figuresOf(blocker: WithFigures): string {
  const figures: (blocker: never) => string = FIGURES[blocker.kind];
  return figures(blocker as never);
}
