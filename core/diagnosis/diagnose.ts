import { isNearLimit } from '../config/near-limit.ts';
import type { Bytes } from '../config/units.ts';
import type { Diagnosis, DiagnosisPolicy, Finding, Layers } from '../domain/diagnosis.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';
import { type ActionOutlook, defragReclaim, fragmented, freePages } from './outlook.ts';
import { predictPurge } from './predict.ts';
import { defragProspect, type Known, purgeProspect } from './prospect.ts';

/** RSS ÷ resident: MEMORY DOCTOR's threshold for a high overhead outside the allocator. */
const OVERHEAD_WORTH_SAYING = 1.1;

/** `remembered`: what earlier ticks have learned from the server's answers. */
export function diagnose(
  observation: Observation,
  policy: DiagnosisPolicy,
  learned: Learned = {},
  remembered: Known['memory'] = { byAction: {} },
): Diagnosis {
  const { memory } = observation;
  const layers = layersOf(memory);
  const ratio = ratioOf(memory);
  // jemalloc's own metadata depends on the most that the process has ever held.
  const peak = memory.usedMemoryPeak ?? 0;
  const purge = layers ? predictPurge(layers.freePages, memory.allocatorResident ?? 0, learned, peak) : NO_PURGE;
  const known = { observation, policy, memory: remembered, now: observation.at };
  const prospects = { defrag: defragProspect(known, layers), purge: purgeProspect(known, purge) };
  return {
    ...(ratio !== undefined && { ratio }),
    ...(layers && { layers }),
    reclaimable: { defrag: layers ? defragReclaim({ ...layers, peak }, policy, learned, prospects.purge) : 0, purge },
    prospects,
    findings: findingsOf(memory, layers, policy, { purge, prospects }),
  };
}

const NO_PURGE: Prediction = { reclaim: 0, stall: 0 };

/**
 * Only jemalloc reports layers: other builds fill the same fields with copies of RSS and used_memory (zmalloc.c), which on
 * Redis ≤ 7.2 make allocator_frag look like the whole ratio.
 */
function layersOf(memory: MemorySample): Layers | undefined {
  const { allocatorAllocated: allocated, allocatorActive: active, allocatorResident: resident, usedMemoryRss } = memory;
  if (!memory.memAllocator?.startsWith('jemalloc')) return undefined;
  if (allocated === undefined || active === undefined || resident === undefined) return undefined;
  // Without it, no action could be verified.
  if (usedMemoryRss === undefined) return undefined;
  return {
    allocated,
    externalFragmentation: Math.max(0, active - allocated),
    ...(memory.allocatorFragBytes !== undefined && { seenByDefrag: memory.allocatorFragBytes }),
    freePages: Math.max(0, resident - active),
    overhead: usedMemoryRss - resident,
  };
}

/** Computed here at full precision; INFO prints two digits. */
function ratioOf(memory: MemorySample): number | undefined {
  const { usedMemory, usedMemoryRss } = memory;
  return usedMemory !== undefined && usedMemory > 0 && usedMemoryRss !== undefined
    ? usedMemoryRss / usedMemory
    : undefined;
}

function findingsOf(
  memory: MemorySample,
  layers: Layers | undefined,
  policy: DiagnosisPolicy,
  outlook: ActionOutlook,
): readonly Finding[] {
  const findings = [
    nearLimit(memory, policy),
    rssBelowUsed(memory),
    layers ? undefined : noLayers(memory),
    ...(isTooSmall(memory, policy)
      ? [tooSmall(memory, policy)]
      : [fragmented(layers, policy, outlook), freePages(layers, policy, outlook), overhead(memory, layers, policy)]),
  ];
  return findings.filter((finding) => finding !== undefined);
}

/** An idle empty server shows a ratio of 13 (redis#8463): below the smallest floor there is nothing to gain, at any ratio. */
function isTooSmall(memory: MemorySample, policy: DiagnosisPolicy): boolean {
  return (memory.usedMemoryRss ?? 0) < smallestFloor(policy);
}

function smallestFloor(policy: DiagnosisPolicy): Bytes {
  return Math.min(policy.purge.minReclaim, policy.defrag.minReclaim);
}

function tooSmall(memory: MemorySample, policy: DiagnosisPolicy): Finding | undefined {
  const { usedMemoryRss } = memory;
  return usedMemoryRss === undefined ? undefined : { kind: 'too-small', usedMemoryRss, floor: smallestFloor(policy) };
}

function nearLimit(memory: MemorySample, policy: DiagnosisPolicy): Finding | undefined {
  const { usedMemoryRss } = memory;
  const limit = policy.memoryLimit;
  if (limit === undefined || usedMemoryRss === undefined || !isNearLimit(usedMemoryRss, policy)) return undefined;
  return { kind: 'near-limit', usedMemoryRss, limit, percent: (usedMemoryRss / limit) * 100 };
}

function rssBelowUsed(memory: MemorySample): Finding | undefined {
  const { usedMemory, usedMemoryRss } = memory;
  return usedMemory !== undefined && usedMemoryRss !== undefined && usedMemoryRss < usedMemory
    ? { kind: 'rss-below-used', usedMemory, usedMemoryRss }
    : undefined;
}

function noLayers(memory: MemorySample): Finding {
  const { memAllocator } = memory;
  const why = memAllocator !== undefined && !memAllocator.startsWith('jemalloc') ? 'not-jemalloc' : 'not-reported';
  return { kind: 'no-layers', why, ...(memAllocator !== undefined && { memAllocator }) };
}

export function overhead(
  memory: MemorySample,
  layers: Layers | undefined,
  policy: DiagnosisPolicy,
): Finding | undefined {
  if (!layers || memory.usedMemoryRss === undefined || memory.allocatorResident === undefined) return undefined;
  const isLarge = memory.usedMemoryRss >= OVERHEAD_WORTH_SAYING * memory.allocatorResident;
  if (!isLarge || layers.overhead < smallestFloor(policy)) return undefined;
  const scripting = memory.usedMemoryScripting;
  return { kind: 'overhead', bytes: layers.overhead, ...(scripting !== undefined && { scripting }) };
}
