import { countedForMaxmemory, isShortOfMemory } from '../diagnosis/limit.ts';
import type { Answer, Change } from '../domain/audit.ts';
import type { Observation } from '../domain/observation.ts';
import { bytesText, percentText } from '../format/units.ts';
import { finding, fine, type NodeFacts, notAsked, setting, unknown } from './facts.ts';

/** From here on, a server that refuses writes at maxmemory soon does. */
const NEARLY_FULL = 0.9;

/** CONFIG SET, where the server takes it: a managed service has a parameter group. */
function policySetting({ refused }: Observation, policy: string): readonly Change[] {
  return refused.includes('config|get') ? [] : [setting('maxmemory-policy', policy)];
}

/** Whether a full server can evict, or has room. */
export function eviction({ observation, inquiry }: NodeFacts): Answer {
  const { memory, keys = 0 } = observation;
  const { maxmemory: most = 0 } = memory;
  const policy = inquiry.settings?.['maxmemory-policy'] ?? memory.maxmemoryPolicy;
  if (isShortOfMemory(observation))
    return finding(
      'critical',
      'the server is over maxmemory, and cannot evict enough',
      'raise maxmemory, or delete data',
    );
  if (most === 0) return notAsked('maxmemory is not set');
  if (policy === undefined) return unknown('the server does not report maxmemory-policy');
  const share = countedForMaxmemory(memory) / most;
  const used = `the memory that counts is ${percentText(share * 100)} of maxmemory (${bytesText(most)})`;
  if (observation.replication.role === 'replica')
    return fine(`${used}; maxmemory-policy is ${policy}, and a replica leaves eviction to its primary`);
  if (policy === 'noeviction')
    return share >= NEARLY_FULL
      ? finding(
          'critical',
          `${used}, and maxmemory-policy is noeviction: writes are refused soon`,
          'raise maxmemory or delete data; a cache evicts',
          ...policySetting(observation, 'allkeys-lru'),
        )
      : fine(`${used}; at maxmemory, writes are refused (noeviction)`);
  if (policy.startsWith('volatile') && keys > 0 && inquiry.expires === 0)
    return finding(
      'warning',
      `maxmemory-policy is ${policy}, and none of ${keys} keys has a TTL: nothing can be evicted, and at maxmemory writes are refused`,
      'evict any key, or set TTLs',
      ...policySetting(observation, policy.replace('volatile', 'allkeys').replace('allkeys-ttl', 'allkeys-lru')),
    );
  return fine(`${used}; maxmemory-policy is ${policy}`);
}
