import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecretReader } from '../../core/adapters/aws/secrets.ts';
import { systemClock } from '../../core/adapters/clock.ts';
import type { Names } from '../../core/adapters/dns/names.ts';
import { createPorts } from '../../core/compose.ts';
import { parseConfig } from '../../core/config/parse.ts';
import type { Config } from '../../core/config/schema.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Metric } from '../../core/domain/metric.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { type Tick, type TickOptions, WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';

/** An always open window; floors low enough for servers of a hundred megabytes. */
export const OPEN = `
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]`;

/** A window that is closed now and for hours to come. */
export function closedWindow(now = new Date()): string {
  const hour = String((now.getUTCHours() + 12) % 24).padStart(2, '0');
  return `
    timezone: UTC
    windows: [{ days: daily, start: "${hour}:00", duration: 1h }]`;
}

export const SMALL_FLOORS = `
    purge: { minReclaim: 24MiB, maxBlock: 1s }
    defrag: { minReclaim: 24MiB, maxStall: 100ms }
    maxOpsPerSecond: 100000`;

export function configYaml(port: number, body = OPEN + SMALL_FLOORS, id = 'sessions'): string {
  return `notifications: { digest: never }\ninstances:\n  - id: ${id}\n    url: redis://127.0.0.1:${port}${body}\n`;
}

/** @throws where the test's own YAML is wrong. */
export function configOf(yaml: string): Config {
  const result = parseConfig(yaml, 'test');
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return result.config;
}

export interface Job extends Disposable {
  readonly ports: Ports;
  readonly metrics: Metric[];
  readonly alerts: Alert[];
  readonly logs: { readonly level: string; readonly message: string; readonly fields?: unknown }[];
  readonly stateFile: string;
  tick(options?: Partial<TickOptions>): Promise<Tick>;
}

/** The real job on real servers with a real state file; metrics and alerts are kept for the test to look at. */
export function aJob(
  yaml: string,
  overrides: {
    readonly clock?: Clock;
    /** Where `env:` references point; or else `secrets`. */
    readonly env?: Record<string, string>;
    readonly secrets?: SecretReader;
    readonly names?: Names;
    readonly stateFile?: string;
    /** In place of the ports that keep everything for the test. */
    readonly others?: (kept: Ports) => Partial<Ports>;
  } = {},
): Job {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-job-'));
  const stateFile = overrides.stateFile ?? join(folder, 'state.db');
  const clock = overrides.clock ?? systemClock();
  const metrics: Metric[] = [];
  const alerts: Alert[] = [];
  const logs: Job['logs'] = [];
  const at = (level: string) => (message: string, fields?: unknown) => void logs.push({ level, message, fields });
  const log: Log = { info: at('info'), warn: at('warn'), error: at('error') };
  const kept = createPorts({
    store: createFileStore(stateFile),
    metrics: { publish: async (some) => ({ sent: metrics.push(...some), rejected: [] }) },
    alerts: { send: async (some) => ({ sent: alerts.push(...some), rejected: [] }) },
    clock,
    log,
    env: overrides.env ?? {},
    ...(overrides.secrets && { secrets: overrides.secrets }),
    ...(overrides.names && { names: overrides.names }),
  });
  const ports = { ...kept, ...overrides.others?.(kept) };
  const config = configOf(yaml);
  return {
    ports,
    metrics,
    alerts,
    logs,
    stateFile,
    tick: (options) =>
      tick(config, ports, { mode: 'act', holder: 'test', remaining: () => 600_000, scope: WHOLE_FLEET, ...options }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
