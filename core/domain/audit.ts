import type { Bytes, Milliseconds } from '../config/units.ts';
import type { Settings } from './observation.ts';

// What an audit asks beyond an observation, and what it answers.

/** Answers that cost extra commands. What a server refuses, or does not know, is absent. */
export interface Inquiry {
  /** By CONFIG GET, as printed. */
  readonly settings?: Settings;
  /** MEMORY DOCTOR: the names of what it has found, like `Peak memory`. */
  readonly doctor?: readonly string[];
  /** jemalloc's decay times by MEMORY MALLOC-STATS, in ms; -1: never. */
  readonly decay?: { readonly dirty: number; readonly muzzy: number };
  /** ACL WHOAMI. */
  readonly user?: string;
  /** By ACL DRYRUN, or before Redis 6, where there are no users, by their absence. A command that is not in it could not be asked for. */
  readonly rights: Readonly<Record<string, boolean>>;
  /** Round trips of a PING. */
  readonly waits: readonly Milliseconds[];
  /** Keys with a TTL, of all databases. */
  readonly expires?: number;
  /** `master_replid`: the same on a primary and its replicas. */
  readonly replicationId?: string;
  /** `latest_fork_usec`; 0 where there was no fork. */
  readonly lastFork?: Milliseconds;
  /** Of the machine, where this process runs on it, too. */
  readonly machine?: Machine;
}

/** What Linux says of the server's process and its machine. */
export interface Machine {
  /** `vm.overcommit_memory`. */
  readonly overcommit?: number;
  /** Transparent huge pages. */
  readonly hugePages?: 'always' | 'madvise' | 'never';
  /** `VmSwap` of the process. */
  readonly swapped?: Bytes;
  /** The smallest limit of its control groups. */
  readonly memoryLimit?: Bytes;
}

/** `critical`: data or the server is at risk. `warning`: memory is lost, or a promise is broken. `advice`: it could be better. */
export type AuditSeverity = 'critical' | 'warning' | 'advice';

/** What is to be changed, as it is typed or written. */
export interface Change {
  /** `setting`: CONFIG SET and a line of redis.conf. `config`: a line of Offpeak's config. `acl`, `environment`, `machine`: on the server's side. */
  readonly kind: 'setting' | 'config' | 'acl' | 'environment' | 'machine';
  readonly line: string;
}

/** What an audit answers to one question. */
export type Answer =
  | { readonly kind: 'fine'; readonly evidence: string }
  | {
      readonly kind: 'finding';
      readonly severity: AuditSeverity;
      /** The values seen. */
      readonly evidence: string;
      /** What to do. */
      readonly remedy: string;
      readonly changes?: readonly Change[];
    }
  /** It could not be known: why, and how a person can find out. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** The question does not arise here. */
  | { readonly kind: 'not-asked'; readonly why: string };

/** A question with its answer. */
export interface Audited {
  /** Of the table of rules; docs/audit.md lists them. */
  readonly rule: string;
  readonly title: string;
  readonly answer: Answer;
}

/** From the most urgent to the least. */
export const SEVERITIES: readonly AuditSeverity[] = ['critical', 'warning', 'advice'];

/** Advice leaves an audit clean: it could be better, and nothing is wrong. */
export function isFault(answer: Answer): boolean {
  return answer.kind === 'finding' && answer.severity !== 'advice';
}
