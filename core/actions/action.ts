import type { Severity } from '../domain/alert.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Acting, Facts, Plan, Step, Steps, StopReason } from '../domain/plan.ts';
import type { Terms } from '../domain/terms.ts';
import type { Moment } from '../format/units.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import type { NodeContext } from './context.ts';
import type { Result } from './new-lease.ts';

/**
 * What can be done about the memory of a node: a folder of its own with the same files each (propose, terms, execute, learn, describe), and
 * one line in the registry. What is pure is called as it is; what changes a server is loaded when it is needed.
 */
export interface Action {
  /** The step that starts it. */
  readonly starts: Step['kind'];
  /** What it would do here, with its prediction (bytes, stall in ms, duration in ms); or why it would be of no use. Pure. */
  propose(facts: Facts): Plan;
  /** What the proposal asks for before it may start. Pure. */
  terms(facts: Facts, proposal: Acting): Terms;
  /** Uses the wait before the second check to learn something of the node, for the facts of that check. */
  prepare?(context: NodeContext, wait: number): Promise<Pick<Facts, 'noise'>>;
  /** Whether a lease is one of this action's. Pure. */
  owns(lease: Lease): boolean;
  /** Of each of its steps. Pure. */
  readonly words: WordsByStep;
  /** What changes a server. Most ticks start nothing: it is loaded when it is needed. */
  effects(): Promise<ActionEffects>;
}

interface ActionEffects {
  /** Carries out the plan that both checks have led to. A failure of the server or of the store is a result; a bug throws. */
  start(context: NodeContext, facts: Facts, plan: Acting): Promise<Result>;
  /** Goes on with a lease that an earlier tick, or an earlier job, has left: carries on, or ends it. */
  resume(context: NodeContext, facts: Facts, held: HeldLease, found: Found): Promise<Outcome>;
}

/** What a tick has found at the node of a lease. */
export interface Found {
  readonly observation: Observation;
  readonly memory: NodeHistory;
  /** Why the lease is to end, whatever speaks for carrying on. */
  readonly because?: StopReason;
}

/** The words of one kind of step: for plans, alerts and logs. */
export interface StepWords<K extends keyof Steps = keyof Steps> {
  /** What is done: `start active defrag`. */
  readonly name: string;
  /** Why it is done, with its prediction. */
  why(plan: Acting, step: Steps[K], moment: Moment, diagnosis?: Diagnosis): string;
  /** Where a guard forbids it: `would have purged 120 MiB`. */
  wouldHave(bytes: string): string;
  /** What failed: `starting active defrag`. */
  readonly doing: string;
  /** The alert when it failed. `isConfigured`: false for a node that the config no longer names. */
  readonly failed: { readonly title: string; readonly severity: Severity; next(isConfigured: boolean): string };
}

/** For each kind of step the words of it. */
export type WordsByStep = { readonly [K in keyof Steps]?: StepWords<K> };
