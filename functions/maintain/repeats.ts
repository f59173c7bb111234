import { HOUR, type Milliseconds } from '../shared/config/units.ts';
import type { Alert } from '../shared/contracts/alert.ts';
import type { AlertSink, PublishReport } from '../shared/contracts/sinks.ts';
import type { Clock } from './ports.ts';

/** A store that is down lasts: that is the Errors alarm's to tell. The message says why, and reminds whoever has read past it. */
const AGAIN_AFTER: Milliseconds = 6 * HOUR;

/**
 * Tells of a store that cannot be used once in six hours for each place, not with each tick: without a store nobody can remember that it
 * was told, but whoever lives for long (a container, a watch) can. Every other alert passes.
 */
export function withoutRepeats(sink: AlertSink, { now }: Pick<Clock, 'now'>): AlertSink {
  const toldAt = new Map<string, number>();
  const sendLasting = async (alert: Alert): Promise<PublishReport> => {
    const place = `${alert.stage}/${alert.instance}/${alert.node}`;
    if (now() - (toldAt.get(place) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER) return { sent: 1, rejected: [] };
    const report = await sink.send([alert]);
    if (report.rejected.length === 0) toldAt.set(place, now());
    return report;
  };
  return {
    ...sink,
    async send(alerts) {
      const { lasting = [], passing = [] } = Object.groupBy(alerts, ({ event }) =>
        event === 'state-unavailable' ? 'lasting' : 'passing',
      );
      const reports = await Promise.all([
        ...lasting.map(sendLasting),
        ...(passing.length > 0 ? [sink.send(passing)] : []),
      ]);
      return {
        sent: reports.reduce((sum, { sent }) => sum + sent, 0),
        rejected: reports.flatMap(({ rejected }) => rejected),
      };
    },
  };
}
