import type { Alert } from '../domain/alert.ts';
import type { Metric } from '../domain/metric.ts';

/** Something that a sink could not deliver. Both texts are for people and hold no secrets. */
export interface Rejection {
  readonly what: string;
  readonly why: string;
}

/** `sent` counts accepted metrics or alerts; together with those in `rejected` it accounts for all. */
export interface PublishReport {
  readonly sent: number;
  readonly rejected: readonly Rejection[];
}

/** The sum of several reports. */
export function combined(reports: readonly PublishReport[]): PublishReport {
  return {
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
    rejected: reports.flatMap(({ rejected }) => rejected),
  };
}

/** Publishes the metrics of a tick. Reports the failure of a service and never throws: it must not fail the maintenance. */
export interface MetricSink {
  publish(metrics: readonly Metric[]): Promise<PublishReport>;
}

/** Sends the alerts of a tick. Reports the failure of a service and never throws: it must not fail the maintenance. */
export interface AlertSink {
  /** It only reaches the person who runs this command: it does not send what other jobs have queued. */
  readonly isPrivate?: boolean;
  /** Its subscribers get infos in one message at the end of a night. */
  readonly hasNightlyDigest?: boolean;
  send(alerts: readonly Alert[]): Promise<PublishReport>;
}
