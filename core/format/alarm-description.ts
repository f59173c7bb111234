import type { Severity } from '../domain/alert.ts';

/**
 * What the description of each of Offpeak's CloudWatch alarms says. CloudWatch sends an alarm's name and description with a change of its
 * state, and neither tags nor other fields: so what programs need of an alarm stands there, on lines of its own. infra/ writes it, the
 * Slack function reads it, and people read it in mails and in the console.
 */
export interface AlarmDescription {
  /** What is the matter. */
  readonly means: string;
  /** What to do about it. */
  readonly next: string;
  readonly severity: Exclude<Severity, 'info'>;
  /** An address; without one in the config, the name of a section of the runbook. */
  readonly runbook: string;
}

const OVER = 'If OK: it is over. Nothing to do.';
const UNKNOWN = 'If INSUFFICIENT_DATA: CloudWatch has no values, so whether it holds is unknown.';

const FORM =
  /^If ALARM \((?<severity>warning|critical)\): (?<means>[^\n]+)\nWhat to do then: (?<next>[^\n]+)\nIf OK: [^\n]+\nIf INSUFFICIENT_DATA: [^\n]+\nRunbook: (?<runbook>[^\n]+)$/;

/**
 * The description as text, a line for each part. None of the parts holds a line break. A description is the same in every state, and
 * CloudWatch's own mails show it at the end of an alarm, too: so it says what is true in which state.
 */
export function printAlarmDescription({ means, next, severity, runbook }: AlarmDescription): string {
  return [`If ALARM (${severity}): ${means}`, `What to do then: ${next}`, OVER, UNKNOWN, `Runbook: ${runbook}`].join(
    '\n',
  );
}

/** The parts of a description, or undefined for a text that {@link printAlarmDescription} has not written. */
export function parseAlarmDescription(text: string): AlarmDescription | undefined {
  const { means = '', next = '', severity, runbook = '' } = FORM.exec(text)?.groups ?? {};
  return severity === 'warning' || severity === 'critical' ? { means, next, severity, runbook } : undefined;
}
