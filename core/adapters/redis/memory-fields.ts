import { MIB, TIB } from '../../config/units.ts';
import type { MemorySample } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import {
  doubtfulIn,
  firstOf,
  type InfoFields,
  type InfoLines,
  numberField,
  numberOf,
  valuesOf,
  wordField,
} from './info.ts';

/** The sizes of INFO memory that are read as they are. core/diagnosis/field-meanings.ts has what each of them means, by engine and version. */
const SIZES = {
  usedMemory: 'used_memory',
  usedMemoryRss: 'used_memory_rss',
  usedMemoryPeak: 'used_memory_peak',
  usedMemoryOverhead: 'used_memory_overhead',
  usedMemoryStartup: 'used_memory_startup',
  allocatorAllocated: 'allocator_allocated',
  allocatorActive: 'allocator_active',
  allocatorResident: 'allocator_resident',
  allocatorMuzzy: 'allocator_muzzy',
  allocatorFragBytes: 'allocator_frag_bytes',
  maxmemory: 'maxmemory',
  totalSystemMemory: 'total_system_memory',
  clientBuffers: 'mem_clients_normal',
  clusterLinks: 'mem_cluster_links',
  aofBuffer: 'mem_aof_buffer',
  functionsVm: 'used_memory_vm_functions',
  functionsCache: 'used_memory_functions',
  notCountedForEvict: 'mem_not_counted_for_evict',
} as const satisfies Partial<Record<keyof MemorySample, string>>;

/** Read together with others: see `derived`. */
const OTHERS = [
  'used_memory_lua',
  'used_memory_vm_eval',
  'used_memory_vm_total',
  'used_memory_scripts',
  'used_memory_scripts_eval',
  'mem_clients_slaves',
  'mem_replication_backlog',
  'mem_total_replication_buffers',
  'mem_replica_full_sync_buffer',
  'mem_replicas_repl_buffer',
] as const;

/** Every field that `memorySample` reads. */
export const MEMORY_FIELDS: readonly string[] = [...Object.values(SIZES), ...OTHERS];

/**
 * INFO memory. A size that cannot be, or that comes twice, in one text with different values or in two with values far apart, is left out and
 * named in `odd`.
 */
export function memorySample(texts: readonly InfoLines[]): MemorySample {
  const lines = texts.flat();
  const odd = oddFields(lines, new Set(texts.flatMap((text) => [...doubtfulIn(text)])));
  const fields = odd.length === 0 ? firstOf(lines) : firstOf(lines.filter(([name]) => !odd.includes(name)));
  const sizes = Object.entries(SIZES).map(([key, name]) => [key, numberField(fields, name)]);
  return present({
    ...(Object.fromEntries(sizes) as Partial<Record<keyof typeof SIZES, number>>),
    ...derived(fields),
    memAllocator: wordField(fields, 'mem_allocator'),
    maxmemoryPolicy: wordField(fields, 'maxmemory_policy'),
    odd: odd.length > 0 ? odd : undefined,
  });
}

function derived(fields: InfoFields) {
  const size = (name: (typeof OTHERS)[number] | (typeof SIZES)[keyof typeof SIZES]) => numberField(fields, name);
  const functions = size('used_memory_functions') ?? 0;
  // With functions since 7.0, EVAL's alone before.
  const scripts = less(size('used_memory_scripts'), functions);
  // Since 7.0 the buffers of all replicas are one, and what exceeds the backlog counts as theirs (object.c getMemoryOverheadData).
  const replication = fields.has('mem_replication_backlog') ? undefined : size('mem_total_replication_buffers');
  const uncounted = fields.has('mem_aof_buffer') ? undefined : size('mem_not_counted_for_evict');
  return {
    scriptsVm:
      size('used_memory_vm_eval') ??
      size('used_memory_lua') ??
      less(size('used_memory_vm_total'), size('used_memory_vm_functions') ?? 0),
    scriptsCache: size('used_memory_scripts_eval') ?? scripts,
    replicaBuffers: size('mem_clients_slaves') ?? replication ?? uncounted,
    fullSyncBuffer: size('mem_replica_full_sync_buffer') ?? size('mem_replicas_repl_buffer'),
  };
}

function less(whole: number | undefined, part: number): number | undefined {
  return whole === undefined ? undefined : Math.max(0, whole - part);
}

/**
 * A server that answers each INFO section with the whole INFO has several samples, which differ a little. By this factor and this much only
 * two servers differ, behind one proxy, or a forged text.
 */
const CONTRADICTION = { factor: 1.5, bytes: 16 * MIB };

function oddFields(lines: InfoLines, doubtful: ReadonlySet<string>): readonly string[] {
  return MEMORY_FIELDS.filter((name) => {
    if (doubtful.has(name)) return true;
    const values = valuesOf(lines, name)
      .filter((raw) => raw !== '')
      .map(numberOf);
    return isContradiction(values) || values.some((value) => value === undefined || isBeyond(name, value));
  });
}

/** No process that answers has none of it. */
function isNeverZero(name: string): boolean {
  return name === 'used_memory' || name === 'used_memory_rss';
}

/** What a process can address on x86-64; a maxmemory may be any number. */
const ADDRESSABLE = 128 * TIB;

function isBeyond(name: string, value: number): boolean {
  return (value === 0 && isNeverZero(name)) || (value > ADDRESSABLE && name !== 'maxmemory');
}

function isContradiction(values: readonly (number | undefined)[]): boolean {
  const known = values.filter((value) => value !== undefined);
  const [least, most] = known.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, 0],
  );
  return most > CONTRADICTION.factor * least && most - least > CONTRADICTION.bytes;
}
