import { HOUR, type Milliseconds } from '../shared/config/units.ts';
import type { Alert } from '../shared/contracts/alert.ts';
import { type AlertSink, combined, type PublishReport } from '../shared/contracts/sinks.ts';
import type { Clock } from './ports.ts';

/** A store that is down lasts: that is the Errors alarm's to tell. The message says why, and reminds whoever has read past it. */
const AGAIN_AFTER: Milliseconds = 6 * HOUR;
/** Days' worth of events. */
const REMEMBERED = 1000;

/** A clock that was set back must not make silence longer: what was told in the future is told again. */
function isDueAgain(since: Milliseconds): boolean {
  return since < 0 || since >= AGAIN_AFTER;
}

/**
 * Tells nothing twice, as far as whoever lives for long (a container, a watch) can remember without a store: no event whose delivery could
 * not be noted in the outbox; and a store that cannot be used once in six hours for each place, not with each tick.
 */
export function withoutRepeats(sink: AlertSink, { now }: Pick<Clock, 'now'>): AlertSink {
  const toldAt = new Map<string, number>();
  const sendNews = async (alert: Alert): Promise<PublishReport> => {
    const isLasting = alert.event === 'state-unavailable';
    const name = isLasting ? `${alert.stage}/${alert.instance}/${alert.node}` : alert.id;
    const told = toldAt.get(name);
    if (told !== undefined && !(isLasting && isDueAgain(now() - told))) return { sent: 1, rejected: [] };
    const report = await sink.send([alert]);
    if (report.rejected.length > 0) return report;
    toldAt.set(name, now());
    const [oldest] = toldAt.keys();
    if (toldAt.size > REMEMBERED && oldest !== undefined) toldAt.delete(oldest);
    return report;
  };
  return {
    ...sink,
    async send(alerts) {
      return combined(await Promise.all(alerts.map(sendNews)));
    },
  };
}
