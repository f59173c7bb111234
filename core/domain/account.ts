import type { Bytes } from '../config/units.ts';

/** Parts that may hold more than is usual, with a finding and a remedy for each. */
export type Holder =
  /** The tables of keys and expiry times. */
  | 'dictionaries'
  /** All of used_memory_overhead that is not reported apart: with buffers, before Redis 5.0. */
  | 'other-overhead'
  | 'client-buffers'
  /** Replicas' buffers, beyond the backlog. */
  | 'replica-buffers'
  | 'replication-backlog'
  /** What a replica receives during a full sync. */
  | 'full-sync-buffer'
  | 'cluster-links'
  /** Of slots that are moved in or out. */
  | 'slot-migration'
  | 'aof-buffer'
  /** Lua of EVAL: its VM and the cached texts. */
  | 'scripts'
  | 'functions'
  /** In the allocator, beyond used_memory: libraries, or used_memory was read up to 100 ms later. Then it may be negative. */
  | 'uncounted';

/** What one part of RSS is. docs/memory.md explains each of them. */
export type PartKind =
  | Holder
  // Inside used_memory.
  /** Keys and values. */
  | 'keys'
  /** Keys, values and their dictionaries, where the server does not report them apart. */
  | 'data'
  /** What the server itself had allocated as it started. */
  | 'startup'
  // In the allocator, beyond used_memory.
  | 'external-fragmentation'
  /** Dirty pages, and the allocator's own metadata: INFO does not report them apart. */
  | 'free-pages'
  | 'muzzy-pages'
  // Outside of the allocator.
  | 'scripts-vm'
  | 'functions-vm'
  /** Code, stacks, modules, libraries, huge pages: INFO does not report them apart. */
  | 'process'
  /** Negative: what is allocated and not in RAM, swapped or never touched. INFO does not say which. */
  | 'not-resident'
  // Where the allocator does not report its part.
  /** RSS less used_memory: fragmentation, free pages and process together. */
  | 'beyond-used'
  /** The whole of RSS, where used_memory is not known. */
  | 'unknown';

/** `unknown` where it cannot be said in which of the others a part is. */
export type PartGroup = 'data' | 'allocator' | 'process' | 'unknown';

export interface Part {
  readonly kind: PartKind;
  readonly group: PartGroup;
  /** Never 0. Only `uncounted` and `not-resident` may be negative. */
  readonly bytes: Bytes;
}

/** What a forked child (BGSAVE, AOF rewrite, full sync) has in RAM for itself, beside RSS: the kernel counts both. */
export type ForkCopy =
  /** A fork runs, and has copied this much so far; `peak`: at most; `last`: what the one before had copied as it ended, if that was more. */
  | { readonly kind: 'running'; readonly bytes: Bytes; readonly peak?: Bytes; readonly last?: Bytes }
  /**
   * The last one had copied this much: as long as writes go on alike, about as much as the next one copies, or the one that runs (`runs`) and
   * has copied less so far.
   */
  | { readonly kind: 'last'; readonly bytes: Bytes; readonly runs?: true };

/** Where every byte is that the kernel counts. The parts add up to `total`, to the byte. */
export interface MemoryAccount {
  readonly total: Bytes;
  /** What `total` is: RSS, or used_memory where RSS is not known. */
  readonly of: 'rss' | 'used-memory';
  readonly parts: readonly Part[];
  readonly fork?: ForkCopy;
  /** Fields of INFO with values that cannot be. They are left out of everything. */
  readonly impossible: readonly string[];
}

/** What parts are drawn and published as: six sums, which add up to RSS. */
export type PartClass = 'data' | 'buffers' | 'scripts' | 'fragmentation' | 'pages' | 'overhead';

export const PART_CLASS: Readonly<Record<PartKind, PartClass>> = {
  keys: 'data',
  data: 'data',
  dictionaries: 'data',
  'other-overhead': 'data',
  startup: 'data',
  uncounted: 'data',
  'client-buffers': 'buffers',
  'replica-buffers': 'buffers',
  'replication-backlog': 'buffers',
  'full-sync-buffer': 'buffers',
  'cluster-links': 'buffers',
  'slot-migration': 'buffers',
  'aof-buffer': 'buffers',
  scripts: 'scripts',
  functions: 'scripts',
  'scripts-vm': 'scripts',
  'functions-vm': 'scripts',
  'external-fragmentation': 'fragmentation',
  'free-pages': 'pages',
  'muzzy-pages': 'pages',
  process: 'overhead',
  'not-resident': 'overhead',
  'beyond-used': 'overhead',
  unknown: 'overhead',
};

export function bytesOfClass({ parts }: Pick<MemoryAccount, 'parts'>, name: PartClass): Bytes {
  return parts.reduce((sum, { kind, bytes }) => (PART_CLASS[kind] === name ? sum + bytes : sum), 0);
}

/** RSS, and the pages of a fork that runs: what the kernel counts now. */
export function kernelBytes(account: MemoryAccount | undefined): Bytes | undefined {
  return account?.of === 'rss' ? account.total + runningFork(account) : undefined;
}

/** What the fork that runs has copied; 0 where none runs. */
export function runningFork({ fork }: Pick<MemoryAccount, 'fork'>): Bytes {
  return fork?.kind === 'running' ? fork.bytes : 0;
}
