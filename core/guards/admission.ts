import { MINUTE, type Milliseconds, SECOND } from '../config/units.ts';
import { loadCounters } from '../diagnosis/load.ts';
import { purgePatience } from '../diagnosis/predict.ts';
import type { Blocker, StageBlocker } from '../domain/blocker.ts';
import type { NodeMemory } from '../domain/node-history.ts';
import type { Acting, Action, ActReason, Facts, Plan } from '../domain/plan.ts';
import { immovable } from './modules.ts';
import { copiesMissing } from './replication.ts';
import { serverBlockers, startBlockers } from './server-blockers.ts';
import { NIGHT, stageBlockers } from './stage-limits.ts';

/** jemalloc's dirty_decay_ms is 10 s: pages that are still there afterwards are not returned by themselves. */
export const DECAY: Milliseconds = 12 * SECOND;
/** Between the two checks before a defrag: long enough to measure the CPU, the traffic and the machine's noise. */
export const SHORT_WAIT: Milliseconds = 2 * SECOND;
/** What an action needs beside its own time: observing, waiting for rest, reporting. */
const ROUND_TRIPS: Milliseconds = 10 * SECOND;
/** A defrag that the end of the window cuts off at once costs and returns nothing. */
const SHORTEST_DEFRAG: Milliseconds = 1 * MINUTE;
/** Actions that return too little double the cooldown, up to this many times (6 h become 16 days). */
const MAX_DOUBLINGS = 6;

/** A candidate, if no pause forbids it, and the window and the guards allow it. */
export function admit(facts: Facts, acting: Plan, cooldown: Milliseconds): Plan {
  if (acting.kind === 'skip') return acting;
  const { window, pause, observation, earlier, policy } = facts;
  const instead = { action: acting.action.kind as 'purge' | 'start-defrag', predicted: acting.predicted };
  // Before the window: a person who has paused an instance by day wants to see the pause.
  if (pause) {
    const { until, reason, by } = pause;
    return { kind: 'skip', reason: 'paused', instead, pause: { reason, by }, until };
  }
  if (!window.open) {
    const until = window.nextOpening;
    const reason = window.holiday ? 'holiday' : 'outside-window';
    return { kind: 'skip', reason, instead, ...(until !== undefined && { until }) };
  }
  const found = [
    ...serverBlockers(observation, policy, earlier && loadCounters(earlier)),
    ...startBlockers(observation),
    ...copiesMissing(observation, facts.peers ?? [], policy.nodes.length - 1),
    moduleTypes(facts, acting),
    ...ownBlockers(facts, acting, cooldown),
  ];
  const blockers = found.filter((blocker) => blocker !== undefined);
  const [first] = blockers;
  return first ? { kind: 'skip', reason: first.kind, instead, blockers } : acting;
}

/** Reasons that lie in the job, not in the server. */
function ownBlockers(facts: Facts, acting: Acting, cooldown: Milliseconds): readonly Blocker[] {
  const { peer, now, window } = facts;
  const until = coolingUntil(facts.memory, acting, cooldown);
  const { stall } = acting.predicted;
  const itself = acting.action.kind === 'purge' ? purgePatience(stall) : stall;
  const required = ROUND_TRIPS + itself + (facts.earlier ? 0 : secondCheckAfter(acting));
  const open = window.open ? window.closesAt - now : 0;
  const isCutOff = acting.action.kind === 'start-defrag' && open < SHORTEST_DEFRAG;
  const remaining = Math.min(facts.remaining, open);
  const blockers: (Blocker | undefined)[] = [
    peer === undefined ? undefined : { kind: 'peer-acting', peer },
    until !== undefined && until > now ? { kind: 'cooling-down', until } : undefined,
    canaryDied(facts, acting),
    ...blockersOfStage(facts, acting),
    tooLong(facts, acting),
    remaining < required || isCutOff
      ? { kind: 'not-enough-time', remaining, required: isCutOff ? SHORTEST_DEFRAG : required }
      : undefined,
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/** The share of a learned, or of an estimated, duration that has to fit into the time. */
const FITS = { learned: 0.9, estimated: 0.5 };

/** A run that cannot finish is not started: measured, a run that was cut off at half of its scan had returned nothing. */
function tooLong(facts: Facts, { action, predicted }: Acting): Blocker | undefined {
  const { duration, isLearned = false } = predicted;
  if (action.kind !== 'start-defrag' || duration === undefined) return undefined;
  const available = action.expiresAt - facts.now;
  if (duration * (isLearned ? FITS.learned : FITS.estimated) <= available) return undefined;
  const bound = boundOf(facts, action.expiresAt);
  return { kind: 'too-long', required: duration, available, cpu: action.cpu, bound, isLearned };
}

function boundOf({ window, attended, now }: Facts, expiresAt: number): 'window' | 'maxDuration' | 'schedule' {
  if (window.open && expiresAt >= window.closesAt) return 'window';
  return attended !== undefined && expiresAt >= now + attended ? 'schedule' : 'maxDuration';
}

/** Replicas come first: they are the canaries (valkey#1872, redis#12677 died when defrag was switched on, node after node). */
function canaryDied({ fallen, now }: Facts, { action }: Acting): Blocker | undefined {
  if (fallen === undefined || action.kind !== 'start-defrag' || now - fallen.at > NIGHT) return undefined;
  return { kind: 'canary-died', node: fallen.node, until: fallen.at + NIGHT };
}

/** Only for defrag: a purge returns all free pages. */
function moduleTypes({ observation, policy }: Facts, { action }: Acting): Blocker | undefined {
  if (action.kind !== 'start-defrag' || !observation.examined) return undefined;
  const modules = immovable(observation.examined.modules, observation.engine, policy.defrag.allowModules);
  return modules.length > 0 ? { kind: 'module-types', modules } : undefined;
}

function blockersOfStage({ stage, observation, now }: Facts, { action }: Acting): readonly StageBlocker[] {
  if (!stage) return [];
  const { node, address, engine } = observation;
  const own = { node, engine, ...(address !== undefined && { address }) };
  return stageBlockers(stage, own, action.kind === 'start-defrag', now);
}

/** How long to wait before the second check of a candidate. */
export function secondCheckAfter(acting: { readonly action: Action; readonly reason: ActReason }): Milliseconds {
  return acting.reason === 'free-pages' ? DECAY : SHORT_WAIT;
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
