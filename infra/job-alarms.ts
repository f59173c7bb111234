import type { Config } from '../core/config/schema.ts';
import { DIMENSION, JOB_METRICS, NAMESPACE } from '../core/domain/metric-catalogue.ts';
import { type AlarmSpec, alarm, type MetricSource } from './alarm.ts';
import { getAtt, type Resources } from './cloudformation.ts';
import { functionName } from './functions.ts';
import { ID, stackName } from './names.ts';
import { ANCHORS } from './runbook.ts';

/** How many ticks may be missing before somebody is told: one can be lost to a deployment, two to a bad minute. */
const SILENT_TICKS = 3;

/** A throttled tick waits for the running one and is tried again; this many periods of it mean that none gets through. */
const THROTTLED_PERIODS = 3;

/** One tick may be short of time; after so many, some nodes are watched by nobody, and their own alarms stand still. */
const SHORT_TICKS = 3;

/** Whether the job itself is well. */
export function jobAlarms(config: Config): Resources {
  return {
    JobAlarmErrors: alarm(config, errors(config)),
    JobAlarmNotRunning: alarm(config, notRunning(config)),
    JobAlarmNotReached: alarm(config, notReached(config)),
    JobAlarmThrottled: alarm(config, throttled(config)),
    JobAlarmDeadLetters: alarm(
      config,
      deadLetters('job', ID.maintainDeadLetters, ANCHORS.jobDeadLetters, 'The schedule or Lambda gave up on a tick.'),
    ),
    TopicAlarmUndelivered: alarm(config, undelivered(config)),
  };
}

function errors(config: Config): AlarmSpec {
  return {
    ...aboveZero(lambdaMetric(functionName(config.stage, 'maintain'), 'Errors')),
    subject: 'job',
    what: 'errors',
    severity: 'warning',
    says: 'A run of the job failed; what it saw was published before that. Its log says which node, and why.',
    anchor: ANCHORS.jobErrors,
  };
}

/** The dead-man: a job that does not run at all raises nothing else, so that here missing data is the alarm. */
function notRunning({ stage }: Config): AlarmSpec {
  const { name } = JOB_METRICS.heartbeat;
  const dimensions = { [DIMENSION.stage]: stage };
  return {
    subject: 'job',
    what: 'not-running',
    severity: 'critical',
    says: `No run of the job has been completed for ${SILENT_TICKS} ticks: nothing is watched, and a defrag that is on stays on. Look at the schedule, the function's errors and its way to CloudWatch.`,
    anchor: ANCHORS.jobNotRunning,
    source: { metric: { namespace: NAMESPACE, name, dimensions, statistic: 'SampleCount' } },
    comparison: 'LessThanThreshold',
    threshold: 1,
    periods: SILENT_TICKS,
    missing: 'breaching',
  };
}

/** Nodes that were not reached have no metrics: neither healthy nor unreachable is what their own alarms may say. */
function notReached({ stage }: Config): AlarmSpec {
  const { name } = JOB_METRICS.nodesNotReached;
  const dimensions = { [DIMENSION.stage]: stage };
  return {
    ...aboveZero({ namespace: NAMESPACE, name, dimensions, statistic: 'Maximum' }),
    subject: 'job',
    what: 'nodes-not-reached',
    severity: 'warning',
    says: `In ${SHORT_TICKS} runs in a row there was no time left to look at some nodes: what the other alarms say of these is out of date. The log names them. Take nodes that do not answer out of the config, or raise schedule.every.`,
    anchor: ANCHORS.jobNotReached,
    periods: SHORT_TICKS,
  };
}

function throttled(config: Config): AlarmSpec {
  return {
    ...aboveZero(lambdaMetric(functionName(config.stage, 'maintain'), 'Throttles')),
    subject: 'job',
    what: 'throttled',
    severity: 'warning',
    says: 'Runs of the job have been refused for several ticks in a row. Either one hangs until its time-out, or the account has no concurrency left.',
    anchor: ANCHORS.jobThrottled,
    periods: THROTTLED_PERIODS,
  };
}

function undelivered({ stage }: Config): AlarmSpec {
  const name = 'NumberOfNotificationsFailed';
  const dimensions = { TopicName: stackName(stage, 'alerts') };
  return {
    ...aboveZero({ namespace: 'AWS/SNS', name, dimensions, statistic: 'Sum' }),
    subject: 'alerts',
    what: 'undelivered',
    severity: 'warning',
    says: 'SNS could not deliver a message to one of the subscribers; the others have this one. Look at the subscriptions of the topic.',
    anchor: ANCHORS.undelivered,
  };
}

/** Alarms of the Slack function, only where there is one. Whatever of it fails reaches the e-mail subscribers. */
export function notifierAlarms(config: Config): Resources {
  const notifierErrors: AlarmSpec = {
    ...aboveZero(lambdaMetric(functionName(config.stage, 'notifySlack'), 'Errors')),
    subject: 'notifier',
    what: 'errors',
    severity: 'warning',
    says: 'Messages could not be posted to Slack; they are tried again for two hours. The log says what Slack answered.',
    anchor: ANCHORS.notifierErrors,
  };
  const lost = deadLetters(
    'notifier',
    ID.notifierDeadLetters,
    ANCHORS.notifierDeadLetters,
    'A message did not reach Slack in two hours, and is not tried again.',
  );
  return {
    NotifierAlarmErrors: alarm(config, notifierErrors),
    NotifierAlarmDeadLetters: alarm(config, lost),
  };
}

function deadLetters(subject: string, queueId: string, anchor: AlarmSpec['anchor'], meaning: string): AlarmSpec {
  const name = 'ApproximateNumberOfMessagesVisible';
  const dimensions = { QueueName: getAtt(queueId, 'QueueName') };
  return {
    ...aboveZero({ namespace: 'AWS/SQS', name, dimensions, statistic: 'Maximum' }),
    subject,
    what: 'dead-letters',
    severity: 'warning',
    says: `${meaning} Read the message in the dead-letter queue, then purge the queue.`,
    anchor,
    // An idle queue stops reporting after some hours, with what it holds.
    missing: 'ignore',
  };
}

/** AWS publishes counts of failures only when there is something to count. */
function aboveZero(metric: MetricSource) {
  return {
    source: { metric },
    comparison: 'GreaterThanThreshold',
    threshold: 0,
    periods: 1,
    missing: 'notBreaching',
  } as const;
}

function lambdaMetric(FunctionName: string, name: string): MetricSource {
  return { namespace: 'AWS/Lambda', name, dimensions: { FunctionName }, statistic: 'Sum' };
}
