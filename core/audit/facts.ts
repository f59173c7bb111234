import type { NodeAddress } from '../config/address.ts';
import type { Config, InstanceConfig } from '../config/schema.ts';
import type { Percent } from '../config/units.ts';
import type { Answer, AuditSeverity, Change, Inquiry } from '../domain/audit.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Observation } from '../domain/observation.ts';
import type { WindowState } from '../domain/window.ts';

/** All that is known of one node. */
export interface NodeFacts {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  /** A config names it, with windows and a state. False: an address of the command line, with the default policies. */
  readonly isConfigured: boolean;
  readonly observation: Observation;
  readonly diagnosis: Diagnosis;
  readonly inquiry: Inquiry;
  /** Whether the build can defragment, and CONFIG SET is allowed; absent where it could not be asked (before Redis 7.0). */
  readonly defragSupport?: 'supported' | 'unsupported' | 'refused';
  /** Between two observations, some two seconds apart. */
  readonly load: { readonly cpu?: Percent; readonly opsPerSecond?: number };
  /** Offpeak's defrag is on there, under a lease: its settings are not a person's. */
  readonly isLeased?: boolean;
  /** At the time of the audit. */
  readonly window: WindowState;
}

/** The stage, and what was found on its nodes. */
export interface StageFacts {
  readonly config: Config;
  readonly nodes: readonly NodeFacts[];
  /** Instances whose nodes were not found, with the reason. */
  readonly failures: ReadonlyMap<string, string>;
}

/** One question. `found`: the rules before it that are findings. */
export interface Rule<Facts> {
  /** Stable: scripts and reports name it. */
  readonly id: string;
  /** What is asked, as a statement that should be true. */
  readonly title: string;
  judge(facts: Facts, found: ReadonlySet<string>): Answer;
}

export function fine(evidence: string): Answer {
  return { kind: 'fine', evidence };
}

export function finding(
  severity: AuditSeverity,
  evidence: string,
  remedy: string,
  ...changes: readonly Change[]
): Answer {
  return { kind: 'finding', severity, evidence, remedy, ...(changes.length > 0 && { changes }) };
}

export function unknown(why: string): Answer {
  return { kind: 'unknown', why };
}

export function notAsked(why: string): Answer {
  return { kind: 'not-asked', why };
}

/** `CONFIG SET <name> <value>`, and the line `<name> <value>` of redis.conf. */
export function setting(name: string, value: string): Change {
  return { kind: 'setting', line: `${name} ${value}` };
}

/** A number that CONFIG GET has printed. */
export function figureOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

export const CONFIG_REFUSED = 'the server refuses CONFIG GET: grant +config|get, or look into its parameter group';

/** Whether it writes its data to disk, which forks; undefined where CONFIG is refused. */
export function isPersisting({ inquiry, observation }: NodeFacts): boolean | undefined {
  const { save, appendonly } = inquiry.settings ?? {};
  if (save === undefined && appendonly === undefined) return undefined;
  return save !== '' || appendonly === 'yes' || (observation.replication.connectedReplicas ?? 0) > 0;
}
