import { ENVIRONMENT } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import { createPorts } from '../core/create-ports.ts';
import type { Alert } from '../core/domain/alert.ts';
import type { Metric } from '../core/domain/metric-catalogue.ts';
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

/**
 * Everything that a run from a terminal needs. With `publish`, metrics and alerts also go where a deployed job sends them; without it,
 * that job's pending alerts stay in its table. `env` is where `env:` references of the config point.
 */
export async function terminalPorts(
  store: StateStore,
  clock: Clock,
  log: Log,
  { publish, env = process.env }: { readonly publish?: Config | undefined; readonly env?: Environment } = {},
): Promise<{ readonly ports: Ports; readonly published: Published }> {
  const published: Published = { metrics: [], alerts: [] };
  const sinks = publish && (await import('../core/compose.ts')).createSinks(process.env, publish);
  const metrics: MetricSink = {
    async publish(metrics) {
      published.metrics.push(...metrics);
      return (await sinks?.metrics.publish(metrics)) ?? { sent: metrics.length, rejected: [] };
    },
  };
  const alerts: AlertSink = {
    ...(sinks?.alerts.hasNightlyDigest && { hasNightlyDigest: true }),
    isPrivate: !publish && process.env[ENVIRONMENT.stateTable] !== undefined,
    async send(alerts) {
      published.alerts.push(...alerts);
      return (await sinks?.alerts.send(alerts)) ?? { sent: alerts.length, rejected: [] };
    },
  };
  const ports = createPorts({ store, metrics, alerts, clock, log, env });
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
