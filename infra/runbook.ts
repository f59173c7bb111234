import type { Config } from '../core/config/schema.ts';

/** The headings of docs/runbook.md to which alarms link. */
export const ANCHORS = {
  fragmentationWarning: 'fragmentation-warning',
  fragmentationCritical: 'fragmentation-critical',
  rssCritical: 'rss-near-the-limit',
  unreachable: 'unreachable',
  jobErrors: 'job-errors',
  jobNotRunning: 'job-not-running',
  jobNotReached: 'nodes-not-reached',
  jobThrottled: 'job-throttled',
  jobDeadLetters: 'job-dead-letters',
  notifierErrors: 'notifier-errors',
  notifierDeadLetters: 'notifier-dead-letters',
  undelivered: 'alerts-undelivered',
} as const;

export type Anchor = (typeof ANCHORS)[keyof typeof ANCHORS];

const HEADINGS: Readonly<Record<Anchor, string>> = {
  'fragmentation-warning': 'Fragmentation, warning',
  'fragmentation-critical': 'Fragmentation, critical',
  'rss-near-the-limit': 'RSS near the limit',
  unreachable: 'Unreachable',
  'job-errors': 'Job errors',
  'job-not-running': 'Job not running',
  'nodes-not-reached': 'Nodes not reached',
  'job-throttled': 'Job throttled',
  'job-dead-letters': 'Job dead letters',
  'notifier-errors': 'Notifier errors',
  'notifier-dead-letters': 'Notifier dead letters',
  'alerts-undelivered': 'Alerts undelivered',
};

/** An address that leads to the section; without `runbook` in the config, the name of the section. */
export function runbookPlace({ runbook }: Pick<Config, 'runbook'>, anchor: Anchor): string {
  return runbook === undefined ? `docs/runbook.md, section "${HEADINGS[anchor]}"` : `${runbook}#${anchor}`;
}
