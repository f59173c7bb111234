import type { Percent } from '../config/units.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Notice } from './notice.ts';
import type { Observation, Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import type { Acting, Plan, Skip, StopPlan } from './plan.ts';
import type { Verdict } from './verdict.ts';

/** What the job did on one node in one tick: every node yields one, failed ones included. */
export type Outcome = Unreached | Failed | Observed | PurgeUnknown | ActionOutcome;

/** The outcomes of actions' steps, by kind. A new action adds its own here, as with `Steps`. */
interface ActionOutcomes {
  started: Started;
  purged: Purged;
  stopped: Stopped;
}

export type ActionOutcome = ActionOutcomes[keyof ActionOutcomes];

/** What an outcome of any kind takes from the check that its plan was made from. */
export interface OutcomeParts extends OfNode, Load {
  readonly before: Seen;
}

/** The observation of a node, with its diagnosis. */
export interface Seen {
  readonly observation: Observation;
  readonly diagnosis: Diagnosis;
}

interface OfNode {
  readonly instance: string;
  readonly node: string;
  /** True while an Offpeak lease stands on the node after this tick. */
  readonly leased: boolean;
  /** The pause that the instance is under, whether the plan speaks of it or not. */
  readonly pause?: Pause;
  /** Alerts besides the one that the outcome itself leads to. */
  readonly notices: readonly Notice[];
}

/** The node's load before the action, where an earlier observation of the same tick allows to measure it. */
interface Load {
  /** Commands per second of others. */
  readonly opsPerSecond?: number;
  /** The main thread's share of a processor; before Redis 6.2 the share of the whole process. */
  readonly mainThreadCpu?: Percent;
}

/**
 * Epoch ms: names the event in its alert's id, where another job may have to report the same event again. Without it, the time of the
 * observation does.
 */
interface Episode {
  readonly episode?: number;
}

/**
 * `not-reached`: the tick had no time left to check the node, so its state is unknown. `not-data-node`: what answers is a Sentinel, a proxy, or
 * a server that does not report its memory. `config-problem`: something that Offpeak's config names is missing or unusable; nothing is known
 * of the server.
 */
export interface Unreached extends OfNode, Episode {
  readonly kind: 'unreachable' | 'not-reached' | 'not-data-node' | 'config-problem';
  readonly problem: Problem;
  /** An earlier observation of this tick. */
  readonly before?: Seen;
}

/** Something went wrong on the job's side, or in the middle of a step. */
export interface Failed extends OfNode, Load, Episode {
  readonly kind: 'failed';
  readonly problem: Problem;
  /** Absent where the node was not observed. */
  readonly before?: Seen;
  /** What was planned then. */
  readonly plan?: Plan;
}

/** Nothing was started or stopped. */
export interface Observed extends OfNode, Load {
  readonly kind: 'observed';
  readonly before: Seen;
  /** Absent where the tick only observes. A plan to act, where it only plans. */
  readonly plan?: Plan;
}

/** A job has ended during a MEMORY PURGE, which leaves no trace: whether the server has carried it out is unknown. */
export interface PurgeUnknown extends OfNode, Load, Episode {
  readonly kind: 'purge-unknown';
  readonly before: Seen;
  readonly plan: Skip;
}

export interface Started extends OfNode, Load {
  readonly kind: 'started';
  readonly before: Seen;
  readonly after: Seen;
  readonly plan: Acting;
  /** What the server has been set to. */
  readonly settings: Settings;
  /** Epoch ms at which the lease ends at the latest. */
  readonly expiresAt: number;
}

export interface Purged extends OfNode, Load {
  readonly kind: 'purged';
  readonly before: Seen;
  readonly after: Seen;
  readonly plan: Acting;
  readonly verdict: Verdict;
}

export interface Stopped extends OfNode, Load, Episode {
  readonly kind: 'stopped';
  readonly before: Seen;
  /** When the server has come to rest, the purge included. */
  readonly after: Seen;
  readonly plan: StopPlan;
  /** Absent where nothing of the run is left to judge. */
  readonly verdict?: Verdict;
  /** The prior values, as they are set again. */
  readonly restored: Settings;
  /** Settings that still have a value of the lease, by the last observation. */
  readonly leftOn: Settings;
  /** What became of the pages that the defrag has freed; absent where they needed no purge. */
  readonly purge?: PurgeAfterDefrag;
}

/** A purge that was not run. */
interface Unpurged extends Observed {
  readonly plan: Skip;
}

export type PurgeAfterDefrag = Purged | Unpurged | PurgeUnknown | Failed;

/** Why a node is unreachable, or what failed. */
export interface Problem {
  readonly kind: string;
  readonly message: string;
  /** The cause is outside (refused, hung, state store down), not a bug of this program. */
  readonly expected: boolean;
  /** Where a Sentinel answered in place of a data node: the primaries that it watches. */
  readonly watches?: readonly WatchedPrimary[];
}

/** As a Sentinel says it. */
export interface WatchedPrimary {
  /** As in `sentinel monitor`. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
}

/** The outcome and, after a stop, that of the purge: one after the other, for logs, documents and counts. */
export function stepsOf(outcome: Outcome): readonly [Outcome, ...Outcome[]] {
  if (outcome.kind !== 'stopped' || !outcome.purge) return [outcome];
  const { purge, leased, pause } = outcome;
  return [outcome, { ...purge, leased, ...(pause && { pause }) }];
}

/** In short, as the log, `--json` and the counts of a run have it. */
export type Status = 'observed' | 'acted' | Unreached['kind'] | 'failed';

const NOT_ACTED: Readonly<Record<Exclude<Outcome['kind'], keyof ActionOutcomes>, Status>> = {
  unreachable: 'unreachable',
  'not-reached': 'not-reached',
  'not-data-node': 'not-data-node',
  'config-problem': 'config-problem',
  failed: 'failed',
  observed: 'observed',
  'purge-unknown': 'observed',
};

export function statusOf({ kind }: Outcome): Status {
  return kind in NOT_ACTED ? NOT_ACTED[kind as keyof typeof NOT_ACTED] : 'acted';
}

/** The config has to be changed, or what it names: not a server's fault, and no alarm about a server. */
export function isOfConfig(kind: string): kind is 'not-data-node' | 'config-problem' {
  return kind === 'not-data-node' || kind === 'config-problem';
}

export function planIn(outcome: Outcome): Plan | undefined {
  return 'plan' in outcome ? outcome.plan : undefined;
}

export function problemIn(outcome: Outcome): Problem | undefined {
  return 'problem' in outcome ? outcome.problem : undefined;
}

export function verdictIn(outcome: Outcome): Verdict | undefined {
  return 'verdict' in outcome ? outcome.verdict : undefined;
}

/** The latest observation of the node. */
export function latestIn(outcome: Outcome): Seen | undefined {
  return 'after' in outcome ? outcome.after : outcome.before;
}
