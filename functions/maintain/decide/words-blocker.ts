import type { Busy } from './busy.ts';
import type { Blocker, BlockerKind } from './guards.ts';
import { bytesText, countText, durationText, type Moment, percentText, timeText } from './words-units.ts';

const CHILDREN = { bgsave: 'BGSAVE', 'aof-rewrite': 'AOF rewrite', module: 'a module' } as const;

/** What a blocker is, where its figures are not at hand. */
export function blockerKindText(kind: BlockerKind): string {
  switch (kind) {
    case 'unknown-engine':
      return 'this is no engine that Offpeak knows';
    case 'loading':
      return 'the server is loading its data';
    case 'forking':
      return 'a forked child of the server is at work';
    case 'replica-syncing':
      return 'the replica is not in sync with its primary';
    case 'feeding-full-sync':
      return 'the node is feeding a full sync';
    case 'failover':
      return "a failover is under way, or the node's role has changed";
    case 'lazyfree-pending':
      return 'memory is still being freed in the background';
    case 'rehashing':
      return 'a large hash table is being resized, and the server frees the old one itself';
    case 'eviction-pressure':
      return 'the server is short of memory for its data, which no cure solves';
    case 'just-restarted':
      return 'the server has just started';
    case 'busy':
      return 'the server is busy';
    case 'peer-acting':
      return 'another node or job is at work on this instance';
    case 'canary-died':
      return 'another node of this instance restarted during our active defrag';
    case 'cooling-down':
      return 'the cooldown after the last run is not over';
    case 'same-server':
      return 'the config names this server twice, and this node is only watched';
    case 'not-enough-time':
      return 'the job has too little time left';
    case 'too-long':
      return 'active defrag would not come to its end in the time that there is';
  }
  return unworded(kind);
}

/** Why acting is unsafe or unwise now, with its figures. */
export function blockerText(blocker: Blocker, moment: Moment = {}): string {
  const text = blockerKindText(blocker.kind);
  if (blocker.kind === 'cooling-down') return `${text} before ${timeText(blocker.until, moment)}`;
  if (blocker.kind === 'canary-died')
    return `${text} (${blocker.node}): none before ${timeText(blocker.until, moment)}`;
  const figures = figuresOf(blocker);
  return figures === '' ? text : `${text} (${figures})`;
}

function figuresOf(blocker: Exclude<Blocker, { kind: 'cooling-down' | 'canary-died' }>): string {
  switch (blocker.kind) {
    case 'unknown-engine':
      return blocker.version === '' ? 'it reports no version' : `version ${blocker.version}`;
    case 'loading':
    case 'failover':
      return '';
    case 'forking':
      return CHILDREN[blocker.child];
    case 'replica-syncing':
      return blocker.linkUp ? 'a sync is under way' : 'the link is down';
    case 'feeding-full-sync':
      return blocker.replicas === 1 ? 'to 1 replica' : `to ${countText(blocker.replicas)} replicas`;
    case 'lazyfree-pending':
      return `${countText(blocker.objects)} objects`;
    case 'rehashing':
      return `${bytesText(blocker.bytes)}; up to ${bytesText(blocker.limit)} is tolerated`;
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
  const own = ownDefrag === undefined ? '' : `, up to ${percentText(ownDefrag)} of it our active defrag`;
  return `main thread at ${percentText(cpu)}${own}, maxMainThreadCpu is ${percentText(limit)}`;
}

function commandFigures({ perSecond, limit, standsIn }: NonNullable<Busy['commands']>): string {
  const rate = `${countText(perSecond)} commands/s`;
  return standsIn
    ? `${rate}; its CPU could not be measured, then the limit is ${countText(limit)} commands/s`
    : `${rate}, maxOpsPerSecond is ${countText(limit)}`;
}

function evictionFigures({ exceededFor, overLimit }: Extract<Blocker, { kind: 'eviction-pressure' }>): string {
  const exceeded = exceededFor > 0 ? [`above maxmemory for ${durationText(exceededFor)}`] : [];
  const over = overLimit > 0 ? [`${bytesText(overLimit)} above it now`] : [];
  return [...exceeded, ...over].join(', ');
}

/** A kind without words must fail at compile time; at run time its name is better than nothing. */
export function unworded(value: never): string {
  return JSON.stringify(value);
}
