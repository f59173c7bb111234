import type { Percent } from '../config/units.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Observation, Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import type { Acting, Plan, Skip, Steps, StopPlan } from './plan.ts';
import type { Verdict } from './verdict.ts';

/** What came of one node in one tick: every node yields one, bad ones included. */
export type Outcome = Unreached | Failed | Observed | PurgeUnknown | ActionOutcome;

/** What the steps of actions have come to, by kind. A new action adds its own here, as with `Steps`. */
export interface ActionOutcomes {
  started: Started;
  purged: Purged;
  stopped: Stopped;
}

export type ActionOutcome = ActionOutcomes[keyof ActionOutcomes];

/** What an outcome of any kind has of the observation that its plan was made from. */
export interface OutcomeParts extends OfNode, Load {
  readonly before: Seen;
}

/** One look at a node, and what it says of the memory. */
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

/** The load before the action, where an earlier observation makes it measurable. */
interface Load {
  /** Commands per second of others. */
  readonly opsPerSecond?: number;
  /** The main thread's share of a processor; before Redis 6.2 the share of the whole process. */
  readonly mainThreadCpu?: Percent;
}

/**
 * Epoch ms: names the event in its alert's id, where another job may report the same event again. Without it, the time of the observation does.
 */
interface Episode {
  readonly episode?: number;
}

/** `not-reached`: the tick had no time left to check the node. */
export interface Unreached extends OfNode, Episode {
  readonly kind: 'unreachable' | 'not-reached';
  readonly problem: Problem;
  /** A first check that had succeeded. */
  readonly before?: Seen;
}

/** Something went wrong on the job's side, or in the middle of a step. */
export interface Failed extends OfNode, Load, Episode {
  readonly kind: 'failed';
  readonly problem: Problem;
  /** Absent where nothing was seen of the node. */
  readonly before?: Seen;
  /** What was planned then. */
  readonly plan?: Plan;
}

/** Nothing was started or stopped. */
export interface Observed extends OfNode, Load {
  readonly kind: 'observed';
  readonly before: Seen;
  /** Absent where the tick only looks; a plan to act where it only plans. */
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
  /** Settings that still hold a value of the lease, by the last check. */
  readonly leftOn: Settings;
  /** What became of the pages that the defrag has freed; absent where they needed no purge. */
  readonly purge?: PurgeAfterDefrag;
}

/** A purge that was not run. */
export interface Unpurged extends Observed {
  readonly plan: Skip;
}

export type PurgeAfterDefrag = Purged | Unpurged | PurgeUnknown | Failed;

/** Why a node is unreachable, or what failed. */
export interface Problem {
  readonly kind: string;
  readonly message: string;
  /** The cause is outside (refused, hung, state store down), not a bug of this program. */
  readonly expected: boolean;
}

export type Notice =
  | { readonly kind: 'foreign-defrag' }
  | { readonly kind: 'defrag-unsupported' }
  | { readonly kind: 'settings-changed'; readonly leftAlone: Settings }
  /** A CONFIG REWRITE has put Offpeak's settings into the config file. `isSeen`: counted; else presumed from a failover. */
  | { readonly kind: 'config-rewritten'; readonly isSeen: boolean }
  /** Settings as Offpeak sets them, without a lease. `restored`: restored from the record of an earlier lease. */
  | { readonly kind: 'left-on'; readonly standing: Settings; readonly restored?: Settings; readonly typed?: string }
  /** The same server as another node of the config. */
  | { readonly kind: 'same-server'; readonly as: string }
  | { readonly kind: 'action-failed'; readonly doing: keyof Steps; readonly why: string }
  | { readonly kind: 'state-unavailable'; readonly why: string };

/** The outcome and, after a stop, what became of the purge: one after the other, for those who list or count them. */
export function stepsOf(outcome: Outcome): readonly [Outcome, ...Outcome[]] {
  if (outcome.kind !== 'stopped' || !outcome.purge) return [outcome];
  const { purge, leased, pause } = outcome;
  return [outcome, { ...purge, leased, ...(pause && { pause }) }];
}

/** In short, as the log, `--json` and the counts of a run have it. */
export type Status = 'observed' | 'acted' | 'unreachable' | 'not-reached' | 'failed';

const NOT_ACTED: Readonly<Record<Exclude<Outcome['kind'], keyof ActionOutcomes>, Status>> = {
  unreachable: 'unreachable',
  'not-reached': 'not-reached',
  failed: 'failed',
  observed: 'observed',
  'purge-unknown': 'observed',
};

export function statusOf({ kind }: Outcome): Status {
  return kind in NOT_ACTED ? NOT_ACTED[kind as keyof typeof NOT_ACTED] : 'acted';
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

/** The latest look at the node. */
export function latestIn(outcome: Outcome): Seen | undefined {
  return 'after' in outcome ? outcome.after : outcome.before;
}
