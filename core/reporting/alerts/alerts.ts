import type { InstanceConfig } from '../../config/schema.ts';
import { ALERT_SCHEMA, type Alert } from '../../domain/alert.ts';
import type { Notice } from '../../domain/notice.ts';
import { latestIn, type Outcome, problemIn, stepsOf } from '../../domain/outcome.ts';
import type { ReportInput } from '../../domain/report.ts';
import { isoText } from '../../format/units.ts';
import { actionDraft } from './action.ts';
import type { Draft } from './draft.ts';
import { changeDraft, noticeDraft, stateDraft } from './notice.ts';

interface Place {
  readonly instance: string;
  readonly node: string;
}

const EVERYWHERE: Place = { instance: 'all', node: 'all' };

/**
 * One alert for each event on a node. States (unreachable, near the limit) are CloudWatch alarms or alerts of their own (`trouble.ts`), and a bug
 * raises the alarm on the Lambda's errors: nothing is reported twice. `startedAt` (epoch ms) is the time of an event without an observation.
 */
export function outcomeAlerts(
  outcome: Outcome,
  config: InstanceConfig | undefined,
  { stage, startedAt }: Pick<ReportInput, 'stage' | 'startedAt'>,
): readonly Alert[] {
  const action = actionDraft(outcome, config, stage);
  const own = action ? [alertOf(stage, outcome, timeOf(outcome, startedAt), action, episodeOf(outcome))] : [];
  const ofNotices = stepsOf(outcome).flatMap((step) =>
    noticeDrafts(step, config).map((draft) => alertOf(stage, step, timeOf(step, startedAt), draft, episodeOf(step))),
  );
  return [...own, ...ofNotices];
}

function noticeDrafts(outcome: Outcome, config: InstanceConfig | undefined): readonly Draft[] {
  return outcome.notices
    .filter((notice) => notice.kind !== 'state-unavailable')
    .map((notice) => noticeDraft(notice, outcome, config));
}

function timeOf(outcome: Outcome, otherwise: number): number {
  return latestIn(outcome)?.observation.at ?? otherwise;
}

function episodeOf(outcome: Outcome): number | undefined {
  return 'episode' in outcome ? outcome.episode : undefined;
}

/** A store that is down is one event for all nodes together. */
export function stateAlerts({
  stage,
  startedAt,
  problem,
  outcomes,
}: Pick<ReportInput, 'stage' | 'startedAt' | 'problem' | 'outcomes'>): readonly Alert[] {
  if (problem) return [alertOf(stage, EVERYWHERE, startedAt, stateDraft(problem.why, []))];
  const affected = outcomes.flatMap((outcome) => {
    const why = stateTrouble(outcome);
    return why === undefined ? [] : [{ instance: outcome.instance, node: outcome.node, why }];
  });
  const [first, ...more] = affected;
  if (!first) return [];
  const names = affected.map(({ instance, node }) => `${instance} ${node}`);
  const place = more.length === 0 ? first : EVERYWHERE;
  return [alertOf(stage, place, startedAt, stateDraft(first.why, more.length === 0 ? [] : names))];
}

function stateTrouble(outcome: Outcome): string | undefined {
  const notice = outcome.notices.find(
    (one): one is Extract<Notice, { kind: 'state-unavailable' }> => one.kind === 'state-unavailable',
  );
  if (notice) return notice.why;
  const problem = problemIn(outcome);
  return problem?.kind === 'state-unavailable' ? problem.message : undefined;
}

/** What discoveries have found changed, since their last inventories. */
export function changeAlerts({
  stage,
  startedAt,
  changes = [],
}: Pick<ReportInput, 'stage' | 'startedAt' | 'changes'>): readonly Alert[] {
  return changes.map((change) => alertOf(stage, change, startedAt, changeDraft(change)));
}

/** `episode` (epoch ms) names the event in the id, where another job may have to report the same one again. */
export function alertOf(stage: string, { instance, node }: Place, at: number, draft: Draft, episode = at): Alert {
  const { event, severity, title, why, facts, next, figures, detail } = draft;
  const time = isoText(at);
  return {
    schema: ALERT_SCHEMA,
    // It names the event only: a repeated delivery has the same id, and so does a job that finishes another job's work.
    id: [stage, instance, node, event, ...(detail === undefined ? [] : [detail]), isoText(episode)].join('/'),
    event,
    severity,
    at: time,
    stage,
    instance,
    node,
    title: `${instance === 'all' ? 'all instances' : instance}: ${title}`,
    why,
    facts,
    next,
    ...(figures && { figures }),
  };
}
