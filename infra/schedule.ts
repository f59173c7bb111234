import type { Config } from '../core/config/schema.ts';
import { MINUTE } from '../core/config/units.ts';
import { arn, getAtt, type ResourceOf, type Resources, ref } from './cloudformation.ts';
import { scheduledFunction } from './functions.ts';
import { ID, stackName } from './names.ts';
import { allow } from './policies.ts';
import { role } from './roles.ts';

/** The ticks. */
export function schedule(config: Config): Resources {
  const { every, timezone } = config.schedule;
  return {
    MaintainSchedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        Name: stackName(config.stage, 'maintain'),
        Description: 'Checks every instance, and acts inside its windows',
        ScheduleExpression: rate(every / MINUTE),
        ScheduleExpressionTimezone: timezone,
        // A tick that Scheduler delays within a flexible window would miss the first minutes of a maintenance window.
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        Target: {
          Arn: getAtt(ID[scheduledFunction(config)], 'Arn'),
          RoleArn: getAtt('ScheduleRole', 'Arn'),
          // A tick that is two ticks late is of no use: the next one checks the same nodes.
          RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: Math.max(60, (2 * every) / 1000) },
          DeadLetterConfig: { Arn: getAtt(ID.maintainDeadLetters, 'Arn') },
        },
      },
    },
    ScheduleRole: scheduleRole(config),
  };
}

/**
 * A rate and not a cron: on the night in autumn on which an hour comes twice, Scheduler runs a cron of a zone with summer time
 * for the first of them only. An hour without ticks would leave a defrag on, and raise the alarm not-running.
 */
function rate(minutes: number): string {
  if (minutes === 60) return 'rate(1 hour)';
  return minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`;
}

/**
 * Without a condition, Scheduler would assume this role for a schedule of any account. Its source is the schedule's group and not
 * the schedule itself (EventBridge Scheduler User Guide, Confused deputy prevention).
 */
function scheduleRole(config: Config): ResourceOf<'AWS::IAM::Role'> {
  const onlyThisAccount = {
    StringEquals: {
      'aws:SourceAccount': ref('AWS::AccountId'),
      'aws:SourceArn': arn('scheduler', 'schedule-group/default'),
    },
  };
  return role(
    'scheduler.amazonaws.com',
    [
      allow(['lambda:InvokeFunction'], [getAtt(ID[scheduledFunction(config)], 'Arn')]),
      allow(['sqs:SendMessage'], [getAtt(ID.maintainDeadLetters, 'Arn')]),
    ],
    { trust: onlyThisAccount },
  );
}
