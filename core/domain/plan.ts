import type { InstanceConfig } from '../config/schema.ts';
import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Blocker, BlockerKind } from './blocker.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { Denial } from './engine.ts';
import type { NodeHistory } from './node-history.ts';
import type { Observation, Settings } from './observation.ts';
import type { Pause } from './pause.ts';
import type { Prediction } from './prediction.ts';
import type { Peer } from './replication.ts';
import type { Group, StageLimits } from './stage.ts';
import type { WindowState } from './window.ts';

/** What to do with one node now. Plain data, which `offpeak plan` prints. */
export type Plan =
  | {
      readonly kind: 'act';
      readonly action: Step;
      readonly reason: ActReason;
      readonly predicted: Prediction;
    }
  | {
      readonly kind: 'skip';
      readonly reason: SkipReason;
      /** What would be done, if the circumstances allowed it. */
      readonly instead?: { readonly action: keyof Steps; readonly predicted: Prediction };
      readonly blockers?: readonly Blocker[];
      readonly denial?: Denial;
      /** Who ordered the pause, and why. */
      readonly pause?: Pick<Pause, 'reason' | 'by'>;
      /** Epoch ms at which the reason ends by itself. */
      readonly until?: number;
      /** How far a running defrag has come. */
      readonly underWay?: UnderWay;
    };

/** How far a running defrag has come. Memory is returned late: small values free their slabs only as a scan ends. */
export interface UnderWay {
  readonly elapsed: Milliseconds;
  /** Values moved so far. */
  readonly moved: number;
  /** External fragmentation removed so far; negative where it has grown. */
  readonly closed: Bytes;
  /** Of the work that was predicted, 0 to 1; absent where nothing was. */
  readonly share?: number;
  readonly left?: Milliseconds;
  /** It has taken more work than predicted: the rest is unknown. */
  readonly isLate?: true;
  /** 0: as planned; each step halves the work of a cycle. */
  readonly level: number;
}

/** The steps that actions take, by kind. A new action adds its own here, from its own folder (`declare module`). */
export interface Steps {
  purge: { readonly kind: 'purge' };
  'start-defrag': StartDefrag;
  'stop-defrag': StopDefrag;
}

export type Step = Steps[keyof Steps];

export interface StartDefrag {
  readonly kind: 'start-defrag';
  readonly settings: Settings;
  /** The share of the main thread, in %, that it begins with. */
  readonly cpu: Percent;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface StopDefrag {
  readonly kind: 'stop-defrag';
  readonly because: StopReason;
  readonly blockers?: readonly Blocker[];
  /** Absent where only the purge and the verdict of a stop were still to do. */
  readonly pause?: Pick<Pause, 'until' | 'reason' | 'by'>;
}

/** Why a step is taken. A new action adds its own here, as with `Steps`: exported for `declare module`. */
export interface ActReasons {
  'free-pages': true;
  'after-defrag': true;
  fragmented: true;
}

type ActReason = keyof ActReasons | StopReason;

export type StopReason =
  | 'goal-met'
  | 'no-progress'
  | 'window-closed'
  | 'duration-spent'
  | 'stall-spent'
  /** A person or another program switched it off. */
  | 'switched-off'
  /** The restart removed its volatile settings: nothing is left to restore. */
  | 'server-restarted'
  /** The job died between taking the lease and changing anything. */
  | 'never-started'
  | 'paused'
  | 'disabled'
  | 'interrupted'
  /** A person ended the lease (`offpeak release`). */
  | 'released'
  /** After a rollback: a newer version of Offpeak took the lease, and this version can only end it. */
  | 'newer-version'
  | BlockerKind;

export type SkipReason =
  /** No action would return enough. */
  | 'healthy'
  | 'disabled'
  /** Offpeak is defragmenting, and there is no reason to stop. */
  | 'defragmenting'
  /** Defrag is on, and Offpeak has no lease. */
  | 'foreign-defrag'
  /** The same, with settings as Offpeak sets them. */
  | 'left-on'
  /** The build refuses active defrag. */
  | 'unsupported'
  /** There is external fragmentation, but the server's own defragger does not see enough of it. */
  | 'not-defraggable'
  /** The version is known to crash when defrag is toggled. */
  | 'denied-version'
  /** The server refuses CONFIG: a managed service, or an ACL. */
  | 'config-refused'
  /** The parameter group switches it (core/managed/), not this node's plan. */
  | 'by-group'
  /** CONFIG GET prints a value that the setting cannot hold: it could not be restored. */
  | 'odd-settings'
  | 'purge-refused'
  | 'no-layers'
  /** The purge would block for longer than `maxBlock`. */
  | 'would-block'
  /** A cycle is predicted to be longer than `maxStall`, or the first one than ten times that. */
  | 'would-stall'
  /** A person has paused the instance. */
  | 'paused'
  | 'outside-window'
  /** A window would be open, but the config has a holiday. */
  | 'holiday'
  /** The first of the blockers. */
  | BlockerKind
  /** The second check did not confirm the plan of the first one. */
  | 'changed'
  | 'interrupted'
  | 'state-unavailable';

export interface Facts {
  readonly now: number;
  readonly observation: Observation;
  /** The first observation of the same tick and connection; absent while this is the first. */
  readonly earlier?: Observation;
  readonly diagnosis: Diagnosis;
  readonly policy: InstanceConfig;
  readonly window: WindowState;
  /** Only one that is on at `now`. */
  readonly pause?: Pause;
  readonly memory: NodeHistory;
  /** Another node of the same instance that is being acted on. */
  readonly peer?: string;
  /** Another node of the same instance, or of its discovered group, whose server restarted under Offpeak's defrag, and when (epoch ms). */
  readonly fallen?: { readonly node: string; readonly at: number };
  /** The instance's other nodes, as observed in this tick; absent where it has not checked them. */
  readonly peers?: readonly Peer[];
  /** The limits of the whole stage; absent where nothing can start. */
  readonly stage?: StageLimits;
  readonly group?: Group;
  /** The time that the invocation has left. */
  readonly remaining: Milliseconds;
  /** For how long a defrag that starts now will be monitored, where that is not until the window closes. */
  readonly attended?: Milliseconds;
  /** The share of the time in which the idle server answered later than `maxStall`, 0 to 1: see `noiseOf`. */
  readonly noise?: number;
}

/** A plan to be carried out. */
export type Acting = Extract<Plan, { kind: 'act' }>;

/** A plan to do nothing. */
export type Skip = Extract<Plan, { kind: 'skip' }>;

/** A plan that ends a running defrag. */
export interface StopPlan extends Acting {
  readonly action: StopDefrag;
  readonly reason: StopReason;
}
