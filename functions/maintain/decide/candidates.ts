import { HOUR, type Milliseconds } from '../../shared/config/units.ts';
import type { Denial } from '../../shared/redis/engine.ts';
import type { Observation } from './observation.ts';
import { HARD_BOUND } from './pace.ts';
import type { Plan, Situation } from './plan.ts';
import {
  closableHoles,
  defraggableHoles,
  type Heap,
  type Prediction,
  predictDuration,
  predictFirstCycle,
} from './predict.ts';
import { defragSettings, valueBytesOf } from './stall.ts';

// What would be worth doing, were it allowed.

/** Active defrag, or why it would be of no use here. */
export function defragCandidate(situation: Situation): Plan {
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
  const { settings, stall, cpu } = defragSettings(
    policy.defrag,
    current,
    observation.engine,
    valueBytesOf(observation),
  );
  const predicted: Prediction = { reclaim, stall, ...predictedRun(situation, cpu) };
  const longest = Math.max(
    stall / policy.defrag.maxStall,
    (predicted.firstCycle ?? 0) / (HARD_BOUND * policy.defrag.maxStall),
  );
  if (longest > 1) return { kind: 'skip', reason: 'would-stall', instead: { action: 'start-defrag', predicted } };
  return {
    kind: 'act',
    action: { kind: 'start-defrag', settings, cpu, expiresAt: leaseEnd(situation) },
    reason: 'fragmented',
    predicted,
  };
}

function predictedRun({ observation, memory: { learned } }: Situation, cpu: number): Partial<Prediction> {
  const heap = heapOf(observation);
  const duration = predictDuration(heap, cpu, learned);
  return {
    firstCycle: predictFirstCycle(heap, learned),
    ...(duration !== undefined && { duration, isLearned: learned.defragWork !== undefined }),
  };
}

export function heapOf({ keys, memory }: Pick<Observation, 'keys' | 'memory'>): Heap {
  const { allocatorAllocated: allocated = 0, allocatorActive: active = 0, memAllocator } = memory;
  return {
    allocated,
    active,
    ...(keys !== undefined && { keys }),
    ...(memAllocator !== undefined && { memAllocator }),
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

/** No run goes on for longer, whatever the window is (redis#5603: runs without an end). */
const LONGEST_RUN: Milliseconds = 12 * HOUR;

export function leaseEnd({ now, policy, window }: Pick<Situation, 'now' | 'policy' | 'window'>): number {
  const longest = policy.defrag.maxDuration ?? LONGEST_RUN;
  return Math.min(now + longest, window.open ? window.closesAt : Number.POSITIVE_INFINITY);
}

/** A purge, or why it would be of no use here. */
export function purgeCandidate(situation: Situation): Plan {
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

export function isPurgeRefused({ memory: { purgeRefusedAt }, now }: Situation): boolean {
  return purgeRefusedAt !== undefined && now - purgeRefusedAt < REFUSAL_MEMORY;
}

function isRefused({ refused }: Observation, command: string): boolean {
  return refused.includes(command);
}
