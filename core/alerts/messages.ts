import { createHash } from 'node:crypto';
import type { Alert } from '../domain/alert.ts';
import type { Log } from '../ports/log.ts';
import type { PublishReport } from '../ports/sinks.ts';
import { digestOf, MOST_AT_ONCE, messagesOf } from './digest.ts';

type Many<T> = readonly [T, ...T[]];

/** By us, and by nobody else's fault. */
export const NOTHING_SENT: PublishReport = { sent: 0, rejected: [] };

/** The alerts, or the digests of them, in which what no store has kept is told. */
export function looseAlerts(alerts: readonly Alert[], log: Log): readonly Alert[] {
  const told = alerts.map((alert) => ({ alert }));
  const parts = Array.from({ length: Math.ceil(told.length / MOST_AT_ONCE) }, (_, part) =>
    told.slice(part * MOST_AT_ONCE, (part + 1) * MOST_AT_ONCE),
  );
  return parts.flatMap(messagesOf).map((group) => {
    const [first, ...more] = group;
    return more.length === 0 ? first.alert : digested([first.alert, ...alertsOf(more)], digestId(group), log);
  });
}

export function untold(alerts: readonly Alert[], why: string): PublishReport {
  const [first, ...more] = alerts;
  if (!first) return NOTHING_SENT;
  const what = more.length === 0 ? first.title : `${first.title}, and ${more.length} more`;
  return { sent: 0, rejected: [{ what, why: `not tried: ${why}` }] };
}

/** A digest has no room for all that is said of each node: the log has it. */
export function digested(alerts: Many<Alert>, digest: string, log: Log): Alert {
  for (const { id, title, why, facts, next } of alerts)
    log.info('told in a digest', { digest, id, title, why, facts, next });
  return digestOf(alerts, digest);
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
