import type { Alert } from '../domain/alert.ts';
import { type Failed, latestIn, type Outcome, planIn, stepsOf } from '../domain/outcome.ts';
import { configOf, type ReportInput, type RunReport } from '../domain/report.ts';
import type { Log } from '../ports/log.ts';
import { changeAlerts, outcomeAlerts, stateAlerts } from '../reporting/alerts/alerts.ts';
import { metricsOf } from '../reporting/metrics.ts';
import { planText } from '../reporting/wording/plan.ts';
import { type Announced, eventOf } from './announcer.ts';
import { problemOf } from './observe-fleet.ts';

/** What a tick reports, and the outcomes that it reports. */
export interface Reportable extends RunReport {
  readonly outcomes: readonly Outcome[];
}

/**
 * The report of a tick: all metrics, and the alerts that the outbox does not have yet. An outcome that cannot be reported (a time that no
 * calendar has, in a document that another program wrote) becomes a failed one, so that the others are reported.
 */
export function reportable(input: ReportInput, { events, unkept }: Announced, log: Log): Reportable {
  const announced = new Set(events);
  const reports = input.outcomes.map((outcome) => nodeReport(outcome, input, announced.has(eventOf(outcome)), log));
  const outcomes = reports.map(({ outcome }) => outcome);
  const alerts = [
    // A state that no worker can read is reported by the dispatch.
    ...(input.problem && input.part?.kind === 'batch' ? [] : stateAlerts({ ...input, outcomes })),
    ...changeAlerts(input),
    ...unkept,
    ...reports.flatMap((one) => one.alerts),
  ];
  return { outcomes, alerts, metrics: metricsOf({ ...input, outcomes }) };
}

interface NodeReport {
  readonly outcome: Outcome;
  readonly alerts: readonly Alert[];
}

function nodeReport(outcome: Outcome, input: ReportInput, isAnnounced: boolean, log: Log): NodeReport {
  try {
    for (const step of stepsOf(outcome)) whyText(step);
    return { outcome, alerts: isAnnounced ? [] : outcomeAlerts(outcome, configOf(outcome, input), input) };
  } catch (error) {
    const { instance, node, leased } = outcome;
    log.error('unexpected failure to report what came of a node', { instance, node, error });
    const before = latestIn(outcome);
    const failed: Failed = {
      instance,
      node,
      kind: 'failed',
      problem: problemOf(error),
      leased,
      notices: [],
      ...(before && { before }),
    };
    return { outcome: failed, alerts: [] };
  }
}

/** The plan in words, as the log has it. */
export function whyText(outcome: Outcome): string | undefined {
  const plan = planIn(outcome);
  const now = latestIn(outcome)?.observation.at;
  return plan && planText(plan, 'UTC', { now, diagnosis: outcome.before?.diagnosis });
}
