import type { Percent } from '../config/units.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Observation, Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import type { Plan, Steps } from './plan.ts';
import type { Verdict } from './verdict.ts';

/**
 * The result of one tick for one node. Every node yields one, failed ones included; a node with two steps (defrag stopped, then purged)
 * yields one for each.
 */
export interface Outcome {
  readonly instance: string;
  readonly node: string;
  readonly status: /** Observed; nothing was changed. */
    | 'observed'
    /** Observed, and the plan was carried out. */
    | 'acted'
    | 'unreachable'
    /** Not checked, or not to the end, for lack of time: its state is unknown. */
    | 'not-reached'
    /** The job itself failed, whether or not it had observed the node. */
    | 'failed';
  readonly observation?: Observation;
  readonly diagnosis?: Diagnosis;
  readonly plan?: Plan;
  readonly verdict?: Verdict;
  /** The settings that this action has changed, as they are now: Offpeak's after a start, the prior ones after a stop. */
  readonly settings?: Settings;
  /** Settings that still have a value of the ended lease, by the last observation. */
  readonly leftOn?: Settings;
  readonly problem?: Problem;
  /** The pause that the instance is under, whether the plan speaks of it or not. */
  readonly pause?: Pause;
  /** Commands per second of others, where two observations could measure them. */
  readonly opsPerSecond?: number;
  /** The main thread's share of a processor, where two observations could measure it; before Redis 6.2 that of the whole process. */
  readonly mainThreadCpu?: Percent;
  /** True if Offpeak has a lease on the node after this tick. */
  readonly leased?: boolean;
  /** Epoch ms: names the event in its alert's id where it can come up in two ticks; by default the time of the observation. */
  readonly episode?: number;
  /** What must be reported beside the plan and the verdict. */
  readonly notices: readonly Notice[];
}

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
