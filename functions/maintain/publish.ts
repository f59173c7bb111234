import type { Alert } from '../shared/contracts/alert.ts';
import type { Metric } from '../shared/contracts/metrics.ts';
import type { PublishReport } from '../shared/contracts/sinks.ts';
import type { Outcome } from './decide/outcome.ts';
import { planText } from './decide/words.ts';
import type { Log, Ports } from './ports.ts';

/**
 * Tells what came of a tick: one log line an outcome, then metrics and alerts side by side (a dead endpoint costs ten seconds).
 * Returns how many could not be delivered.
 */
export async function publish(
  { metrics: metricSink, alerts: alertSink, log }: Pick<Ports, 'metrics' | 'alerts' | 'log'>,
  outcomes: readonly Outcome[],
  metrics: readonly Metric[],
  alerts: readonly Alert[],
): Promise<number> {
  for (const outcome of outcomes) logOutcome(log, outcome);
  const [metricReport, alertReport] = await Promise.all([metricSink.publish(metrics), alertSink.send(alerts)]);
  logRejections(log, 'metrics not published', metricReport);
  logRejections(log, 'alerts not sent', alertReport);
  return metricReport.rejected.length + alertReport.rejected.length;
}

function logOutcome(log: Log, outcome: Outcome): void {
  const { instance, node, status, plan, verdict, problem, diagnosis, leased, pause, opsPerSecond } = outcome;
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
  };
  if (status === 'failed') log.error('node failed', fields);
  else if (status === 'unreachable') log.warn('node unreachable', fields);
  else log.info(status === 'acted' ? 'node maintained' : 'node observed', fields);
}

function logRejections(log: Log, message: string, { sent, rejected }: PublishReport): void {
  if (rejected.length > 0) log.error(message, { sent, rejected });
}
