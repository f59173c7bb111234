import type { Severity } from '../domain/alert.ts';
import type { Diagnosis } from '../domain/diagnosis.ts';
import type { Acting, Steps } from '../domain/plan.ts';
import type { Moment } from '../format/units.ts';

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
