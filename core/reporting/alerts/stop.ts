import { stopText } from '../../actions/defrag/describe.ts';
import { briefReason, traitsOf } from '../../actions/defrag/stop-reasons.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import type { AlertEvent, AlertFact, Severity } from '../../domain/alert.ts';
import type { PurgeAfterDefrag, Stopped } from '../../domain/outcome.ts';
import type { StopReason } from '../../domain/plan.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { stateCommand } from '../../format/state-command.ts';
import { bytesText, sentence, unworded } from '../../format/units.ts';
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
export function stopDraft(outcome: Stopped, config: InstanceConfig | undefined, stage: string): Draft {
  const { verdict, after, restored, plan } = outcome;
  const { action } = plan;
  const { event, severity } = kindOf(action.because, verdict);
  return {
    event,
    severity,
    title: titleOf(event, outcome),
    why: sentence(stopText(action, { timezone: config?.timezone, now: after.observation.at })),
    facts: [
      ...(verdict ? verdictFacts(verdict) : []),
      ...purgeFact(outcome, config),
      ...settingsFact(restored),
      ...nodeFacts(outcome),
      ...reasonFact(event, action.because),
    ],
    next: nextText(event, outcome, config, stage),
    figures: verdict ? verdictFigures(verdict, config) : limitFigure(config),
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

function titleOf(event: AlertEvent, { node, plan, verdict }: Stopped): string {
  if (event === 'lease-lost') return "the server restarted during Offpeak's active defrag";
  if (event === 'defrag-aborted') return endedEarlyTitle(plan.action.because, node);
  if (!verdict) return 'active defrag finished';
  const returned = bytesText(verdict.reclaimed);
  return event === 'action-ineffective'
    ? `active defrag returned ${returned} of ${bytesText(verdict.predicted)} predicted`
    : `${returned} returned by active defrag`;
}

/** What has happened, why in a few words, and where. */
function endedEarlyTitle(because: StopReason, where: string): string {
  return `active defrag ended early (${briefReason(because)}) on ${where}`;
}

/** The reason's name, by which the runbook and the log have it. */
function reasonFact(event: AlertEvent, because: StopReason): readonly AlertFact[] {
  return event === 'defrag-aborted' ? [{ label: 'Reason', value: because }] : [];
}

/** What became of the pages that the defrag had freed. */
function purgeFact({ purge }: Stopped, config: InstanceConfig | undefined): readonly AlertFact[] {
  return purge ? [{ label: 'Purge after it', value: purgeText(purge, config) }] : [];
}

function purgeText(purge: PurgeAfterDefrag, config: InstanceConfig | undefined): string {
  switch (purge.kind) {
    case 'purged':
      return `${bytesText(purge.verdict.reclaimed)} of that; ${stallText(purge.verdict)}`;
    case 'observed':
      return `none: ${reasonText(purge.plan, config?.timezone, { now: purge.before.observation.at })}`;
    case 'purge-unknown':
      return 'unknown: the job died during it';
    case 'failed':
      return `failed: ${purge.problem.message}`;
  }
  throw new TypeError(unworded(purge));
}

function nextText(event: AlertEvent, outcome: Stopped, config: InstanceConfig | undefined, stage: string): string {
  const { instance, plan } = outcome;
  const cooldown = config?.defrag.cooldown;
  if (event === 'action-ineffective') return growingText('defrag', cooldown);
  const again = againText(cooldown);
  switch (plan.action.because) {
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
      return `Nothing to do. Offpeak plans it again when the pause is over and a window is open. ${stateCommand(stage, 'resume', instance)} ends the pause now.`;
    case 'released':
      return `Nothing to do. A scheduled run may start it again in an open window. ${stateCommand(stage, 'pause', instance, '--for', '1d', '--reason', 'released')} prevents that.`;
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
function leftText({ after, leftOn }: Stopped): string {
  if (after.observation.defrag.settings === undefined)
    return 'The server refuses CONFIG GET, so Offpeak cannot see which settings are left on: check activedefrag on the server.';
  return Object.keys(leftOn).length > 0
    ? `These settings have the values that Offpeak set, but that does not prove that Offpeak set them: ${settingsText(leftOn)}. If they are not intended, change them.`
    : "None of Offpeak's settings is left on.";
}
