import type { Diagnosis } from '../../domain/diagnosis.ts';
import type { Acting, StopDefrag } from '../../domain/plan.ts';
import { blockerText } from '../../format/blocker.ts';
import { pauseText } from '../../format/pause.ts';
import { bytesText, durationText, type Moment } from '../../format/units.ts';
import type { StepWords } from '../action.ts';
import { traitsOf } from './stop-reasons.ts';

export const startWords: StepWords<'start-defrag'> = {
  name: 'start active defrag',
  why: ({ predicted }, _step, _moment, diagnosis) =>
    `${lostText(diagnosis)}; predicted ${bytesText(predicted.reclaim)} back, in stalls of about ${durationText(predicted.stall)}${runText(predicted)}`,
  wouldHave: (bytes) => `would have started active defrag for ${bytes}`,
  doing: 'starting active defrag',
  failed: {
    title: 'active defrag could not be started',
    severity: 'warning',
    next: () =>
      'Offpeak restores the settings that it has already changed, in the next tick at the latest. If it keeps failing, check that the ACL user has +config|get and +config|set.',
  },
};

export const stopWords: StepWords<'stop-defrag'> = {
  name: 'stop active defrag',
  why: (_plan, step, moment) => `${stopText(step, moment)}${restoredText(step)}`,
  wouldHave: () => 'would have stopped active defrag',
  doing: 'stopping active defrag',
  failed: {
    title: 'active defrag could not be ended',
    severity: 'critical',
    next: (isConfigured) =>
      isConfigured
        ? 'Active defrag may still be on. The next tick tries again. To end it now, type on the server: CONFIG SET activedefrag no.'
        : 'Active defrag may still be on, and Offpeak cannot reach the server. Do what is said above.',
  },
};

/** A restarted server has the settings of its file: what Offpeak had set is gone, or a CONFIG REWRITE has kept it. */
function restoredText({ because }: Pick<StopDefrag, 'because'>): string {
  return because === 'server-restarted' ? '' : '; every setting is restored';
}

function lostText(diagnosis: Diagnosis | undefined): string {
  const layers = diagnosis?.layers;
  return layers
    ? `${bytesText(layers.externalFragmentation)} are free, but scattered over pages that also hold data`
    : 'memory is free, but scattered over pages that also hold data';
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
  return traitsOf(because).says;
}
