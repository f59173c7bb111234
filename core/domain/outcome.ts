import type { Percent } from '../config/units.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Observation, Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import type { Plan, Steps } from './plan.ts';
import type { Verdict } from './verdict.ts';

/**
 * What came of one node in one tick: every node yields one, bad ones included; a node on which two steps were taken (defrag
 * stopped, then purged) yields one for each.
 */
export interface Outcome {
  readonly instance: string;
  readonly node: string;
  readonly status: /** Seen; nothing was changed. */
    | 'observed'
    /** Seen, and the plan was carried out. */
    | 'acted'
    | 'unreachable'
    /** Not looked at to the end, for lack of time: how it is nobody knows. */
    | 'not-reached'
    /** Seen or not, the job itself went wrong. */
    | 'failed';
  readonly observation?: Observation;
  readonly diagnosis?: Diagnosis;
  readonly plan?: Plan;
  readonly verdict?: Verdict;
  /** The settings that this action has changed, as they are now: ours after a start, the prior ones after a stop. */
  readonly settings?: Settings;
  /** Settings that still hold a value of the lease that has ended, by the last look. */
  readonly leftOn?: Settings;
  readonly problem?: Problem;
  /** The pause that the instance is under, whether the plan speaks of it or not. */
  readonly pause?: Pause;
  /** Commands per second of others, where two looks could tell. */
  readonly opsPerSecond?: number;
  /** The main thread's share of a processor, where two looks could measure it; before Redis 6.2 the whole process'. */
  readonly mainThreadCpu?: Percent;
  /** True while a lease of ours stands on the node after this tick. */
  readonly leased?: boolean;
  /** Epoch ms: names the event in its alert's id where it can come up in two ticks; by default the time of the observation. */
  readonly episode?: number;
  /** What must be told besides what the plan and the verdict say. */
  readonly notices: readonly Notice[];
}

/** Why a node is unreachable, or what failed. */
export interface Problem {
  readonly kind: string;
  readonly message: string;
  /** The world's (refused, hung, state store down), not this program's. */
  readonly expected: boolean;
}

export type Notice =
  | { readonly kind: 'foreign-defrag' }
  | { readonly kind: 'defrag-unsupported' }
  | { readonly kind: 'settings-changed'; readonly leftAlone: Settings }
  /** A CONFIG REWRITE has put our settings into the config file. `isSeen`: counted; else presumed from a failover. */
  | { readonly kind: 'config-rewritten'; readonly isSeen: boolean }
  /** Settings as Offpeak sets them, where no lease is. `restored`: given back by the record of an earlier lease. */
  | { readonly kind: 'left-on'; readonly standing: Settings; readonly restored?: Settings; readonly typed?: string }
  /** The same server as another node of the config. */
  | { readonly kind: 'same-server'; readonly as: string }
  | { readonly kind: 'action-failed'; readonly doing: keyof Steps; readonly why: string }
  | { readonly kind: 'state-unavailable'; readonly why: string };
