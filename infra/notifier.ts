import type { Config } from '../functions/shared/config/schema.ts';
import { getAtt, type Resources, ref } from './cloudformation.ts';
import { notifierAlarms } from './job-alarms.ts';
import { ID, stackName } from './names.ts';
import type { Network } from './network.ts';
import { deadLetters } from './queues.ts';
import { notifierRole } from './roles.ts';

/** What the Slack function needs around it: nothing at all where the config names no webhook. */
export function notifier(config: Config, network: Network): Resources {
  const { slack } = config.notifications;
  if (slack === undefined) return {};
  return {
    [ID.notifierRole]: notifierRole(config, slack.webhook, network),
    [ID.notifierDeadLetters]: deadLetters(stackName(config.stage, 'notify-slack-dead-letters')),
    ...subscription(),
    ...notifierAlarms(config),
  };
}

function subscription(): Resources {
  const queueArn = getAtt(ID.notifierDeadLetters, 'Arn');
  return {
    NotifySlackSubscription: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: ref(ID.topic),
        Protocol: 'lambda',
        Endpoint: getAtt(ID.notifier, 'Arn'),
        // What SNS cannot hand to Lambda; what the function then fails at has its own way there.
        RedrivePolicy: { deadLetterTargetArn: queueArn },
      },
    },
    NotifySlackPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: getAtt(ID.notifier, 'Arn'),
        Principal: 'sns.amazonaws.com',
        SourceArn: ref(ID.topic),
      },
    },
    NotifySlackDeadLettersPolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [ref(ID.notifierDeadLetters)],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'sns.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: queueArn,
              Condition: { ArnEquals: { 'aws:SourceArn': ref(ID.topic) } },
            },
          ],
        },
      },
    },
  };
}
