import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Alert } from '../domain/alert.ts';
import type { Clock } from '../ports/clock.ts';
import { type AlertSink, combined, type PublishReport } from '../ports/sinks.ts';

/** A store that is down lasts: that is the Errors alarm's to tell. The message says why, and reminds whoever has read past it. */
const AGAIN_AFTER: Milliseconds = 6 * HOUR;
/** Days' worth of events. */
const REMEMBERED = 1000;
/** What digests have told: ten of the largest. */
const REMEMBERED_MEMBERS = 10_000;

/** A clock that was set back must not make silence longer: what was told in the future is told again. */
function isDueAgain(since: Milliseconds): boolean {
  return since < 0 || since >= AGAIN_AFTER;
}

/**
 * Tells nothing twice, as far as whoever lives for long (a container, a watch) can remember without a store: no event whose delivery could
 * not be noted in the outbox; and a store that cannot be used once in six hours for each place, not with each tick. A digest passes when
 * one of its events is new.
 */
export function deduplicate(sink: AlertSink, { now }: Pick<Clock, 'now'>): AlertSink {
  const toldAt = new Map<string, number>();
  const toldInDigests = new Set<string>();
  const isTold = (alert: Alert): boolean => {
    const told = toldAt.get(nameOf(alert));
    if (told !== undefined && !(isLasting(alert) && isDueAgain(now() - told))) return true;
    return !isLasting(alert) && (alert.members ?? [alert]).every(({ id }) => toldInDigests.has(id));
  };
  const sendNews = async (alert: Alert): Promise<PublishReport> => {
    if (isTold(alert)) return { sent: 1, rejected: [] };
    const report = await sink.send([alert]);
    if (report.rejected.length > 0) return report;
    toldAt.set(nameOf(alert), now());
    forget(toldAt, REMEMBERED);
    for (const { id } of alert.members ?? []) toldInDigests.add(id);
    forget(toldInDigests, REMEMBERED_MEMBERS);
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
function forget(told: Set<string> | Map<string, number>, most: number): void {
  for (const oldest of told.keys()) {
    if (told.size <= most) return;
    told.delete(oldest);
  }
}
