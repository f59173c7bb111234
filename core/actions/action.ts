import type { Lease } from '../domain/lease.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Acting, Facts, Plan, Step, StopReason, Terms } from '../domain/plan.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import type { NodeContext } from './context.ts';
import type { Result } from './new-lease.ts';
import type { WordsByStep } from './words.ts';

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

export interface ActionEffects {
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
