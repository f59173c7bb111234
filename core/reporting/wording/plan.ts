import type { StepWords } from '../../actions/action.ts';
import { wordsOf } from '../../actions/registry.ts';
import type { Diagnosis } from '../../domain/diagnosis.ts';
import type { Acting, Plan } from '../../domain/plan.ts';
import type { Moment } from '../../format/units.ts';
import { skippingText } from './skip.ts';

/** What the sentence about a plan may also use; without it, the sentence has fewer figures. */
interface ReachedNode {
  /** Epoch milliseconds: times get their distance. */
  readonly now?: number | undefined;
  readonly diagnosis?: Diagnosis | undefined;
}

/** One sentence: what is done and why, or why nothing is. Times by the clock of `timezone` (an IANA name), else UTC. */
export function planText(plan: Plan, timezone?: string, seen: ReachedNode = {}): string {
  const moment = { timezone, now: seen.now };
  return plan.kind === 'act'
    ? `${wordsOf(plan.action.kind).name}: ${actingText(plan, moment, seen.diagnosis)}`
    : `${plan.reason === 'defragmenting' ? 'carry on' : 'nothing'}: ${skippingText(plan, moment, seen.diagnosis)}`;
}

/** For a column: what is done, or the first reason why nothing is; without figures that have a column of their own. */
export function planBrief(plan: Plan, timezone?: string): string {
  if (plan.kind === 'act') return wordsOf(plan.action.kind).name;
  if (plan.reason === 'defragmenting') return planText(plan, timezone);
  const { instead: _, blockers = [], ...why } = plan;
  const more = blockers.length > 1 ? `, and ${blockers.length - 1} more` : '';
  return `nothing: ${skippingText({ ...why, blockers: blockers.slice(0, 1) }, { timezone })}${more}`;
}

/** Only the reason. */
export function reasonText(plan: Plan, timezone?: string, seen: ReachedNode = {}): string {
  const moment = { timezone, now: seen.now };
  return plan.kind === 'act' ? actingText(plan, moment, seen.diagnosis) : skippingText(plan, moment, seen.diagnosis);
}

function actingText(plan: Acting, moment: Moment, diagnosis?: Diagnosis): string {
  const words: StepWords = wordsOf(plan.action.kind);
  return words.why(plan, plan.action, moment, diagnosis);
}
