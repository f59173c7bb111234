import { concerns, isNearLimit, limitOf, type MemoryLimit } from '../config/near-limit.ts';
import { type Bytes, GIB, MIB, type Milliseconds } from '../config/units.ts';
import { type ForkCopy, kernelBytes, type MemoryAccount } from '../domain/account.ts';
import type { Diagnosis, DiagnosisPolicy, Finding, MaxmemoryFinding } from '../domain/diagnosis.ts';
import { isLikeRedis } from '../domain/engine.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';

// What the kernel counts, beside the figures that it is limited by: the limit, maxmemory and the peak.

/** Of maxmemory: the article's 30 to 50 % between it and the limit. */
const HEADROOM = 1.3;

/** Below this, an overhead is that of an empty server, and no rate. */
const RATE_FLOOR = 100 * MIB;

/** INFO's `total_system_memory`, unless the process alone is larger. */
export function machineMemory({ totalSystemMemory, usedMemoryRss = 0 }: MemorySample): Bytes | undefined {
  return totalSystemMemory !== undefined && totalSystemMemory > 0 && usedMemoryRss <= totalSystemMemory
    ? totalSystemMemory
    : undefined;
}

export function memoryLimitOf({ memory }: Observation, policy: DiagnosisPolicy): MemoryLimit | undefined {
  return limitOf(policy, machineMemory(memory));
}

/** Now, or as soon as a fork copies as much as the last one. */
export function nearLimit(
  { memory }: Observation,
  policy: DiagnosisPolicy,
  { account, limit, reclaimable, prospects }: Omit<Diagnosis, 'findings'>,
): Finding | undefined {
  if (!limit || !account) return undefined;
  const rss = account.total;
  const now = kernelBytes(account) ?? rss;
  const fork = isNear(now, policy, memory) ? account.fork : forecastOf(account.fork);
  const counted = isNear(now, policy, memory) ? now : rss + (fork?.bytes ?? 0);
  if (!isNear(counted, policy, memory)) return undefined;
  const defrag = prospects.defrag.kind === 'worthwhile' ? reclaimable.defrag : 0;
  const purge = prospects.purge.kind === 'worthwhile' ? reclaimable.purge.reclaim : 0;
  return {
    kind: 'near-limit',
    usedMemoryRss: rss,
    ...(account.of === 'used-memory' && { isUsedMemory: true as const }),
    ...(fork && counted > rss && { fork }),
    limit: limit.bytes,
    of: limit.of,
    percent: (counted / limit.bytes) * 100,
    returnable: Math.max(defrag, purge),
  };
}

/** A fork that has just begun has copied little yet. */
function forecastOf(fork: ForkCopy | undefined): ForkCopy | undefined {
  return fork?.kind === 'running' && fork.last !== undefined ? { kind: 'last', bytes: fork.last, runs: true } : fork;
}

function isNear(bytes: Bytes, policy: DiagnosisPolicy, memory: MemorySample): boolean {
  return isNearLimit(bytes, policy, machineMemory(memory));
}

/** INFO remembers what no check has seen. */
export function peakOverLimit(
  { usedMemoryPeak = 0 }: MemorySample,
  limit: MemoryLimit | undefined,
): Finding | undefined {
  return limit && usedMemoryPeak > limit.bytes
    ? { kind: 'peak-over-limit', peak: usedMemoryPeak, limit: limit.bytes, of: limit.of }
    : undefined;
}

/** What maxmemory is compared with: replicas' buffers and the AOF's are left out (evict.c getMaxmemoryState). */
export function countedForMaxmemory({ usedMemory = 0, notCountedForEvict = 0 }: MemorySample): Bytes {
  return Math.max(0, usedMemory - notCountedForEvict);
}

/** A replica leaves eviction to its primary (`replica-ignore-maxmemory`, the default since Redis 5.0): it may be over at any time. */
export function overMaxmemory({ memory, replication }: Observation): Bytes {
  const { maxmemory = 0 } = memory;
  if (maxmemory === 0 || replication.role === 'replica') return 0;
  return Math.max(0, countedForMaxmemory(memory) - maxmemory);
}

/**
 * Eviction goes on in slices of half a millisecond between commands (evict.c, `maxmemory-eviction-tenacity`), so that a full cache is above
 * `maxmemory` for some milliseconds again and again; in a throttled container for a period of 100 ms.
 */
const EVICTING: Milliseconds = 200;

/** What commands take until the next one evicts; Offpeak's own answers are among it. */
const OVERSHOOT = { least: 1 * MIB, share: 0.001 };

/**
 * Evicting is what a full cache does all day; to stay above `maxmemory` in spite of it is pressure. Redis 7.0 reports for how long; before,
 * the sizes say whether.
 */
export function isShortOfMemory(observation: Observation): boolean {
  const { currentEvictionExceededTime: exceededFor } = observation.activity;
  const { maxmemory = 0 } = observation.memory;
  return exceededFor === undefined
    ? overMaxmemory(observation) > Math.max(OVERSHOOT.least, OVERSHOOT.share * maxmemory)
    : exceededFor > EVICTING;
}

export function maxmemoryFinding(
  { memory, engine, refused }: Observation,
  account: MemoryAccount | undefined,
  limit: MemoryLimit | undefined,
): MaxmemoryFinding | undefined {
  const { maxmemory } = memory;
  if (!limit || maxmemory === undefined || !isLikeRedis(engine)) return undefined;
  const overhead = overheadOf(memory, account);
  const expected = overhead.fixed + maxmemory * overhead.rate;
  const problem = problemOf(maxmemory, expected, limit);
  if (problem === undefined) return undefined;
  const most = Math.max(kernelBytes(account) ?? 0, memory.usedMemoryPeak ?? 0);
  if (problem === 'none' && !concerns(limit, most)) return undefined;
  const suggested = suggestedFor(limit.bytes, overhead);
  return {
    kind: 'maxmemory',
    problem,
    maxmemory,
    refusesWrites: memory.maxmemoryPolicy === 'noeviction',
    limit,
    ...(maxmemory > 0 && { expected: Math.round(expected), needed: upTo(Math.max(expected, HEADROOM * maxmemory)) }),
    ...(suggested > 0 && { suggested }),
    isManaged: refused.includes('config|get'),
  };
}

function problemOf(maxmemory: Bytes, expected: Bytes, limit: MemoryLimit): MaxmemoryFinding['problem'] | undefined {
  if (maxmemory === 0) return 'none';
  if (Math.max(expected, maxmemory) >= limit.bytes) return 'beyond-limit';
  return HEADROOM * maxmemory > limit.bytes ? 'little-headroom' : undefined;
}

interface Overhead {
  /** Bytes that do not grow with the data: outside of the allocator, a fork's pages, buffers that maxmemory leaves out. */
  readonly fixed: Bytes;
  /** Of RSS without them, to the data. */
  readonly rate: number;
}

/** Of this node. The data may have shrunk since its peak, and fills the space again as it grows: so the peak counts. */
function overheadOf(memory: MemorySample, account: MemoryAccount | undefined): Overhead {
  const { usedMemory = 0, usedMemoryPeak = 0, notCountedForEvict = 0 } = memory;
  if (account?.of !== 'rss') return { fixed: 0, rate: 1 };
  const outside = account.parts.reduce(
    (sum, { group, bytes }) => (group === 'process' ? sum + Math.max(0, bytes) : sum),
    notCountedForEvict,
  );
  const data = Math.max(usedMemory, usedMemoryPeak);
  const rate = usedMemory < RATE_FLOOR ? 1 : Math.max(1, (account.total - outside) / data);
  return { fixed: outside + forkBytes(account.fork), rate };
}

function forkBytes(fork: ForkCopy | undefined): Bytes {
  return fork?.kind === 'running' ? Math.max(fork.bytes, fork.peak ?? 0, fork.last ?? 0) : (fork?.bytes ?? 0);
}

/** In steps that can be typed: `4608mb`. */
function suggestedFor(limit: Bytes, { fixed, rate }: Overhead): Bytes {
  const most = Math.min((limit - fixed) / rate, limit / HEADROOM);
  return Math.floor(most / stepOf(most)) * stepOf(most);
}

function upTo(bytes: Bytes): Bytes {
  return Math.ceil(bytes / stepOf(bytes)) * stepOf(bytes);
}

function stepOf(bytes: Bytes): Bytes {
  return bytes < GIB ? MIB : 64 * MIB;
}
