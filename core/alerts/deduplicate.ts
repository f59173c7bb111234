import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../ports/clock.ts';
import { type AlertSink, combined, type PublishReport } from '../ports/sinks.ts';

/** A store that is down stays down for a while: the alarm on errors reports that. This message gives the reason, and is repeated as a reminder. */
const AGAIN_AFTER: Milliseconds = 6 * HOUR;
/** Days' worth of events. */
const REMEMBERED = 1000;
/** Events of digests: ten of the largest digests. */
const REMEMBERED_MEMBERS = 10_000;

/** A clock that was set back must not delay a repeat: what was sent in the future is sent again. */
function isDueAgain(since: Milliseconds): boolean {
  return since < 0 || since >= AGAIN_AFTER;
}

/**
 * Suppresses duplicate alerts for the lifetime of this process (a container, a watch): events whose delivery the outbox could not record. An
 * unavailable store is reported once in six hours for each place, not with each tick. A digest passes if one of its events is new.
 */
export function deduplicate(sink: AlertSink, { now }: Pick<Clock, 'now'>): AlertSink {
  const sentAt = new Map<string, number>();
  const sentInDigests = new Set<string>();
  const isKnown = (alert: Alert): boolean => {
    const since = sentAt.get(nameOf(alert));
    if (since !== undefined && !(isLasting(alert) && isDueAgain(now() - since))) return true;
    // A night's digest repeats warnings that other digests have had, and says more: its own name counts.
    if (isLasting(alert) || alert.event === 'nightly-digest') return false;
    return (alert.members ?? [alert]).every(({ id }) => sentInDigests.has(id));
  };
  const sendNews = async (alert: Alert): Promise<PublishReport> => {
    if (isKnown(alert)) return { sent: 1, rejected: [] };
    const report = await sink.send([alert]);
    if (report.rejected.length > 0) return report;
    sentAt.set(nameOf(alert), now());
    forget(sentAt, REMEMBERED);
    for (const { id } of alert.members ?? []) sentInDigests.add(id);
    forget(sentInDigests, REMEMBERED_MEMBERS);
    return report;
  };
  return {
    ...sink,
    async send(alerts) {
      return combined(await Promise.all(alerts.map(sendNews)));
    },
  };
}

function isLasting({ event }: Alert): boolean {
  return event === 'state-unavailable';
}

function nameOf(alert: Alert): string {
  return isLasting(alert) ? `${alert.stage}/${alert.instance}/${alert.node}` : alert.id;
}

/** The oldest first. */
function forget(sent: Set<string> | Map<string, number>, most: number): void {
  for (const oldest of sent.keys()) {
    if (sent.size <= most) return;
    sent.delete(oldest);
  }
}
