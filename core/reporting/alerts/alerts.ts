import { ALERT_SCHEMA, type Alert } from '../../domain/alert.ts';
import type { Notice, Outcome } from '../../domain/outcome.ts';
import type { NodeReport, ReportInput } from '../../domain/report.ts';
import { isoText } from '../../format/units.ts';
import { actionDraft } from './action.ts';
import type { Draft } from './draft.ts';
import { noticeDraft, stateDraft } from './notice.ts';

interface Place {
  readonly instance: string;
  readonly node: string;
}

const EVERYWHERE: Place = { instance: 'all', node: 'all' };

/**
 * One alert for each event of a tick. States (unreachable, near the limit) are CloudWatch alarms, and a bug raises the alarm on the Lambda's
 * errors: nothing is reported twice.
 */
export function alertsOf(input: ReportInput, nodes: readonly NodeReport[]): readonly Alert[] {
  const ofNodes = nodes.flatMap((report) =>
    report.outcomes.flatMap((outcome) =>
      draftsOf(outcome, report).map((draft) =>
        alertOf(input.stage, report, outcome.observation?.at ?? input.startedAt, draft, outcome.episode),
      ),
    ),
  );
  return [...stateAlerts(input, nodes), ...ofNodes];
}

function draftsOf(outcome: Outcome, report: NodeReport): readonly Draft[] {
  const action = actionDraft(outcome, report);
  const notices = outcome.notices
    .filter((notice) => notice.kind !== 'state-unavailable')
    .map((notice) => noticeDraft(notice, outcome, report));
  return [...(action ? [action] : []), ...notices];
}

/** A store that is down is one event for all nodes together. */
function stateAlerts({ stage, startedAt, problem }: ReportInput, nodes: readonly NodeReport[]): readonly Alert[] {
  if (problem) return [alertOf(stage, EVERYWHERE, startedAt, stateDraft(problem.why, []))];
  const affected = nodes.flatMap((report) => {
    const why = report.outcomes.map(stateTrouble).find((text) => text !== undefined);
    return why === undefined ? [] : [{ ...report, why }];
  });
  const [first, ...more] = affected;
  if (!first) return [];
  const names = affected.map(({ instance, node }) => `${instance} ${node}`);
  const place = more.length === 0 ? first : EVERYWHERE;
  return [alertOf(stage, place, startedAt, stateDraft(first.why, more.length === 0 ? [] : names))];
}

function stateTrouble({ notices, problem }: Outcome): string | undefined {
  const notice = notices.find(
    (one): one is Extract<Notice, { kind: 'state-unavailable' }> => one.kind === 'state-unavailable',
  );
  if (notice) return notice.why;
  return problem?.kind === 'state-unavailable' ? problem.message : undefined;
}

function alertOf(stage: string, { instance, node }: Place, at: number, draft: Draft, episode = at): Alert {
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
