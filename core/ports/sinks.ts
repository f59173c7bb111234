import type { Alert } from '../domain/alert.ts';
import type { Metric } from '../domain/metric-catalogue.ts';

/** Something that a sink could not deliver. Both texts are for people and hold no secrets. */
export interface Rejection {
  readonly what: string;
  readonly why: string;
}

/** `sent` counts metrics or alerts that were accepted; together with what `rejected` names, it accounts for all. */
export interface PublishReport {
  readonly sent: number;
  readonly rejected: readonly Rejection[];
}

/** What several calls have come to. */
export function combined(reports: readonly PublishReport[]): PublishReport {
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    rejected: reports.flatMap(({ rejected }) => rejected),
  };
}

/** Takes the metrics of a tick. A service that fails is reported, never thrown: it must not fail the maintenance. */
export interface MetricSink {
  publish(metrics: readonly Metric[]): Promise<PublishReport>;
}

/** Takes the alerts of a tick. A service that fails is reported, never thrown: it must not fail the maintenance. */
export interface AlertSink {
  /** It reaches whoever runs this, and nobody else: what other jobs owe to people is not for it to tell. */
  readonly isPrivate?: boolean;
  send(alerts: readonly Alert[]): Promise<PublishReport>;
}
