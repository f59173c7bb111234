import type { InstanceConfig } from '../config/schema.ts';
import { type Bytes, HOUR, type Milliseconds } from '../config/units.ts';
import type { Obstacle, Prospect } from '../domain/diagnosis.ts';
import type { Denial } from '../domain/engine.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Prediction } from '../domain/prediction.ts';
import { isActiveDefragOn } from './active-defrag.ts';
import { cycleOf, isStallTooLong, valueBytesOf } from './cycle.ts';
import { heapOf, predictFirstCycle } from './first-cycle.ts';
import { closableFragmentation, defraggableFragmentation, type Fragmentation } from './predict.ts';

/** What decides whether an action is possible on a node, apart from the time of day. */
export interface Known {
  readonly observation: Observation;
  readonly policy: Pick<InstanceConfig, 'purge' | 'defrag'>;
  readonly memory: Pick<NodeHistory, 'runId' | 'defragSupport' | 'purgeSupport' | 'byAction' | 'crashed'> &
    Partial<Pick<NodeHistory, 'learned'>>;
  readonly now: number;
}

const WORTHWHILE: Prospect = { kind: 'worthwhile' };

/** Active defrag. Nothing here concerns a purge, which can return free pages all the same. */
export function defragProspect(known: Known, layers: Fragmentation | undefined): Prospect {
  const { observation, policy } = known;
  if (isActiveDefragOn(observation)) return { kind: 'already-on' };
  const worth = worthOf(policy.defrag);
  if (!layers || closableFragmentation(layers) < worth) return { kind: 'little', floor: worth };
  const obstacle = engineObstacle(observation) ?? defragObstacle(known);
  if (obstacle) return obstacle;
  // Earlier results do not decide whether it is tried again: the growing cooldown does.
  if (defraggableFragmentation(layers) >= worth)
    return stallObstacle(known) ?? (isProven(known) ? WORTHWHILE : { kind: 'worthwhile', unproven: true });
  return { kind: 'not-defraggable', seen: layers.seenByDefrag ?? 0, of: layers.externalFragmentation };
}

/** MEMORY PURGE. `share`: this part of `purge.minReclaim` is enough. */
export function purgeProspect(known: Known, predicted: Prediction, share = 1): Prospect {
  const { observation, policy } = known;
  const worth = worthOf(policy.purge, share);
  if (predicted.reclaim < worth) return { kind: 'little', floor: worth };
  const unknown = engineObstacle(observation);
  if (unknown) return unknown;
  if (!policy.purge.enabled) return { kind: 'disabled', setting: 'purge.enabled' };
  if (isPurgeRefused(known)) return { kind: 'purge-refused' };
  if (predicted.stall > policy.purge.maxBlock) return { kind: 'would-block', stall: predicted.stall };
  return WORTHWHILE;
}

/** The obstacle in a prospect, if it is one. */
export function obstacleIn(prospect: Prospect): Obstacle | undefined {
  return prospect.kind === 'worthwhile' || prospect.kind === 'little' ? undefined : prospect;
}

/** What an action has to return to be worth it. Also with a `minReclaim` of 0: what returns nothing is not worth a try. */
export function worthOf({ minReclaim }: { readonly minReclaim: Bytes }, share = 1): Bytes {
  return Math.max(1, share * minReclaim);
}

function engineObstacle({ engine: { name, version, calledItself } }: Observation): Obstacle | undefined {
  if (name !== 'unknown') return undefined;
  return { kind: 'unknown-engine', version, ...(calledItself !== undefined && { calledItself }) };
}

function defragObstacle(known: Known): Obstacle | undefined {
  const { observation, policy, memory } = known;
  if (!policy.defrag.enabled) return { kind: 'disabled', setting: 'defrag.enabled' };
  const denied = observation.engine.denied ?? crashDenial(known);
  if (denied) return { kind: 'denied-version', denial: denied };
  if (policy.defrag.through === 'parameter-group') return { kind: 'by-group' };
  const { settings } = observation.defrag;
  if (!settings || isRefused(observation, 'config|set')) return { kind: 'config-refused' };
  const { odd = [] } = observation.defrag;
  if (odd.length > 0) return { kind: 'odd-settings', names: odd };
  if (memory.defragSupport === 'unsupported' && isOfRun(known)) return { kind: 'unsupported' };
  if (settings.activedefrag !== undefined) return undefined;
  return { kind: isRefused(observation, 'config|get') ? 'config-refused' : 'unsupported' };
}

function stallObstacle({ observation, policy, memory }: Known): Obstacle | undefined {
  const { engine, defrag } = observation;
  const { stall } = cycleOf(policy.defrag, defrag.settings ?? {}, engine, valueBytesOf(observation));
  const firstCycle = predictFirstCycle(heapOf(observation), memory.learned ?? {});
  return isStallTooLong({ stall, firstCycle }, policy) ? { kind: 'would-stall', stall, firstCycle } : undefined;
}

function isProven(known: Known): boolean {
  return known.memory.defragSupport === 'supported' && isOfRun(known);
}

/** Another run may be of another build. */
function isOfRun({ memory, observation }: Known): boolean {
  return memory.runId === observation.runId;
}

/** A server that went down under Offpeak's defrag may have crashed because of it. */
const CRASH_MEMORY: Milliseconds = 7 * 24 * HOUR;

function crashDenial({ memory, observation, now }: Known): Denial | undefined {
  const { crashed } = memory;
  if (crashed?.version !== observation.engine.version || now - crashed.at > CRASH_MEMORY) return undefined;
  return {
    issue: 'seen on this node',
    why: "the server restarted during Offpeak's active defrag",
    fixedIn: 'another version, or a week without defrag',
  };
}

/** If an ACL lacks +memory|purge, Offpeak tries again in the next night, not after each cooldown: each try sends a message. */
const REFUSAL_MEMORY: Milliseconds = 20 * HOUR;

function isPurgeRefused(known: Known): boolean {
  const { memory, now } = known;
  if (memory.purgeSupport === 'absent' && isOfRun(known)) return true;
  const refusedAt = memory.byAction.purge?.refusedAt;
  return refusedAt !== undefined && now - refusedAt < REFUSAL_MEMORY;
}

function isRefused({ refused }: Observation, command: string): boolean {
  return refused.includes(command);
}
