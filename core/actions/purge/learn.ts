import { GIB, MIB } from '../../config/units.ts';
import { PURGE_MS_PER_GIB } from '../../diagnosis/predict.ts';
import { type NodeHistory, withAction } from '../../domain/node-history.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Learned } from '../../domain/prediction.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { blend, counted, dated } from '../learning.ts';

/** Below this a purge's time is mostly its fixed cost, and says nothing about the rate. */
const RATE_FLOOR = 16 * MIB;

const RATE_BOUNDS = [20, 4000] as const;

const KEPT_BOUNDS = [0, Number.MAX_SAFE_INTEGER] as const;

/** What a purge has taught about its node. `settled` is the observation after it. */
export function learnFromPurge(memory: NodeHistory, verdict: Verdict, settled: Observation): NodeHistory {
  const { allocatorResident: resident, allocatorActive: active } = settled.memory;
  const { purgeMsPerGiB: knownRate = PURGE_MS_PER_GIB, keptPages: knownKept } = memory.learned;
  const rate = verdict.reclaimed >= RATE_FLOOR ? verdict.stall / (verdict.reclaimed / GIB) : undefined;
  const kept = resident === undefined || active === undefined ? undefined : Math.max(0, resident - active);
  const learned: Learned = {
    ...memory.learned,
    ...(rate !== undefined && { purgeMsPerGiB: blend(knownRate, rate, RATE_BOUNDS) }),
    ...(kept !== undefined && { keptPages: Math.round(blend(knownKept ?? kept, kept, KEPT_BOUNDS)) }),
    ...dated(settled),
  };
  return withAction({ ...memory, learned }, 'purge', counted(memory.byAction.purge, verdict));
}
