import { createHash } from 'node:crypto';
import type { Alert } from '../domain/alert.ts';
import type { Log } from '../ports/log.ts';
import type { PublishReport } from '../ports/sinks.ts';
import { digestOf, MOST_AT_ONCE, messagesOf } from './digest.ts';
import { nightlyDigestOf } from './night-digest.ts';

type Many<T> = readonly [T, ...T[]];

/** Neither sent nor rejected. */
export const NOTHING_SENT: PublishReport = { sent: 0, rejected: [] };

/** Alerts that no store holds, or digests of them. */
export function looseAlerts(alerts: readonly Alert[], log: Log): readonly Alert[] {
  const events = alerts.map((alert) => ({ alert }));
  const parts = Array.from({ length: Math.ceil(events.length / MOST_AT_ONCE) }, (_, part) =>
    events.slice(part * MOST_AT_ONCE, (part + 1) * MOST_AT_ONCE),
  );
  return parts.flatMap(messagesOf).map((group) => {
    const [first, ...more] = group;
    return more.length === 0 ? first.alert : digested([first.alert, ...alertsOf(more)], digestId(group), log);
  });
}

export function notSent(alerts: readonly Alert[], why: string): PublishReport {
  const [first, ...more] = alerts;
  if (!first) return NOTHING_SENT;
  const what = more.length === 0 ? first.title : `${first.title}, and ${more.length} more`;
  return { sent: 0, rejected: [{ what, why: `not tried: ${why}` }] };
}

/** A digest has no room for all details of each node: the log has them. */
export function digested(alerts: Many<Alert>, digest: string, log: Log): Alert {
  for (const { id, title, why, facts, next } of alerts)
    log.info('sent in a digest', { digest, id, title, why, facts, next });
  return isNightly(digest) ? nightlyDigestOf(alerts, digest) : digestOf(alerts, digest);
}

/** The id of a digest is all that a repeat knows of its kind. */
const NIGHT = '/night/';

export function nightlyId(digest: string): string {
  return digest.replace('/digest/', NIGHT);
}

function isNightly(digest: string): boolean {
  return digest.includes(NIGHT);
}

/** The same for the same events. */
export function digestId(group: Many<{ readonly alert: Alert }>, ...more: readonly string[]): string {
  const ids = group.map(({ alert }) => alert.id).toSorted();
  const hash = createHash('sha256')
    .update([...more, ...ids].join('\n'))
    .digest('hex');
  return `${group[0].alert.stage}/digest/${hash.slice(0, 32)}`;
}

export function alertsOf(group: readonly { readonly alert: Alert }[]): readonly Alert[] {
  return group.map(({ alert }) => alert);
}
