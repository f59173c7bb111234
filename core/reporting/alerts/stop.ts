import { stopText } from '../../actions/defrag/describe.ts';
import { traitsOf } from '../../actions/defrag/stop-reasons.ts';
import type { AlertEvent, AlertFact, Severity } from '../../domain/alert.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { StopDefrag, StopReason } from '../../domain/plan.ts';
import type { NodeReport } from '../../domain/report.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { bytesText, sentence } from '../../format/units.ts';
import { reasonText } from '../wording/plan.ts';
import { settingsText, stallText } from '../wording/result.ts';
import {
  againText,
  type Draft,
  growingText,
  limitFigure,
  nodeFacts,
  settingsFact,
  verdictFacts,
  verdictFigures,
} from './draft.ts';

/** The alert of a stopped defrag, with the purge that followed it. */
export function stopDraft(outcome: Outcome, report: NodeReport, action: StopDefrag): Draft {
  const { verdict, observation } = outcome;
  const { event, severity } = kindOf(action.because, verdict);
  return {
    event,
    severity,
    title: titleOf(event, action.because, verdict),
    why: sentence(stopText(action, { timezone: report.config?.timezone, now: observation?.at })),
    facts: [
      ...(verdict ? verdictFacts(verdict) : []),
      ...purgeFact(outcome, report),
      ...settingsFact(outcome.settings),
      ...nodeFacts(outcome),
    ],
    next: nextText(event, action.because, outcome, report),
    figures: verdict ? verdictFigures(verdict, report) : limitFigure(report.config),
  };
}

function kindOf(because: StopReason, verdict: Verdict | undefined): { event: AlertEvent; severity: Severity } {
  if (because === 'server-restarted') return { event: 'lease-lost', severity: 'warning' };
  const { kind } = traitsOf(because);
  if (kind !== 'end') return { event: 'defrag-aborted', severity: kind === 'wanted' ? 'info' : 'warning' };
  return verdict && verdict.kind !== 'improved'
    ? { event: 'action-ineffective', severity: 'warning' }
    : { event: 'defrag-finished', severity: 'info' };
}

function titleOf(event: AlertEvent, because: StopReason, verdict: Verdict | undefined): string {
  if (event === 'lease-lost') return 'the server restarted during our active defrag';
  if (event === 'defrag-aborted') return `active defrag ended early: ${stopText({ because })}`;
  if (!verdict) return 'active defrag finished';
  const returned = bytesText(verdict.reclaimed);
  return event === 'action-ineffective'
    ? `active defrag returned ${returned} of ${bytesText(verdict.predicted)} predicted`
    : `${returned} returned by active defrag`;
}

/** What became of the pages that the defrag had freed. */
function purgeFact(stop: Outcome, { outcomes, config }: NodeReport): readonly AlertFact[] {
  const after = outcomes.slice(outcomes.indexOf(stop) + 1).find(({ plan }) => plan !== undefined);
  const { plan, verdict, status, problem, observation, notices } = after ?? {};
  if (!plan) return [];
  const label = 'Purge after it';
  if (status === 'observed' && notices?.some(({ kind }) => kind === 'action-failed')) {
    return [{ label, value: 'unknown: the job died during it' }];
  }
  if (status === 'failed') return [{ label, value: `failed: ${problem?.message ?? 'for an unknown reason'}` }];
  if (verdict) return [{ label, value: `${bytesText(verdict.reclaimed)} of that; ${stallText(verdict)}` }];
  return [{ label, value: `none: ${reasonText(plan, config?.timezone, { now: observation?.at })}` }];
}

function nextText(
  event: AlertEvent,
  because: StopReason,
  outcome: Outcome,
  { config, stage, instance }: NodeReport,
): string {
  const cooldown = config?.defrag.cooldown;
  if (event === 'action-ineffective') return growingText('defrag', cooldown);
  const again = againText(cooldown);
  switch (because) {
    case 'goal-met':
    case 'no-progress':
      return `Nothing to do. ${again}`;
    case 'server-restarted':
      return `${leftText(outcome)} Find out why the server restarted while active defrag was on. On this version Offpeak starts no defrag here for a week.`;
    case 'window-closed':
      return 'Nothing to do. Offpeak checks this node again in the next window.';
    case 'never-started':
    case 'interrupted':
    case 'newer-version':
      return 'Nothing to do. The next run checks this node again.';
    case 'paused':
      return `Nothing to do. Offpeak plans it again when the pause is over and a window is open. \`npx offpeak resume ${instance} -c config/${stage}.yml\` ends the pause now.`;
    case 'released':
      return `Nothing to do. A scheduled run may start it again in an open window. \`npx offpeak pause ${instance} --for 1d --reason released -c config/${stage}.yml\` prevents that.`;
    case 'disabled':
      return 'Nothing to do. Offpeak starts no defrag here while defrag.enabled is false.';
    case 'duration-spent':
      return `${again} If fragmentation is left each time, raise defrag.maxDuration or defrag.maxCpu.`;
    case 'stall-spent':
      return `${again} If it happens again, lower defrag.maxCpu, or raise defrag.maxStall if clients can tolerate it.`;
    case 'switched-off':
      return `${again} If no defrag should run here, set defrag.enabled to false.`;
    default:
      return 'Offpeak plans it again when this has passed and a window is open. If it does not pass, check the server.';
  }
}

/** What the last observation of the server shows, and no more. */
function leftText({ observation, leftOn = {} }: Outcome): string {
  if (observation?.defrag.settings === undefined)
    return 'The server refuses CONFIG GET, so Offpeak cannot see which settings are left on: check activedefrag on the server.';
  return Object.keys(leftOn).length > 0
    ? `These settings have the values that Offpeak set, but that does not prove that Offpeak set them: ${settingsText(leftOn)}. If they are not intended, change them.`
    : "None of Offpeak's settings is left on.";
}
