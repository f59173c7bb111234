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

const FORM =
  /^(?<means>[^\n]+)\nNext: (?<next>[^\n]+)\nSeverity: (?<severity>warning|critical)\nRunbook: (?<runbook>[^\n]+)$/;

/** The description as text, a line for each part. None of the parts holds a line break. */
export function printAlarmDescription({ means, next, severity, runbook }: AlarmDescription): string {
  return [means, `Next: ${next}`, `Severity: ${severity}`, `Runbook: ${runbook}`].join('\n');
}

/** The parts of a description, or undefined for a text that {@link printAlarmDescription} has not written. */
export function parseAlarmDescription(text: string): AlarmDescription | undefined {
  const { means = '', next = '', severity, runbook = '' } = FORM.exec(text)?.groups ?? {};
  return severity === 'warning' || severity === 'critical' ? { means, next, severity, runbook } : undefined;
}
