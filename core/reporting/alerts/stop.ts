import { stopText } from '../../actions/defrag/describe.ts';
import { traitsOf } from '../../actions/defrag/stop-reasons.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import type { AlertEvent, AlertFact, Severity } from '../../domain/alert.ts';
import type { PurgeAfterDefrag, Stopped } from '../../domain/outcome.ts';
import type { StopReason } from '../../domain/plan.ts';
import type { Verdict } from '../../domain/verdict.ts';
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

/** What a stopped defrag has to tell, with the purge that followed it. */
export function stopDraft(outcome: Stopped, config: InstanceConfig | undefined, stage: string): Draft {
  const { verdict, after, restored, plan } = outcome;
  const { action } = plan;
  const { event, severity } = kindOf(action.because, verdict);
  return {
    event,
    severity,
    title: titleOf(event, action.because, verdict),
    why: sentence(stopText(action, { timezone: config?.timezone, now: after.observation.at })),
    facts: [
      ...(verdict ? verdictFacts(verdict) : []),
      ...purgeFact(outcome, config),
      ...settingsFact(restored),
      ...nodeFacts(outcome),
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
    ? { event: 'cure-ineffective', severity: 'warning' }
    : { event: 'defrag-finished', severity: 'info' };
}

function titleOf(event: AlertEvent, because: StopReason, verdict: Verdict | undefined): string {
  if (event === 'lease-lost') return 'the server restarted during our active defrag';
  if (event === 'defrag-aborted') return `active defrag ended early: ${stopText({ because })}`;
  if (!verdict) return 'active defrag finished';
  const returned = bytesText(verdict.reclaimed);
  return event === 'cure-ineffective'
    ? `active defrag returned ${returned} of ${bytesText(verdict.predicted)} predicted`
    : `${returned} returned by active defrag`;
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
      return 'not known: the job ended during it';
    case 'failed':
      return `failed: ${purge.problem.message}`;
  }
  throw new TypeError(unworded(purge));
}

function nextText(event: AlertEvent, outcome: Stopped, config: InstanceConfig | undefined, stage: string): string {
  const { instance, plan } = outcome;
  const cooldown = config?.defrag.cooldown;
  if (event === 'cure-ineffective') return growingText('defrag', cooldown);
  switch (plan.action.because) {
    case 'goal-met':
    case 'no-progress':
      return `Nothing to do. ${againText(cooldown)}`;
    case 'server-restarted':
      return `${leftText(outcome)} Find out why the server restarted: active defrag was running. On this version it is not started here again for a week.`;
    case 'window-closed':
      return 'Nothing to do. The next window looks at it again.';
    case 'never-started':
    case 'interrupted':
    case 'newer-version':
      return 'Nothing to do. The next run looks at it again.';
    case 'paused':
      return `Nothing to do. It is planned again when the pause is over and a window is open. \`npx offpeak resume ${instance} -c config/${stage}.yml\` ends the pause now.`;
    case 'released':
      return `Nothing to do. A schedule that still runs may start it again in an open window. \`npx offpeak pause ${instance} --for 1d --reason released -c config/${stage}.yml\` prevents that.`;
    case 'disabled':
      return 'Nothing to do. It is not started again while defrag.enabled is false.';
    case 'duration-spent':
      return `${againText(cooldown)} If holes are left each time, raise defrag.maxDuration or defrag.maxCpu.`;
    case 'stall-spent':
      return `${againText(cooldown)} If it happens again, lower defrag.maxCpu, or raise defrag.maxStall if clients can bear it.`;
    case 'switched-off':
      return `${againText(cooldown)} If nobody should run it here, set defrag.enabled to false.`;
    default:
      return 'It is planned again when this has passed and a window is open. Look at the server if it does not pass.';
  }
}

/** What stands on the server by the last look at it: only that is said. */
function leftText({ after, leftOn }: Stopped): string {
  if (after.observation.defrag.settings === undefined)
    return 'CONFIG GET is refused, so Offpeak cannot see what is left on: check activedefrag on the server.';
  return Object.keys(leftOn).length > 0
    ? `These settings hold the values that Offpeak had set, and nothing proves that they are its own: ${settingsText(leftOn)}. If they are not meant, change them.`
    : "None of Offpeak's settings is left on.";
}
