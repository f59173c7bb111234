import { isNearLimit, limitOf } from '../config/near-limit.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { LoadCounters } from '../diagnosis/load.ts';
import type { Blocker } from '../domain/blocker.ts';
import type { NearLimit } from '../domain/keys.ts';
import type { Observation } from '../domain/observation.ts';
import { serverBlockers } from './server-blockers.ts';

/** Reading changes nothing about these. */
const HARMLESS: readonly Blocker['kind'][] = ['unknown-engine', 'persistence-failing'];

/**
 * Why no keys are to be sampled now: what also keeps a node from being acted on, as long as reading can make it worse, and a node near its
 * limit, whose memory is for its clients.
 *
 * @param earlier an observation of the same connection, half a second old or more: without one the load is not judged
 */
export function samplingBlocker(
  observation: Observation,
  policy: InstanceConfig,
  earlier?: LoadCounters,
): Blocker | NearLimit | undefined {
  const blocker = serverBlockers(observation, policy, earlier).find(({ kind }) => !HARMLESS.includes(kind));
  if (blocker) return blocker;
  const { usedMemoryRss: rss, totalSystemMemory: machine } = observation.memory;
  const limit = limitOf(policy, machine);
  return limit && rss !== undefined && isNearLimit(rss, policy, machine)
    ? { kind: 'near-limit', rss, limit: limit.bytes }
    : undefined;
}
