import type { InstanceConfig } from '../../shared/config/schema.ts';
import { HOUR, MIB, MINUTE, type Milliseconds, SECOND } from '../../shared/config/units.ts';
import type { Denial } from '../../shared/redis/engine.ts';
import type { Diagnosis } from './diagnose.ts';
import { type Blocker, type BlockerKind, commandCount, serverBlockers, startBlockers } from './guards.ts';
import type { NodeMemory } from './lease.ts';
import { isActiveDefragOn, type Observation, type Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import { closableHoles, defraggableHoles, type Prediction, purgePatience } from './predict.ts';
import { defragSettings } from './stall.ts';
import type { WindowState } from './window.ts';

/** What to do with one node now. Plain data: `offpeak plan` prints exactly this. */
export type Plan =
  | {
      readonly kind: 'act';
      readonly action: Action;
      readonly reason: ActReason;
      readonly predicted: Prediction;
    }
  | {
      readonly kind: 'skip';
      readonly reason: SkipReason;
      /** What would have been done, where only the circumstances forbid it. */
      readonly instead?: { readonly action: 'purge' | 'start-defrag'; readonly predicted: Prediction };
      readonly blockers?: readonly Blocker[];
      readonly denial?: Denial;
      /** Who wants it quiet, and why. */
      readonly pause?: Pick<Pause, 'reason' | 'by'>;
      /** Epoch ms at which the reason ends by itself. */
      readonly until?: number;
    };

export type Action =
  | { readonly kind: 'purge' }
  | { readonly kind: 'start-defrag'; readonly settings: Settings; readonly expiresAt: number }
  | StopDefrag;

export interface StopDefrag {
  readonly kind: 'stop-defrag';
  readonly because: StopReason;
  readonly blockers?: readonly Blocker[];
  /** Absent where only the purge and the verdict of a stop were still owed. */
  readonly pause?: Pick<Pause, 'until' | 'reason' | 'by'>;
}

export type ActReason = 'pages-retained' | 'after-defrag' | 'fragmented' | StopReason;

export type StopReason =
  | 'goal-met'
  | 'no-progress'
  | 'window-closed'
  | 'duration-spent'
  | 'stall-spent'
  /** Somebody switched it off before us. */
  | 'switched-off'
  /** Its volatile settings went with it: nothing is left to restore. */
  | 'server-restarted'
  /** The job died between taking the lease and changing anything. */
  | 'never-started'
  | 'paused'
  | 'disabled'
  | 'interrupted'
  /** Every lease was asked for (`offpeak release`). */
  | 'released'
  | BlockerKind;

export type SkipReason =
  /** Nothing that a cure would bring back is worth it. */
  | 'healthy'
  | 'disabled'
  /** Our defrag runs, and nothing speaks against it. */
  | 'defragmenting'
  /** Defrag is on without a lease of ours. */
  | 'foreign-defrag'
  /** The build refuses active defrag. */
  | 'unsupported'
  /** The holes are there, but the server's own defragger does not see enough of them. */
  | 'not-defraggable'
  /** The version is known to crash when defrag is toggled. */
  | 'denied-version'
  /** CONFIG is refused to us: a managed service, or an ACL. */
  | 'config-refused'
  | 'purge-refused'
  | 'no-layers'
  /** The purge would block for longer than `maxBlock`. */
  | 'would-block'
  /** Somebody wants it quiet. */
  | 'paused'
  | 'outside-window'
  /** A window would be open, were this not a holiday of the config. */
  | 'holiday'
  /** The first of the blockers. */
  | BlockerKind
  /** The second look no longer asked for what the first one did. */
  | 'changed'
  | 'interrupted'
  | 'state-unavailable';

export interface Situation {
  readonly now: number;
  readonly observation: Observation;
  /** The first look of the same tick and connection; absent while this is the first. */
  readonly earlier?: Observation;
  readonly diagnosis: Diagnosis;
  readonly policy: InstanceConfig;
  readonly window: WindowState;
  /** Only one that is on at `now`. */
  readonly pause?: Pause;
  readonly memory: NodeMemory;
  /** Another node of the same instance that is being acted on. */
  readonly peer?: string;
  /** Another node of the same instance whose server restarted under our defrag, and when (epoch ms). */
  readonly fallen?: { readonly node: string; readonly at: number };
  /** Time left to the invocation. */
  readonly remaining: Milliseconds;
}

/** jemalloc's dirty_decay_ms is 10 s: what is still there after it does not go by itself. */
export const DECAY: Milliseconds = 12 * SECOND;
/** Between the two looks before a defrag: long enough to measure the traffic. */
export const SHORT_LOOK: Milliseconds = 1 * SECOND;
/** What an action needs besides its own time: looks, settling, reporting. */
const ROUND_TRIPS: Milliseconds = 10 * SECOND;
/** A defrag that the window's end cuts off before it has begun is all cost. */
const SHORTEST_DEFRAG: Milliseconds = 1 * MINUTE;
/** Worth a purge right after a defrag: no second look, no cooldown, it is part of the cure. */
const AFTER_DEFRAG_MIN = 8 * MIB;
/** Ineffective cures double the cooldown, up to this many times (6 h become 16 days). */
const MAX_DOUBLINGS = 6;

/** What to do with a node on which no lease of ours stands. */
export function plan(situation: Situation): Plan {
  const { observation, diagnosis } = situation;
  if (isActiveDefragOn(observation)) return { kind: 'skip', reason: 'foreign-defrag' };
  if (!diagnosis.layers) return { kind: 'skip', reason: 'no-layers' };
  const defrag = allowed(situation, defragCandidate(situation), situation.policy.defrag.cooldown);
  if (defrag.kind === 'act') return defrag;
  const purge = allowed(situation, purgeCandidate(situation), situation.policy.purge.cooldown);
  if (purge.kind === 'act') return purge;
  // Neither acts. What would be done at another time says the most; then what is there to cure and cannot be.
  return defrag.reason === 'healthy' || (purge.instead && !defrag.instead) ? purge : defrag;
}

/**
 * The purge that belongs to a finished defrag: at once, while the pages that it freed are still there, and once for each lease
 * (`since`, epoch ms): a job that died right after it has left no other trace.
 */
export function planAfterDefrag(situation: Situation, since: number): Plan {
  const { diagnosis, policy, memory } = situation;
  if ((memory.lastPurgeAt ?? 0) >= since) {
    const until = (memory.lastPurgeAt ?? 0) + policy.purge.cooldown;
    return { kind: 'skip', reason: 'cooling-down', blockers: [{ kind: 'cooling-down', until }], until };
  }
  const predicted = diagnosis.cures.purge;
  if (!policy.purge.enabled) return { kind: 'skip', reason: 'disabled' };
  if (isPurgeRefused(situation)) return { kind: 'skip', reason: 'purge-refused' };
  if (predicted.reclaim < AFTER_DEFRAG_MIN) return { kind: 'skip', reason: 'healthy' };
  if (predicted.stall > policy.purge.maxBlock) {
    return { kind: 'skip', reason: 'would-block', instead: { action: 'purge', predicted } };
  }
  const act: Acting = { kind: 'act', action: { kind: 'purge' }, reason: 'after-defrag', predicted };
  return allowed(situation, act, 0);
}

/** A plan to be carried out. */
export type Acting = Extract<Plan, { kind: 'act' }>;

/** What was started ends, whatever else may speak for carrying on. */
export function stopping({ predicted }: { readonly predicted: Prediction }, because: StopReason): Acting {
  return { kind: 'act', action: { kind: 'stop-defrag', because }, reason: because, predicted };
}

function defragCandidate(situation: Situation): Plan {
  const { observation, diagnosis, policy, memory } = situation;
  const reclaim = diagnosis.cures.defrag;
  const worth = Math.max(1, policy.defrag.minReclaim);
  if (!diagnosis.layers || closableHoles(diagnosis.layers) < worth) return { kind: 'skip', reason: 'healthy' };
  if (!policy.defrag.enabled) return { kind: 'skip', reason: 'disabled' };
  const denied = observation.engine.denied ?? crashDenial(situation);
  if (denied) return { kind: 'skip', reason: 'denied-version', denial: denied };
  const current = observation.defrag.settings;
  if (!current || isRefused(observation, 'config|set')) return { kind: 'skip', reason: 'config-refused' };
  if (memory.defragSupport === 'unsupported' && memory.runId === observation.runId) {
    return { kind: 'skip', reason: 'unsupported' };
  }
  if (current.activedefrag === undefined) {
    return { kind: 'skip', reason: isRefused(observation, 'config|get') ? 'config-refused' : 'unsupported' };
  }
  // What it once returned does not decide whether it is tried again: that is the growing cooldown's business.
  if (defraggableHoles(diagnosis.layers) < worth) return { kind: 'skip', reason: 'not-defraggable' };
  const { settings, stall } = defragSettings(policy.defrag, current, observation.engine);
  return {
    kind: 'act',
    action: { kind: 'start-defrag', settings, expiresAt: leaseEnd(situation) },
    reason: 'fragmented',
    predicted: { reclaim, stall },
  };
}

/** A server that went down under our defrag may have gone down of it. */
const CRASH_MEMORY: Milliseconds = 7 * 24 * HOUR;

function crashDenial({ memory, observation, now }: Situation): Denial | undefined {
  const { crashed } = memory;
  if (crashed?.version !== observation.engine.version || now - crashed.at > CRASH_MEMORY) return undefined;
  return {
    issue: 'seen on this node',
    why: 'the server restarted while our active defrag was on',
    fixedIn: 'another version, or a week without defrag',
  };
}

function leaseEnd({ now, policy, window }: Situation): number {
  return Math.min(now + policy.defrag.maxDuration, window.open ? window.closesAt : Number.POSITIVE_INFINITY);
}

function purgeCandidate(situation: Situation): Plan {
  const { policy } = situation;
  const predicted = lastingPages(situation);
  if (predicted.reclaim < Math.max(1, policy.purge.minReclaim)) return { kind: 'skip', reason: 'healthy' };
  if (!policy.purge.enabled) return { kind: 'skip', reason: 'disabled' };
  if (isPurgeRefused(situation)) return { kind: 'skip', reason: 'purge-refused' };
  if (predicted.stall > policy.purge.maxBlock) {
    return { kind: 'skip', reason: 'would-block', instead: { action: 'purge', predicted } };
  }
  return { kind: 'act', action: { kind: 'purge' }, reason: 'pages-retained', predicted };
}

/** What both looks found: pages that came after the first one have not had their chance to go by themselves. */
function lastingPages({ diagnosis, observation, earlier }: Situation): Prediction {
  const predicted = diagnosis.cures.purge;
  const before = earlier && retainedIn(earlier);
  const now = retainedIn(observation);
  if (before === undefined || now === undefined || before >= now) return predicted;
  const reclaim = Math.max(0, predicted.reclaim - (now - before));
  // The younger pages are purged with the others: they count for the time, not for the gain.
  return { reclaim, stall: predicted.stall };
}

function retainedIn({ memory }: Observation): number | undefined {
  const { allocatorResident, allocatorActive } = memory;
  return allocatorResident === undefined || allocatorActive === undefined
    ? undefined
    : allocatorResident - allocatorActive;
}

/** An ACL that lacks +memory|purge is asked again the next night, not every cooldown: each try is told. */
const REFUSAL_MEMORY: Milliseconds = 20 * HOUR;

function isPurgeRefused({ memory: { purgeRefusedAt }, now }: Situation): boolean {
  return purgeRefusedAt !== undefined && now - purgeRefusedAt < REFUSAL_MEMORY;
}

function isRefused({ refused }: Observation, command: string): boolean {
  return refused.includes(command);
}

/** A candidate, if no pause forbids it, and the window and the guards allow it. */
function allowed(situation: Situation, acting: Plan, cooldown: Milliseconds): Plan {
  if (acting.kind === 'skip') return acting;
  const { window, pause, observation, earlier, policy } = situation;
  const instead = { action: acting.action.kind as 'purge' | 'start-defrag', predicted: acting.predicted };
  // Before the window: whoever has paused an instance by day wants to see that it is.
  if (pause) {
    const { until, reason, by } = pause;
    return { kind: 'skip', reason: 'paused', instead, pause: { reason, by }, until };
  }
  if (!window.open) {
    const until = window.nextOpening;
    const reason = window.holiday ? 'holiday' : 'outside-window';
    return { kind: 'skip', reason, instead, ...(until !== undefined && { until }) };
  }
  const blockers = [
    ...serverBlockers(observation, policy, earlier && commandCount(earlier)),
    ...startBlockers(observation),
    ...ownBlockers(situation, acting, cooldown),
  ];
  const [first] = blockers;
  return first ? { kind: 'skip', reason: first.kind, instead, blockers } : acting;
}

/** What lies with the job, not with the server. */
function ownBlockers(situation: Situation, acting: Acting, cooldown: Milliseconds): readonly Blocker[] {
  const { peer, now, window } = situation;
  const until = coolingUntil(situation.memory, acting, cooldown);
  const { stall } = acting.predicted;
  const itself = acting.action.kind === 'purge' ? purgePatience(stall) : stall;
  const required = ROUND_TRIPS + itself + (situation.earlier ? 0 : firstLook(acting));
  const open = window.open ? window.closesAt - now : 0;
  const isCutOff = acting.action.kind === 'start-defrag' && open < SHORTEST_DEFRAG;
  const remaining = Math.min(situation.remaining, open);
  const blockers: (Blocker | undefined)[] = [
    peer === undefined ? undefined : { kind: 'peer-acting', peer },
    until !== undefined && until > now ? { kind: 'cooling-down', until } : undefined,
    canaryDied(situation, acting),
    remaining < required || isCutOff
      ? { kind: 'not-enough-time', remaining, required: isCutOff ? SHORTEST_DEFRAG : required }
      : undefined,
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/** A window and the rest of its night, and over before the next day's. */
const NIGHT: Milliseconds = 20 * HOUR;

/** Replicas come first: they are the canaries (valkey#1872, redis#12677 died when defrag was switched on, node after node). */
function canaryDied({ fallen, now }: Situation, { action }: Acting): Blocker | undefined {
  if (fallen === undefined || action.kind !== 'start-defrag' || now - fallen.at > NIGHT) return undefined;
  return { kind: 'canary-died', node: fallen.node, until: fallen.at + NIGHT };
}

/** How long to wait before the second look at a candidate. */
export function firstLook(acting: { readonly action: Action; readonly reason: ActReason }): Milliseconds {
  return acting.reason === 'pages-retained' ? DECAY : SHORT_LOOK;
}

function coolingUntil(memory: NodeMemory, acting: Acting, cooldown: Milliseconds): number | undefined {
  if (acting.reason === 'after-defrag') return undefined;
  const isPurge = acting.action.kind === 'purge';
  const last = isPurge ? memory.lastPurgeAt : memory.lastDefragAt;
  const ineffective = isPurge ? memory.ineffective.purge : memory.ineffective.defrag;
  const cooled = last === undefined ? 0 : last + cooldown * 2 ** Math.min(ineffective, MAX_DOUBLINGS);
  const rested = isPurge ? 0 : (memory.restUntil ?? 0);
  return Math.max(cooled, rested) || undefined;
}

/** The second look decides, and only for what the first one asked for as well. */
export function revalidate(first: Plan, second: Plan): Plan {
  if (first.kind === 'skip' || second.kind === 'skip') return second;
  return first.action.kind === second.action.kind ? second : { kind: 'skip', reason: 'changed' };
}
