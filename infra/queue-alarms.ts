import { usesQueue } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import { JOB_METRICS } from '../core/domain/job-metrics.ts';
import { type AlarmSpec, alarm, deadLetters, notRunning, SILENT_TICKS } from './alarm.ts';
import { getAtt, type Resources } from './cloudformation.ts';
import { stageMetric } from './counts.ts';
import { ID } from './names.ts';
import { ANCHORS } from './runbook.ts';
import { minutesText } from './words.ts';

/** Whether the workers keep up with the dispatch: only where there are any. */
export function queueAlarms(config: Config): Resources {
  if (!usesQueue(config)) return {};
  return {
    WorkAlarmNotRunning: alarm(config, workersNotRunning(config)),
    WorkAlarmDeadLetters: alarm(
      config,
      deadLetters(
        'workers',
        ID.batchDeadLetters,
        ANCHORS.workDeadLetters,
        'A worker has failed on a batch of nodes. The next tick has handed out the same nodes again.',
      ),
    ),
    WorkAlarmQueueAge: alarm(config, age(config)),
  };
}

/** The dispatch may be well and no worker: then nothing is watched. */
function workersNotRunning(config: Config): AlarmSpec {
  return {
    ...notRunning(stageMetric(config, JOB_METRICS.reported, 'SampleCount')),
    subject: 'workers',
    means: `No worker has reported a node for ${SILENT_TICKS} ticks. Nothing is watched, and a defrag that is on stays on.`,
    next: 'Read the log of the workers, then check the dead letters and whether the event source of the queue is enabled.',
    anchor: ANCHORS.workNotRunning,
  };
}

/** A batch that is older than a tick is dropped: some nodes were not checked in it. */
function age(config: Config): AlarmSpec {
  const { every } = config.schedule;
  const dimensions = { QueueName: getAtt(ID.batchQueue, 'QueueName') };
  const name = 'ApproximateAgeOfOldestMessage';
  return {
    subject: 'workers',
    what: 'queue-age',
    severity: 'warning',
    means: `Batches have waited for their worker for more than ${minutesText(every)}, which is one tick. Such batches are dropped, and their nodes are not checked in that tick.`,
    next: 'Raise fleet.workers or schedule.every, or check whether the account has concurrency left.',
    anchor: ANCHORS.workQueueAge,
    source: { metric: { namespace: 'AWS/SQS', name, dimensions, statistic: 'Maximum' } },
    comparison: 'GreaterThanThreshold',
    threshold: every / SECOND,
    periods: SILENT_TICKS,
    missing: 'notBreaching',
  };
}
