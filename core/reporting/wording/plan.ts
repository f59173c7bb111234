import type { Diagnosis } from '../../domain/diagnosis.ts';
import type { Acting, Plan, StopDefrag, StopReason } from '../../domain/plan.ts';
import { bytesText, durationText, type Moment } from '../../format/units.ts';
import { blockerKindText, blockerText, unworded } from './blocker.ts';
import { pauseText } from './pause.ts';
import { skippingText } from './skip.ts';

/** What the sentence about a plan may also use; without it, the sentence has fewer figures. */
export interface ReachedNode {
  /** Epoch milliseconds: times get their distance. */
  readonly now?: number | undefined;
  readonly diagnosis?: Diagnosis | undefined;
}

/** One sentence: what is done and why, or why nothing is. Times by the clock of `timezone` (an IANA name), else UTC. */
export function planText(plan: Plan, timezone?: string, seen: ReachedNode = {}): string {
  const moment = { timezone, now: seen.now };
  return plan.kind === 'act'
    ? `${actionName(plan)}: ${actingText(plan, moment, seen.diagnosis)}`
    : `${plan.reason === 'defragmenting' ? 'carry on' : 'nothing'}: ${skippingText(plan, moment, seen.diagnosis)}`;
}

/** Only the reason. */
export function reasonText(plan: Plan, timezone?: string, seen: ReachedNode = {}): string {
  const moment = { timezone, now: seen.now };
  return plan.kind === 'act' ? actingText(plan, moment, seen.diagnosis) : skippingText(plan, moment, seen.diagnosis);
}

function actionName({ action }: Acting): string {
  switch (action.kind) {
    case 'purge':
      return 'purge';
    case 'start-defrag':
      return 'start active defrag';
    case 'stop-defrag':
      return 'stop active defrag';
  }
  return unworded(action);
}

function actingText({ action, reason, predicted }: Acting, moment: Moment, diagnosis?: Diagnosis): string {
  const layers = diagnosis?.layers;
  const back = `predicted ${bytesText(predicted.reclaim)} back`;
  switch (action.kind) {
    case 'start-defrag': {
      const lost = layers
        ? `${bytesText(layers.externalFragmentation)} are free, but inside pages still in use`
        : 'memory is free, but inside pages still in use';
      return `${lost}; ${back}, in stalls of about ${durationText(predicted.stall)}${runText(predicted)}`;
    }
    case 'purge': {
      const pages = layers ? `${bytesText(layers.freePages)} of free pages` : 'free pages';
      const held = reason === 'after-defrag' ? `still holds ${pages} after the defrag` : `holds ${pages}`;
      return `the allocator ${held}; ${back}, clients blocked for about ${durationText(predicted.stall)}`;
    }
    case 'stop-defrag':
      return `${stopText(action, moment)}; every setting is restored`;
  }
  return unworded(action);
}

/** The first cycle where it stands out, and how long the run takes. */
function runText({ stall, firstCycle = 0, duration, isLearned }: Acting['predicted']): string {
  const first =
    firstCycle > 2 * stall && firstCycle >= 1 ? ` (once up to ${durationText(firstCycle)} as it begins)` : '';
  const about = isLearned ? 'about' : 'an estimated';
  return `${first}${duration === undefined ? '' : `, for ${about} ${durationText(duration)}`}`;
}

/** Why a running defrag is ended. */
export function stopText({ because, blockers, pause }: Omit<StopDefrag, 'kind'>, moment: Moment = {}): string {
  if (pause) return `the instance is ${pauseText(pause, moment)}`;
  if (blockers && blockers.length > 0) return blockers.map((blocker) => blockerText(blocker, moment)).join('; ');
  return stopReasonText(because);
}

function stopReasonText(because: StopReason): string {
  switch (because) {
    case 'goal-met':
      return 'the fragmentation is removed, and the rest is not worth more work';
    case 'no-progress':
      return 'more work would return next to nothing';
    case 'window-closed':
      return 'the window has closed';
    case 'duration-spent':
      return 'its time limit is reached (defrag.maxDuration, or the end of the window)';
    case 'stall-spent':
      return 'its cycles were longer than defrag.maxStall for a minute, even with the gentlest settings';
    case 'switched-off':
      return 'someone else switched it off';
    case 'server-restarted':
      return 'the server has restarted, which restored its settings';
    case 'never-started':
      return 'the job died before it had changed anything';
    case 'paused':
      return 'the instance is paused';
    case 'disabled':
      return 'defrag.enabled is false now';
    case 'interrupted':
      return 'the job was interrupted';
    case 'released':
      return 'a person released it (offpeak release)';
    case 'newer-version':
      return 'a newer version of Offpeak started it, and this version can only end it';
    default:
      return blockerKindText(because);
  }
}
