import type { Bytes, Milliseconds } from '../config/units.ts';
import type { Blocker } from './blocker.ts';

// What `offpeak keys` draws, finds and says. Only patterns leave the process, never a name or a value.

/** What is known of one key. A field that the server did not answer is absent. */
export interface KeyFacts {
  /** Byte for byte (latin1). It stays in this process. */
  readonly name: string;
  /** As TYPE prints it; of a module, its own word. */
  readonly type: string;
  readonly encoding?: string;
  /** MEMORY USAGE; of a collection, by five of its elements. Absent for a module's type, which may walk through all of its value. */
  readonly bytes?: Bytes;
  /** Bytes of a string, elements of a collection. */
  readonly length?: number;
  /** Until it expires; absent: it never does. */
  readonly ttl?: Milliseconds;
  /** What deflate leaves of a string's first 64 KiB, 0 to 1. Only with `--read-values`, of values from 1 KiB on. */
  readonly deflated?: number;
}

/** What the keys are drawn from. */
export interface KeySpace {
  /** INFO keyspace. */
  readonly databases: readonly { readonly index: number; readonly keys: number; readonly expires: number }[];
  /** `master_replid`: nodes with the same one hold the same data. */
  readonly dataset?: string;
  /** `expired_stale_perc`, 0 to 1: of the keys with a TTL, those that have expired and are still counted. */
  readonly stale: number;
  /** `hash-max-listpack-entries` and the like, by the names of Redis 7. */
  readonly limits: EncodingLimits;
  /** Settings whose value the server did not answer: the default of its version stands in. */
  readonly assumed: readonly string[];
  /** False where asking for the length of a value would count as a use of its key for eviction: then lengths are not asked. */
  readonly hasLengths: boolean;
}

export interface EncodingLimits {
  readonly hashEntries: number;
  readonly hashValue: Bytes;
  readonly zsetEntries: number;
  readonly zsetValue: Bytes;
  readonly setEntries: number;
  readonly setValue: Bytes;
  readonly intsetEntries: number;
}

/** An estimate from a sample, with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 10th, 50th and 90th percentile. */
export interface Spread {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
}

/** One line of the table. */
export interface KeyPattern {
  readonly pattern: string;
  /** How many different keys of the sample it stands for. */
  readonly sampled: number;
  /** `string/embstr`, the most usual first. */
  readonly types: readonly string[];
  readonly keys: number;
  readonly bytes: Estimate;
  /** Bytes of one key. */
  readonly size?: Spread;
  /** 0 to 1. */
  readonly withTtl: number;
  /** Milliseconds that are left, of those with one. */
  readonly ttl?: Spread;
}

interface Of<Kind extends string> {
  readonly kind: Kind;
  readonly pattern: string;
  readonly sampled: number;
  /** At stake. */
  readonly bytes: Estimate;
}

export type CollectionType = 'hash' | 'zset' | 'set';

export type KeyFinding =
  /** Small strings without a TTL, which hashes of `entries` fields would hold in fewer bytes. */
  | (Of<'pack'> & { readonly entries: number; readonly each: Bytes; readonly packed: Bytes })
  /** Collections just beyond what keeps them in one allocation: too many elements, or one that is too long. */
  | (Of<'encoding'> & {
      readonly type: CollectionType;
      readonly by: 'entries' | 'value';
      readonly setting: string;
      readonly limit: number;
      /** What would hold 95 % of them; of `value`, what is known is the mean of an element. */
      readonly needed: number;
    })
  /** Bytes between a value and its class of jemalloc. */
  | (Of<'rounding'> & {
      /** 0 to 1, of what these values take. */
      readonly share: number;
      /** The class just below most of them, and by how much they exceed it; absent where their sizes are spread. */
      readonly near?: { readonly fits: Bytes; readonly over: Bytes };
      /** What padding to powers of two, as is sometimes advised, would cost on top. */
      readonly padding: Bytes;
    })
  /** With `--read-values`. `left`: what deflate leaves, 0 to 1. */
  | (Of<'compressible'> & { readonly left: number; readonly size: Bytes })
  /** Keys without a TTL in a pattern whose other keys have one. `share`: of its keys, 0 to 1. */
  | (Of<'ttl-missing'> & { readonly share: number })
  /** None of its keys expires, beside others that do. `isEvictable`: false under a `volatile-` policy. */
  | (Of<'never-expires'> & { readonly isEvictable: boolean })
  /** External fragmentation to come: what is free in slabs that keys which stay keep from being freed. */
  | (Of<'uneven-expiry'> & { readonly at: Milliseconds; readonly expiring: number });

/** What sampling took from the server. */
export interface SamplingCost {
  readonly took: Milliseconds;
  /** Of the main thread. `by`: the server's count of its commands (INFO commandstats), or what the answers took. */
  readonly busy: Milliseconds;
  readonly by: 'commandstats' | 'latency';
  /** `busy` ÷ `took`, 0 to 1. */
  readonly share: number;
  readonly budget: number;
  /** The longest answer to one batch of commands; the server's other clients wait for less. */
  readonly longest: Milliseconds;
  readonly commands: number;
}

export type SamplingEnd =
  | { readonly kind: 'enough' }
  | { readonly kind: 'time' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'guard'; readonly blocker: Blocker | NearLimit }
  | { readonly kind: 'failed'; readonly message: string };

/** What the kernel counts is near what it kills the server at. */
export interface NearLimit {
  readonly kind: 'near-limit';
  readonly rss: Bytes;
  readonly limit: Bytes;
}

/** What was drawn from one node. */
export interface KeySample {
  readonly space: KeySpace;
  /** Draws, those of keys that were gone again included. */
  readonly drawn: number;
  readonly facts: readonly KeyFacts[];
  readonly cost: SamplingCost;
  readonly end: SamplingEnd;
}

/** What a sample says of a node's keys. */
export interface KeyReport {
  /** Keys that have not expired. */
  readonly population: number;
  readonly drawn: number;
  /** Different keys among the draws. */
  readonly distinct: number;
  /** By MEMORY USAGE. */
  readonly bytes: Estimate;
  /** By the server's count, `used_memory_dataset`: far from `bytes` where the sample has missed a few very large keys. */
  readonly dataset?: Bytes;
  readonly patterns: readonly KeyPattern[];
  /** Keys whose pattern has too few of them to be shown. */
  readonly others: { readonly keys: number; readonly bytes: Estimate };
  /** Most bytes first. */
  readonly findings: readonly KeyFinding[];
  /** Allocator's smallest step: 8 bytes in Redis' own build of jemalloc, else 16; absent where it is not jemalloc. */
  readonly quantum?: number;
}
