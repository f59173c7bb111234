import type { Outcome } from '../domain/outcome.ts';
import type { ReportInput, RunReport } from '../domain/report.ts';
import type { Log } from '../ports/log.ts';
import { report } from '../reporting/report.ts';
import { planText } from '../reporting/wording/plan.ts';
import { problemOf } from './observe-fleet.ts';

/** What a tick tells, and the outcomes that it tells of. */
export interface Reportable extends RunReport {
  readonly outcomes: readonly Outcome[];
}

/**
 * The report of a tick. An outcome that cannot be told (a time that no calendar has, in a document that was not ours) becomes a failed one,
 * so that the others are told.
 */
export function reportable(input: ReportInput, log: Log): Reportable {
  if (failureToTell(input) === undefined) return { outcomes: input.outcomes, ...report(input) };
  const outcomes = input.outcomes.map((outcome) => {
    const { instance, node, leased, observation } = outcome;
    const failure = failureToTell({ ...input, outcomes: [outcome] });
    if (failure === undefined) return outcome;
    log.error('unexpected failure to tell what came of a node', { instance, node, error: failure });
    const bare: Outcome = {
      instance,
      node,
      status: 'failed',
      problem: problemOf(failure),
      notices: [],
      ...(leased !== undefined && { leased }),
    };
    const seen = observation ? { ...bare, observation } : bare;
    return failureToTell({ ...input, outcomes: [seen] }) === undefined ? seen : bare;
  });
  return { outcomes, ...report({ ...input, outcomes }) };
}

function failureToTell(input: ReportInput): unknown {
  try {
    report(input);
    for (const { plan, observation, diagnosis } of input.outcomes) {
      if (plan) planText(plan, 'UTC', { now: observation?.at, diagnosis });
    }
    return undefined;
  } catch (error) {
    return error;
  }
}
