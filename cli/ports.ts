import { createSecretReader } from '../core/adapters/aws/secrets.ts';
import { createPorts } from '../core/compose.ts';
import type { SecretReference } from '../core/config/address.ts';
import { ENVIRONMENT } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import type { Alert } from '../core/domain/alert.ts';
import type { Metric } from '../core/domain/metric.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { AlertSink, MetricSink } from '../core/ports/sinks.ts';
import type { StateStore } from '../core/ports/state-store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a tick would have published, or has: for the terminal. */
export interface Published {
  readonly metrics: Metric[];
  readonly alerts: Alert[];
}

/** Where a run publishes, besides the terminal. */
interface Publishing {
  /** The stage of a deployed job: where it sends metrics and alerts. */
  readonly publish?: Config | undefined;
  /** Where the address is kept to which alerts are posted. */
  readonly webhook?: SecretReference | undefined;
  /** Where `env:` references point. */
  readonly env?: Environment;
  /** There is no config: servers are named on the command line. */
  readonly isAddressed?: true | undefined;
}

/**
 * Everything that a run from a terminal needs. With `publish`, metrics and alerts also go where a deployed job sends them; without it,
 * that job's pending alerts stay in its table.
 */
export async function terminalPorts(
  store: StateStore,
  clock: Clock,
  log: Log,
  { publish, webhook, env = process.env, isAddressed }: Publishing = {},
): Promise<{ readonly ports: Ports; readonly published: Published }> {
  const published: Published = { metrics: [], alerts: [] };
  const sinks = publish && (await import('../core/adapters/aws/sinks.ts')).createSinks(process.env, publish);
  const secrets = createSecretReader({ env });
  const receivers = [
    ...(sinks ? [sinks.alerts] : []),
    ...(webhook ? [(await import('../core/adapters/webhook.ts')).createWebhookSink(() => secrets.read(webhook))] : []),
  ];
  const metrics: MetricSink = {
    async publish(metrics) {
      published.metrics.push(...metrics);
      return (await sinks?.metrics.publish(metrics)) ?? { sent: metrics.length, rejected: [] };
    },
  };
  const alerts: AlertSink = {
    ...(sinks?.alerts.hasNightlyDigest && { hasNightlyDigest: true }),
    isPrivate: receivers.length === 0 && process.env[ENVIRONMENT.stateTable] !== undefined,
    async send(alerts) {
      published.alerts.push(...alerts);
      const reports = await Promise.all(receivers.map((one) => one.send(alerts)));
      const rejected = reports.flatMap((one) => one.rejected);
      return { sent: Math.max(0, alerts.length - rejected.length), rejected };
    },
  };
  const ports = createPorts({ store, metrics, alerts, clock, log, env, secrets, isAddressed });
  return { ports, published };
}

/** Structured lines on stderr: stdout belongs to the command's own output. */
export function stderrLog({ verbose = false }: { readonly verbose?: boolean }): Log {
  const line =
    (level: string) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      process.stderr.write(`${JSON.stringify({ level, message, ...fields }, errorsAsText)}\n`);
    };
  return { info: verbose ? line('INFO') : () => {}, warn: verbose ? line('WARN') : () => {}, error: line('ERROR') };
}

function errorsAsText(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? String(value)) : value;
}
