import type { Config } from '../core/config/schema.ts';
import { JOB_METRICS } from '../core/domain/job-metrics.ts';
import { type AlarmSource, type AlarmSpec, aboveZero, alarm, deadLetters, notRunning, SILENT_TICKS } from './alarm.ts';
import { getAtt, type Resources } from './cloudformation.ts';
import { countOf, notReachedOf, stageMetric } from './counts.ts';
import { functionName, type JobFunction, jobFunctions } from './functions.ts';
import { ID } from './names.ts';
import { ANCHORS } from './runbook.ts';
import { silentChecks } from './unreachable.ts';

/** A throttled tick waits for the running one and is tried again; this many periods of it mean that none gets through. */
const THROTTLED_PERIODS = 3;

/** One tick may be short of time; after so many, some nodes are not watched, and their own alarms stand still. */
const SHORT_TICKS = 3;

/** A seed restarts, an API throttles: the inventory serves meanwhile. */
const UNDISCOVERED_TICKS = 3;

/** Whether the job itself is well. */
export function jobAlarms(config: Config): Resources {
  return {
    ...ofEachFunction(config, 'Errors', errors),
    JobAlarmNotRunning: alarm(config, jobNotRunning(config)),
    JobAlarmNotReached: alarm(config, notReached(config)),
    JobAlarmMisconfigured: alarm(config, misconfigured(config)),
    ...(config.instances.some(({ discover }) => discover) && {
      JobAlarmUndiscovered: alarm(config, undiscovered(config)),
    }),
    ...ofEachFunction(config, 'Throttled', throttled),
    JobAlarmDeadLetters: alarm(
      config,
      deadLetters(
        'job',
        ID.maintainDeadLetters,
        ANCHORS.jobDeadLetters,
        'Scheduler or Lambda gave up on a run of the job.',
      ),
    ),
    TopicAlarmUndelivered: alarm(config, undelivered()),
  };
}

/** What the alarms of each function are about. The one that the schedule invokes is the job. */
const SUBJECT: Readonly<Record<JobFunction, string>> = { maintain: 'job', dispatch: 'job', work: 'workers' };

function ofEachFunction(
  config: Config,
  what: 'Errors' | 'Throttled',
  specOf: (config: Config, key: JobFunction) => AlarmSpec,
): Resources {
  const alarms = jobFunctions(config).map((key) => {
    const subject = key === 'work' ? 'Work' : 'Job';
    return [`${subject}Alarm${what}`, alarm(config, specOf(config, key))] as const;
  });
  return Object.fromEntries(alarms);
}

function errors(config: Config, key: JobFunction): AlarmSpec {
  return {
    ...aboveZero(lambdaMetric(functionName(config.stage, key), 'Errors')),
    subject: SUBJECT[key],
    what: 'errors',
    severity: 'warning',
    means: 'A run of the job failed. What it observed was published before that.',
    next: 'Read the log of the job: it names the node and the reason.',
    anchor: ANCHORS.jobErrors,
  };
}

function jobNotRunning(config: Config): AlarmSpec {
  return {
    ...notRunning(stageMetric(config, JOB_METRICS.heartbeat, 'SampleCount')),
    subject: 'job',
    means: `No run of the job has been completed for ${SILENT_TICKS} ticks. Nothing is watched, and a defrag that is on stays on.`,
    next: 'Check the schedule, the errors of the function, and whether it can reach CloudWatch.',
    anchor: ANCHORS.jobNotRunning,
  };
}

/** Nodes that were not reached have no metrics: their own alarms can say neither healthy nor unreachable. */
function notReached(config: Config): AlarmSpec {
  return {
    ...aboveZero(notReachedOf(config)),
    subject: 'job',
    what: 'nodes-not-reached',
    severity: 'warning',
    means: `In ${SHORT_TICKS} runs in a row no time was left to check some nodes. What the other alarms say of these nodes is out of date.`,
    next: 'Read the log of the job: it names the nodes. Take nodes that do not answer out of the config, or raise schedule.every.',
    anchor: ANCHORS.jobNotReached,
    periods: SHORT_TICKS,
  };
}

/**
 * A server that its own team cannot see is as bad as one that does not answer, so it is critical. Its own alarm keeps its state: nothing
 * is known of the server.
 */
function misconfigured(config: Config): AlarmSpec {
  const checks = silentChecks(config);
  return {
    ...aboveZero(countOf(config, JOB_METRICS.nodesMisconfigured)),
    subject: 'job',
    what: 'nodes-misconfigured',
    severity: 'critical',
    means: `In ${checks} checks in a row Offpeak could not check some nodes because of its own config: a secret, variable, file or region that it names is missing or cannot be used, or an address is not one of a data node. These servers may be well, but are not watched.`,
    next: 'Read the log of the job: the lines "config problem of Offpeak" and "not a data node" name the node, the reference and the cause. Correct the config, or what it names.',
    anchor: ANCHORS.jobMisconfigured,
    periods: checks,
    // A tick that did not come says nothing of the config.
    missing: 'ignore',
  };
}

/** For a time the last inventory counts. Then the nodes are not watched, and without data their other alarms say nothing. */
function undiscovered(config: Config): AlarmSpec {
  return {
    ...aboveZero({ metric: stageMetric(config, JOB_METRICS.undiscovered, 'Maximum') }),
    subject: 'job',
    what: 'instances-undiscovered',
    severity: 'critical',
    means: `In ${UNDISCOVERED_TICKS} runs in a row the nodes of some instances could not be discovered. The nodes that were found last are watched for a week; new ones are not watched.`,
    next: 'Read the log of the job, or run `npx offpeak check` with its config: it names the instance and the reason.',
    anchor: ANCHORS.jobUndiscovered,
    periods: UNDISCOVERED_TICKS,
  };
}

function throttled(config: Config, key: JobFunction): AlarmSpec {
  return {
    ...aboveZero(lambdaMetric(functionName(config.stage, key), 'Throttles')),
    subject: SUBJECT[key],
    what: 'throttled',
    severity: 'warning',
    means: 'Lambda has refused runs of the job for several ticks in a row.',
    next: 'Check whether a run hangs until its time-out, or the account has no concurrency left.',
    anchor: ANCHORS.jobThrottled,
    periods: THROTTLED_PERIODS,
  };
}

function undelivered(): AlarmSpec {
  const name = 'NumberOfNotificationsFailed';
  const dimensions = { TopicName: getAtt(ID.topic, 'TopicName') };
  return {
    ...aboveZero({ metric: { namespace: 'AWS/SNS', name, dimensions, statistic: 'Sum' } }),
    subject: 'alerts',
    what: 'undelivered',
    severity: 'warning',
    means: 'SNS could not deliver a message to one of the subscribers. The other subscribers have it.',
    next: 'Check the subscriptions of the topic.',
    anchor: ANCHORS.undelivered,
  };
}

/** Alarms of the Slack function, only where there is one. E-mail subscribers get them when Slack does not. */
export function notifierAlarms(config: Config): Resources {
  const notifierErrors: AlarmSpec = {
    ...aboveZero(lambdaMetric(functionName(config.stage, 'notifySlack'), 'Errors')),
    subject: 'notifier',
    what: 'errors',
    severity: 'warning',
    means: 'A message could not be posted to Slack. It is tried again for two hours.',
    next: 'Read the log of the Slack function: it says what Slack answered.',
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

function lambdaMetric(FunctionName: string, name: string): AlarmSource {
  return { metric: { namespace: 'AWS/Lambda', name, dimensions: { FunctionName }, statistic: 'Sum' } };
}
