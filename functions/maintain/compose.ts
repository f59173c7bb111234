import { createCloudWatchClient } from '../shared/aws/clients.ts';
import { createMetricSink } from '../shared/aws/cloudwatch.ts';
import { createSecretReader } from '../shared/aws/secrets.ts';
import { createAlertSink } from '../shared/aws/sns.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from '../shared/config/clear-text.ts';
import type { Config } from '../shared/config/schema.ts';
import { ENVIRONMENT, EnvironmentError, required } from '../shared/contracts/environment.ts';
import type { AlertSink } from '../shared/contracts/sinks.ts';
import type { StateStore } from '../shared/state/store.ts';
import { systemClock } from './clock.ts';
import { readConfig } from './config-file.ts';
import { rememberingLeases } from './known-leases.ts';
import type { Log, Ports } from './ports.ts';
import { withoutRepeats } from './repeats.ts';
import { sessionOpener } from './session.ts';
import { openStateStore } from './state-store.ts';

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
  const clock = systemClock();
  return {
    config,
    ports: {
      open: sessionOpener(createSecretReader({ env, now: clock.now }), clock),
      sightings: new Map(),
      store: rememberingLeases(stateStore(env)),
      metrics: createMetricSink(createCloudWatchClient()),
      alerts: withoutRepeats(alertSink(env, config), clock),
      clock,
      log,
    },
  };
}

function stateStore(env: Environment): StateStore {
  const { stateTable, stateFile } = ENVIRONMENT;
  const purpose = `the path of the state file, or ${stateTable} a table's name`;
  const otherwise = () => required(env, stateFile, purpose);
  return openStateStore(env, { asked: env[stateFile], askedBy: stateFile, otherwise });
}

/** The sink names its own option; whoever set it up knows the variable. @throws {EnvironmentError} {AwsEnvironmentError} */
export function alertSink(env: Environment, { notifications: { chat } }: Config): AlertSink {
  const topicArn = required(env, ENVIRONMENT.alertTopicArn, 'the ARN of the SNS topic for alerts');
  try {
    return createAlertSink({ topicArn, ...(chat !== undefined && { https: chat }) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EnvironmentError(`${ENVIRONMENT.alertTopicArn} cannot be used: ${error.message}`);
  }
}
