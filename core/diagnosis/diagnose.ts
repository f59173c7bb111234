import type { Bytes } from '../config/units.ts';
import type { MemoryAccount } from '../domain/account.ts';
import type { Diagnosis, DiagnosisPolicy, Finding } from '../domain/diagnosis.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';
import { accountOf } from './account.ts';
import { heldFindings } from './held.ts';
import { isContradictory, isJemalloc, layersOf, touchedMemory } from './layers.ts';
import { maxmemoryFinding, memoryLimitOf, nearLimit, peakOverLimit } from './limit.ts';
import { defragReclaim, fragmented, freePages } from './outlook.ts';
import { type Plausible, plausible } from './plausible.ts';
import { predictPurge } from './predict.ts';
import { defragProspect, type Known, purgeProspect } from './prospect.ts';

/** RSS ÷ resident: MEMORY DOCTOR's threshold for a high overhead outside the allocator. */
const OVERHEAD_WORTH_SAYING = 0.1;

/** `remembered`: what earlier ticks have learned from the server's answers. */
export function diagnose(
  observed: Observation,
  policy: DiagnosisPolicy,
  learned: Learned = {},
  remembered: Known['memory'] = { byAction: {} },
): Diagnosis {
  const sound = plausible(observed);
  const { observation } = sound;
  const { memory } = observation;
  const layers = layersOf(memory);
  const ratio = ratioOf(memory);
  const account = accountOf(sound, layers);
  const limit = memoryLimitOf(observation, policy);
  // jemalloc's own metadata depends on the most that the process has ever held.
  const peak = memory.usedMemoryPeak ?? 0;
  const purge = layers ? predictPurge(layers.freePages, memory.allocatorResident ?? 0, learned, peak) : NO_PURGE;
  const known = { observation, policy, memory: { ...remembered, learned }, now: observation.at };
  const prospects = { defrag: defragProspect(known, layers), purge: purgeProspect(known, purge) };
  const diagnosis = {
    ...(ratio !== undefined && { ratio }),
    ...(account && { account }),
    ...(limit && { limit }),
    ...(layers && { layers }),
    reclaimable: { defrag: layers ? defragReclaim({ ...layers, peak }, policy, learned, prospects.purge) : 0, purge },
    prospects,
  };
  return { ...diagnosis, findings: findingsOf(sound, policy, diagnosis) };
}

/** Nothing that a person or an action should do something about. */
export function isHealthy({ account, findings }: Diagnosis): boolean {
  return account?.of === 'rss' && findings.every(({ kind }) => kind === 'too-small');
}

const NO_PURGE: Prediction = { reclaim: 0, stall: 0 };

/** Computed here at full precision; INFO prints two digits. */
function ratioOf(memory: MemorySample): number | undefined {
  const { usedMemory, usedMemoryRss } = memory;
  return usedMemory !== undefined && usedMemory > 0 && usedMemoryRss !== undefined
    ? usedMemoryRss / usedMemory
    : undefined;
}

/** The most urgent ones first: what the kernel may kill for, what holds the memory, what an action returns. */
function findingsOf(
  { observation, impossible }: Plausible,
  policy: DiagnosisPolicy,
  diagnosis: Omit<Diagnosis, 'findings'>,
): readonly Finding[] {
  const { memory } = observation;
  const { account, limit, layers, prospects, reclaimable } = diagnosis;
  const outlook = { purge: reclaimable.purge, prospects };
  const findings = [
    nearLimit(observation, policy, diagnosis),
    peakOverLimit(memory, limit),
    impossible.length > 0 ? { kind: 'impossible' as const, fields: impossible } : undefined,
    rssBelowUsed(memory),
    layers ? undefined : noLayers(memory, account),
    maxmemoryFinding(observation, account, limit),
    ...(isTooSmall(memory, policy)
      ? [tooSmall(memory, policy)]
      : [
          ...heldFindings(account, observation),
          fragmented(layers, policy, outlook),
          freePages(layers, outlook),
          overhead(account, policy),
        ]),
  ];
  return findings.filter((finding) => finding !== undefined);
}

/** An idle empty server shows a ratio of 13 (redis#8463): below the smallest floor there is nothing to gain, at any ratio. */
function isTooSmall(memory: MemorySample, policy: DiagnosisPolicy): boolean {
  return Math.max(memory.usedMemoryRss ?? 0, memory.usedMemory ?? 0) < smallestFloor(policy);
}

function smallestFloor(policy: DiagnosisPolicy): Bytes {
  return Math.min(policy.purge.minReclaim, policy.defrag.minReclaim);
}

function tooSmall(memory: MemorySample, policy: DiagnosisPolicy): Finding | undefined {
  const { usedMemoryRss } = memory;
  return usedMemoryRss === undefined ? undefined : { kind: 'too-small', usedMemoryRss, floor: smallestFloor(policy) };
}

/** Below used_memory by this much; less is usual right after a large data set was loaded. */
const BELOW_USED = 0.95;

function rssBelowUsed(memory: MemorySample): Finding | undefined {
  const { usedMemory, usedMemoryRss } = memory;
  if (usedMemory === undefined || usedMemoryRss === undefined) return undefined;
  return usedMemoryRss < BELOW_USED * touchedMemory(memory)
    ? { kind: 'rss-below-used', usedMemory, usedMemoryRss }
    : undefined;
}

function noLayers(memory: MemorySample, account: MemoryAccount | undefined): Finding {
  const { memAllocator } = memory;
  const beyondUsed = account?.parts.find(({ kind }) => kind === 'beyond-used')?.bytes ?? 0;
  const why = whyNoLayers(memory);
  return { kind: 'no-layers', why, beyondUsed, ...(memAllocator !== undefined && { memAllocator }) };
}

function whyNoLayers(memory: MemorySample): Extract<Finding, { kind: 'no-layers' }>['why'] {
  if (memory.memAllocator !== undefined && !isJemalloc(memory)) return 'not-jemalloc';
  if (isContradictory(memory)) return 'impossible';
  return memory.allocatorResident !== undefined && memory.usedMemoryRss === undefined ? 'no-rss' : 'not-reported';
}

/** What is outside of the allocator, and not Lua. */
function overhead(account: MemoryAccount | undefined, policy: DiagnosisPolicy): Finding | undefined {
  const bytes = account?.parts.find(({ kind }) => kind === 'process')?.bytes ?? 0;
  const inside = (account?.total ?? 0) - bytes;
  if (bytes < OVERHEAD_WORTH_SAYING * inside || bytes < smallestFloor(policy)) return undefined;
  return { kind: 'overhead', bytes, percent: (bytes / (inside + bytes)) * 100 };
}
