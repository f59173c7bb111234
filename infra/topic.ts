import type { Config } from '../core/config/schema.ts';
import { arn, byLogicalId, type Resources, ref } from './cloudformation.ts';
import { alarmName, digest, ID, stackName } from './names.ts';
import type { Resource } from './resource-types.ts';

/**
 * The one topic for alerts and alarms, and who gets them as e-mail. It is not encrypted with alias/aws/sns: CloudWatch
 * alarms cannot use that key, and their messages would be lost without an error.
 */
export function topic({ stage, notifications }: Config): Resources {
  const name = stackName(stage, 'alerts');
  const subscriptions = notifications.emails.map((Endpoint): [string, Resource] => [
    `AlertEmail${digest(Endpoint.toLowerCase())}`,
    { Type: 'AWS::SNS::Subscription', Properties: { TopicArn: ref(ID.topic), Protocol: 'email', Endpoint } },
  ]);
  return {
    [ID.topic]: { Type: 'AWS::SNS::Topic', Properties: { TopicName: name, DisplayName: `Offpeak ${stage}` } },
    AlertTopicPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: { Topics: [ref(ID.topic)], PolicyDocument: policy(stage) },
    },
    ...byLogicalId(subscriptions),
  };
}

/** This policy replaces the default one. The job publishes with its role; the alarms have no role and need this statement. */
function policy(stage: string) {
  const onlyThisAccount = {
    StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
    ArnLike: { 'aws:SourceArn': arn('cloudwatch', `alarm:${alarmName(stage, '*', '*')}`) },
  };
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'AlarmsOfThisAccount',
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: ref(ID.topic),
        Condition: onlyThisAccount,
      },
    ],
  };
}
