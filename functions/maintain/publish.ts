import type { Alert } from '../shared/contracts/alert.ts';
import type { Metric } from '../shared/contracts/metrics.ts';
import type { PublishReport } from '../shared/contracts/sinks.ts';
import type { Outcome } from './decide/outcome.ts';
import { planText } from './decide/words.ts';
import { problemOf } from './look.ts';
import { deliver, looseAlerts } from './outbox.ts';
import type { Log, Ports } from './ports.ts';

/** What a tick has to tell. */
export interface Telling {
  readonly holder: string;
  readonly outcomes: readonly Outcome[];
  readonly metrics: readonly Metric[];
  readonly alerts: readonly Alert[];
  /** The state could not be read: the outbox is not asked. */
  readonly isBlind: boolean;
  /** False: nothing more is begun. */
  readonly hasTime: () => boolean;
}

/**
 * Tells what came of a tick: one log line an outcome, then metrics and alerts side by side (a dead endpoint costs ten seconds).
 * Returns how many could not be delivered.
 */
export async function publish(
  ports: Pick<Ports, 'metrics' | 'alerts' | 'clock' | 'log' | 'store'>,
  { holder, outcomes, metrics, alerts, isBlind, hasTime }: Telling,
): Promise<number> {
  for (const outcome of outcomes) logOutcome(ports.log, outcome);
  const [metricReport, alertReport] = await Promise.all([
    // Neither may keep the other from being told.
    ports.metrics.publish(metrics).catch((error: unknown) => unsent('metrics', error)),
    (isBlind ? ports.alerts.send(looseAlerts(alerts, ports.log)) : deliver(ports, holder, alerts, hasTime)).catch(
      (error: unknown) => unsent('alerts', error),
    ),
  ]);
  logRejections(ports.log, 'metrics not published', metricReport);
  logRejections(ports.log, 'alerts not sent', alertReport);
  return metricReport.rejected.length + alertReport.rejected.length;
}

function unsent(what: string, error: unknown): PublishReport {
  return { sent: 0, rejected: [{ what, why: problemOf(error).message }] };
}

function logOutcome(log: Log, outcome: Outcome): void {
  const { instance, node, status, plan, verdict, problem, diagnosis, leased, pause } = outcome;
  const { opsPerSecond, mainThreadCpu } = outcome;
  const fields = {
    instance,
    node,
    status,
    ...(diagnosis?.layers && { layers: diagnosis.layers, ratio: diagnosis.ratio }),
    ...(plan && { plan, why: planText(plan, 'UTC', { now: outcome.observation?.at, diagnosis }) }),
    ...(verdict && { verdict }),
    ...(problem && { problem }),
    ...(leased && { leased }),
    ...(pause && { pause }),
    ...(opsPerSecond !== undefined && { opsPerSecond }),
    ...(mainThreadCpu !== undefined && { mainThreadCpu }),
  };
  if (status === 'failed') log.error('node failed', fields);
  else if (status === 'not-reached') log.warn('node not reached', fields);
  else if (status === 'unreachable') log.warn('node unreachable', fields);
  else log.info(status === 'acted' ? 'node maintained' : 'node observed', fields);
}

function logRejections(log: Log, message: string, { sent, rejected }: PublishReport): void {
  if (rejected.length > 0) log.error(message, { sent, rejected });
}
