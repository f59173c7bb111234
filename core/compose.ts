import { createCloudWatchClient } from './adapters/aws/clients.ts';
import { createMetricSink } from './adapters/aws/cloudwatch.ts';
import { createAlertSink } from './adapters/aws/sns.ts';
import { systemClock } from './adapters/clock.ts';
import { readConfig } from './adapters/config-file.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from './config/clear-text.ts';
import { ENVIRONMENT, EnvironmentError, required } from './config/environment.ts';
import type { Config } from './config/schema.ts';
import { createPorts, type HostParts } from './create-ports.ts';
import { DIMENSION } from './domain/metric.ts';
import type { Log } from './ports/log.ts';
import type { Ports } from './ports/ports.ts';
import { combined, type MetricSink } from './ports/sinks.ts';
import type { StateStore } from './ports/state-store.ts';
import { openStateStore } from './state/open-store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

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
  return { metrics: metricSink(config), alerts: alertSink(env, config) };
}

/** Metrics of the job are always classic: the alarm on a job that does not run has to work whatever becomes of the others. */
function metricSink({ metrics: { send } }: Config): MetricSink {
  const client = createCloudWatchClient();
  const classic = createMetricSink(client);
  if (send === 'classic') return classic;
  let otlp: Promise<MetricSink> | undefined;
  return {
    async publish(metrics) {
      otlp ??= import('./adapters/aws/otlp.ts').then(({ createOtlpSink }) => createOtlpSink(client));
      const { nodes = [], job = [] } = Object.groupBy(metrics, ({ dimensions }) =>
        DIMENSION.node in dimensions ? 'nodes' : 'job',
      );
      return combined(await Promise.all([(await otlp).publish(nodes), classic.publish(job)]));
    },
  };
}

function stateStore(env: Environment): StateStore {
  const { stateTable, stateFile } = ENVIRONMENT;
  const purpose = `the path of the state file, or set ${stateTable} to the name of a table`;
  const otherwise = () => required(env, stateFile, purpose);
  return openStateStore(env, { asked: env[stateFile], askedBy: stateFile, otherwise });
}

/** The sink names its own option; the person who set it up knows the variable. */
function alertSink(
  env: Environment,
  { notifications: { chat, digest }, runbook: configured }: Config,
): HostParts['alerts'] {
  const runbook = env[ENVIRONMENT.runbookUrl] || configured;
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
