import type { Config } from '../core/config/schema.ts';
import { getAtt, type ResourceOf, type Resources, ref } from './cloudformation.ts';
import { NOTIFIER_TIMEOUT } from './functions.ts';
import { notifierAlarms } from './job-alarms.ts';
import { ID, stackName } from './names.ts';
import type { Network } from './network.ts';
import { policy } from './policies.ts';
import { notifierRole } from './roles.ts';

/** AWS asks for six times the function's time-out; a try every six minutes. */
const AGAIN = 6 * NOTIFIER_TIMEOUT;
/** Tries for two hours: Slack is sometimes down for that long. */
const TRIES = 20;

/** What the Slack function needs around it: nothing at all where the config names no webhook. */
export function notifier(config: Config, network: Network): Resources {
  const { slack } = config.notifications;
  if (slack === undefined) return {};
  return {
    [ID.notifierRole]: notifierRole(config, slack.webhook, network),
    [ID.notifierQueue]: queue(stackName(config.stage, 'notify-slack'), {
      VisibilityTimeout: AGAIN,
      RedrivePolicy: { deadLetterTargetArn: getAtt(ID.notifierDeadLetters, 'Arn'), maxReceiveCount: TRIES },
    }),
    [ID.notifierDeadLetters]: queue(stackName(config.stage, 'notify-slack-dead-letters')),
    ...subscription(),
    ...notifierAlarms(config),
  };
}

/** A queue, also one of dead letters, that keeps messages for as long as SQS can: two weeks. */
export function queue(
  QueueName: string,
  more: ResourceOf<'AWS::SQS::Queue'>['Properties'] = {},
): ResourceOf<'AWS::SQS::Queue'> {
  const Properties = { QueueName, MessageRetentionPeriod: 14 * 24 * 3600, ...more, SqsManagedSseEnabled: true };
  return { Type: 'AWS::SQS::Queue', Properties };
}

/**
 * The topic's messages wait in a queue, and the function takes one at a time: a message that fails keeps no other one back, and comes
 * again by itself. Two invocations at once are the fewest that SQS knows. Reserved concurrency would make it one, but an account may
 * have none to reserve.
 */
function subscription(): Resources {
  const queueArn = getAtt(ID.notifierQueue, 'Arn');
  const deadLettersArn = getAtt(ID.notifierDeadLetters, 'Arn');
  return {
    NotifySlackSubscription: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: ref(ID.topic),
        Protocol: 'sqs',
        Endpoint: queueArn,
        // For what SNS cannot deliver to the queue. Messages on which the function fails come here another way.
        RedrivePolicy: { deadLetterTargetArn: deadLettersArn },
      },
    },
    NotifySlackQueueSource: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: queueArn,
        FunctionName: getAtt(ID.notifier, 'Arn'),
        BatchSize: 1,
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    },
    NotifySlackQueuesPolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [ref(ID.notifierQueue), ref(ID.notifierDeadLetters)],
        PolicyDocument: policy([
          {
            Effect: 'Allow',
            Principal: { Service: 'sns.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: [queueArn, deadLettersArn],
            Condition: { ArnEquals: { 'aws:SourceArn': ref(ID.topic) } },
          },
        ]),
      },
    },
  };
}
