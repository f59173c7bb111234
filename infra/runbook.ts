import type { Config } from '../core/config/schema.ts';

/** The headings of docs/runbook.md to which alarms link. */
const HEADINGS = {
  fragmentationWarning: 'Fragmentation, warning',
  fragmentationCritical: 'Fragmentation, critical',
  rssCritical: 'RSS near the limit',
  unreachable: 'Unreachable',
  jobErrors: 'Job errors',
  jobNotRunning: 'Job not running',
  jobNotReached: 'Nodes not reached',
  jobThrottled: 'Job throttled',
  jobDeadLetters: 'Job dead letters',
  notifierErrors: 'Notifier errors',
  notifierDeadLetters: 'Notifier dead letters',
  undelivered: 'Alerts undelivered',
} as const;

/** As GitHub makes it of a heading: `fragmentation-warning`. */
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(',', '').replaceAll(' ', '-');

export const ANCHORS = Object.fromEntries(
  Object.entries(HEADINGS).map(([section, heading]) => [section, anchorOf(heading)]),
) as Readonly<Record<keyof typeof HEADINGS, string>>;

/** An address that leads to the section; without `runbook` in the config, the name of the section. */
export function runbookPlace({ runbook }: Pick<Config, 'runbook'>, anchor: string): string {
  const heading = Object.values(HEADINGS).find((one) => anchorOf(one) === anchor);
  return runbook === undefined ? `docs/runbook.md, section "${heading}"` : `${runbook}#${anchor}`;
}
