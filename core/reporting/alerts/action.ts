import type { AlertFact } from '../../domain/alert.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Plan, Step } from '../../domain/plan.ts';
import type { NodeReport } from '../../domain/report.ts';
import { bytesText, durationText, sentence, timeText, unworded } from '../../format/units.ts';
import { reasonText } from '../wording/plan.ts';
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
import { stopDraft } from './stop.ts';

type StartDefrag = Extract<Step, { kind: 'start-defrag' }>;

/** The alert of a plan that was carried out; none, where the alert of another step of the same tick includes it. */
export function actionDraft(outcome: Outcome, report: NodeReport): Draft | undefined {
  const { status, plan } = outcome;
  if (status !== 'acted' || plan?.kind !== 'act') return undefined;
  switch (plan.action.kind) {
    case 'purge':
      return belongsToStop(outcome, report) ? undefined : purgeDraft(outcome, report, plan);
    case 'start-defrag':
      return startDraft(outcome, report, plan, plan.action);
    case 'stop-defrag':
      return stopDraft(outcome, report, plan.action);
  }
  throw new TypeError(unworded(plan.action));
}

/** The purge after a defrag is part of the defrag, whose alert has its figures. */
function belongsToStop({ plan }: Outcome, { outcomes }: NodeReport): boolean {
  return (
    plan?.kind === 'act' &&
    plan.reason === 'after-defrag' &&
    outcomes.some(
      (other) => other.status === 'acted' && other.plan?.kind === 'act' && other.plan.action.kind === 'stop-defrag',
    )
  );
}

function purgeDraft(outcome: Outcome, report: NodeReport, plan: Plan): Draft {
  const { verdict } = outcome;
  const cooldown = report.config?.purge.cooldown;
  const common = {
    why: whyText(outcome, report, plan),
    facts: [...(verdict ? verdictFacts(verdict) : []), ...nodeFacts(outcome)],
    ...(verdict && { figures: verdictFigures(verdict, report) }),
  };
  if (verdict && verdict.kind !== 'improved') {
    const title = `a purge returned ${bytesText(verdict.reclaimed)} of ${bytesText(verdict.predicted)} predicted`;
    return { event: 'action-ineffective', severity: 'warning', title, next: growingText('purge', cooldown), ...common };
  }
  const title = verdict ? `${bytesText(verdict.reclaimed)} returned by a purge` : 'purged';
  return { event: 'purged', severity: 'info', title, next: `Nothing to do. ${againText(cooldown)}`, ...common };
}

function startDraft(
  outcome: Outcome,
  report: NodeReport,
  plan: Extract<Plan, { kind: 'act' }>,
  action: StartDefrag,
): Draft {
  const { observation } = outcome;
  const { config } = report;
  const rss = observation?.memory.usedMemoryRss;
  const promised = config?.defrag.maxStall;
  const until = timeText(action.expiresAt, { timezone: config?.timezone, now: observation?.at });
  const facts: readonly AlertFact[] = [
    ...(rss === undefined ? [] : [{ label: 'RSS', value: bytesText(rss), figure: 'rssBefore' } as const]),
    { label: 'Predicted', value: `${bytesText(plan.predicted.reclaim)} back`, figure: 'predictedBytes' },
    ...(promised === undefined
      ? []
      : [{ label: 'Promised', value: `at most ${durationText(promised)} for a cycle, in 99.9 % of the time` }]),
    { label: 'Ends', value: `${until} at the latest` },
    ...settingsFact(outcome.settings),
    ...nodeFacts(outcome),
  ];
  return {
    event: 'defrag-started',
    severity: 'info',
    title: `active defrag started, ${bytesText(plan.predicted.reclaim)} predicted back`,
    why: whyText(outcome, report, plan),
    facts,
    next: 'Nothing to do. Offpeak monitors it, ends it, and restores every setting.',
    figures: {
      ...(rss !== undefined && { rssBefore: rss }),
      predictedBytes: plan.predicted.reclaim,
      ...(promised !== undefined && { promisedStallMs: promised }),
      ...limitFigure(config),
    },
  };
}

function whyText({ observation, diagnosis }: Outcome, { config }: NodeReport, plan: Plan): string {
  return sentence(reasonText(plan, config?.timezone, { now: observation?.at, diagnosis }));
}
