import { traitsOf } from '../../core/actions/defrag/stop-reasons.ts';
import { type Outcome, planIn, stepsOf, verdictIn } from '../../core/domain/outcome.ts';
import type { StopReason } from '../../core/domain/plan.ts';
import type { Verdict } from '../../core/domain/verdict.ts';
import { reasonsOf } from '../support/offpeak.ts';

/** One action: its prediction, and its result. Bytes and milliseconds. */
export interface ActionRun {
  readonly name: Verdict['action'];
  readonly predicted: number;
  readonly returned: number;
  readonly predictedMs?: number;
  /** Absent where the server refused the figures. */
  readonly measuredMs?: number;
  /** Of a defrag: from the switch to its end, in seconds. */
  readonly predictedSeconds?: number;
  readonly lastedSeconds?: number;
  /** Why a defrag did not come to its own end: what it returned says how early that was, not what was predicted wrongly. */
  readonly cutOff?: StopReason;
}

/** One run on one server. */
export interface Night {
  readonly shape: string;
  /** `first`: nothing is known of the node; `second`: what the first has taught. */
  readonly run: string;
  readonly actions: readonly ActionRun[];
  /** Why nothing was done, where nothing was. */
  readonly reasons: string;
}

export function nightOf(shape: string, run: string, outcomes: readonly Outcome[]): Night {
  return { shape, run, actions: outcomes.flatMap(stepsOf).flatMap(actionOf), reasons: reasonsOf(outcomes) };
}

function actionOf(step: Outcome): readonly ActionRun[] {
  const [verdict, plan] = [verdictIn(step), planIn(step)];
  if (!verdict) return [];
  const { action, predicted, reclaimed, stall, unmeasured, lasted } = verdict;
  const duration = plan?.kind === 'act' ? plan.predicted.duration : undefined;
  const stop = step.kind === 'stopped' ? step.plan.action.because : undefined;
  return [
    {
      name: action,
      predicted,
      returned: reclaimed,
      ...(plan?.kind === 'act' && { predictedMs: plan.predicted.stall }),
      ...(!unmeasured && { measuredMs: stall }),
      ...(action === 'defrag' && duration !== undefined && { predictedSeconds: duration / 1000 }),
      ...(action === 'defrag' && lasted !== undefined && { lastedSeconds: lasted / 1000 }),
      ...(stop && !traitsOf(stop).teaches && { cutOff: stop }),
    },
  ];
}

/** Returned ÷ predicted; absent where nothing was predicted, or what was did not come to its end. */
export function shareOf({ predicted, returned, cutOff }: ActionRun): number | undefined {
  return predicted > 0 && !cutOff ? returned / predicted : undefined;
}

/** Measured ÷ predicted milliseconds, those included for which a run was cut off. */
export function stallShareOf({ predictedMs, measuredMs }: ActionRun): number | undefined {
  return predictedMs && measuredMs !== undefined ? measuredMs / predictedMs : undefined;
}

/** Measured ÷ predicted seconds of runs that came to their end. */
export function timeShareOf({ predictedSeconds, lastedSeconds, cutOff }: ActionRun): number | undefined {
  return predictedSeconds && lastedSeconds !== undefined && !cutOff ? lastedSeconds / predictedSeconds : undefined;
}
