import { createCloudWatchClient } from './adapters/aws/clients.ts';
import { createMetricSink } from './adapters/aws/cloudwatch.ts';
import { createSecretReader, type SecretReader } from './adapters/aws/secrets.ts';
import { createAlertSink } from './adapters/aws/sns.ts';
import { systemClock } from './adapters/clock.ts';
import { readConfig } from './adapters/config-file.ts';
import type { Names } from './adapters/dns/names.ts';
import { sessionOpener } from './adapters/redis/node-session.ts';
import { deduplicate } from './alerts/deduplicate.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from './config/clear-text.ts';
import { ENVIRONMENT, EnvironmentError, required } from './config/environment.ts';
import type { Config } from './config/schema.ts';
import { cacheLeases } from './leases/lease-cache.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Ports } from './ports/ports.ts';
import type { AlertSink, MetricSink } from './ports/sinks.ts';
import type { StateStore } from './ports/state-store.ts';
import { openStateStore } from './state/open-store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What differs from host to host: Lambda, terminal, bench, test. */
export interface HostParts {
  readonly store: StateStore;
  readonly metrics: MetricSink;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  readonly log: Log;
  /** Where `env:` references of the config point. */
  readonly env: Environment;
  /** In place of the readers of secrets and names that are made of these. */
  readonly secrets?: SecretReader;
  readonly names?: Names;
}

/** The one place where adapters meet ports: every host gets the same decorated stack. */
export function createPorts({ store, metrics, alerts, clock, log, env, secrets, names }: HostParts): Ports {
  return {
    open: sessionOpener(secrets ?? createSecretReader({ env, now: clock.now }), clock, names),
    sightings: new Map(),
    store: cacheLeases(store),
    metrics,
    alerts: deduplicate(alerts, clock),
    clock,
    log,
  };
}

/**
 * Everything that a container needs, made once.
 * @throws {EnvironmentError} {ConfigError} {AwsEnvironmentError} naming what is missing or wrong.
 */
export function compose(env: Environment, log: Log): { readonly config: Config; readonly ports: Ports } {
  const stage = required(env, ENVIRONMENT.stage, 'the stage, like prod');
  const config = readConfig(env[ENVIRONMENT.configFile] || `config/${stage}.yml`, stage);
  for (const { instance, nodes } of passwordsInClear(config))
    log.warn('the password crosses the network unencrypted', { instance, nodes, next: CLEAR_TEXT_REMEDY });
  const store = stateStore(env);
  return { config, ports: createPorts({ ...createSinks(env, config), store, clock: systemClock(), log, env }) };
}

/** Where a deployed job publishes: CloudWatch and its SNS topic. @throws {EnvironmentError} {AwsEnvironmentError} */
export function createSinks(env: Environment, config: Config): Pick<HostParts, 'metrics' | 'alerts'> {
  return { metrics: createMetricSink(createCloudWatchClient()), alerts: alertSink(env, config) };
}

function stateStore(env: Environment): StateStore {
  const { stateTable, stateFile } = ENVIRONMENT;
  const purpose = `the path of the state file, or set ${stateTable} to the name of a table`;
  const otherwise = () => required(env, stateFile, purpose);
  return openStateStore(env, { asked: env[stateFile], askedBy: stateFile, otherwise });
}

/** The sink names its own option; the person who set it up knows the variable. */
function alertSink(env: Environment, config: Config): AlertSink {
  const { chat, digest } = config.notifications;
  const runbook = env[ENVIRONMENT.runbookUrl] || config.runbook;
  const topicArn = required(env, ENVIRONMENT.alertTopicArn, 'the ARN of the SNS topic for alerts');
  try {
    return createAlertSink({
      topicArn,
      ...(chat !== undefined && { https: chat }),
      ...(runbook && { runbook }),
      hasNightlyDigest: digest === 'info',
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EnvironmentError(`${ENVIRONMENT.alertTopicArn} cannot be used: ${error.message}`);
  }
}
