import { ENVIRONMENT, EnvironmentError, required } from '../../config/environment.ts';
import type { Config } from '../../config/schema.ts';
import { DIMENSION } from '../../domain/metric.ts';
import { type AlertSink, combined, type MetricSink } from '../../ports/sinks.ts';
import { createCloudWatchClient } from './clients.ts';
import { createMetricSink } from './cloudwatch.ts';
import { createAlertSink } from './sns.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a deployed job publishes: CloudWatch and its SNS topic. @throws {EnvironmentError} {AwsEnvironmentError} */
export function createSinks(
  env: Environment,
  config: Config,
): { readonly metrics: MetricSink; readonly alerts: AlertSink } {
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
      otlp ??= import('./otlp.ts').then(({ createOtlpSink }) => createOtlpSink(client));
      const { nodes = [], job = [] } = Object.groupBy(metrics, ({ dimensions }) =>
        DIMENSION.node in dimensions ? 'nodes' : 'job',
      );
      return combined(await Promise.all([(await otlp).publish(nodes), classic.publish(job)]));
    },
  };
}

/** The sink names its own option; the person who set it up knows the variable. */
function alertSink(env: Environment, { notifications: { chat, digest }, runbook: configured }: Config): AlertSink {
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
