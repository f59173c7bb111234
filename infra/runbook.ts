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

/** Where the runbook says what to do; without `runbook` in the config, its place in the repository. */
export function runbookLink({ runbook }: Pick<Config, 'runbook'>, anchor: Anchor): string {
  return `${runbook ?? 'docs/runbook.md'}#${anchor}`;
}
