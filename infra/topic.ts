import type { Config, Notifications } from '../core/config/schema.ts';
import type { MailTarget } from '../core/config/stack.ts';
import { arn, byLogicalId, type Intrinsic, type Resource, type Resources, ref } from './cloudformation.ts';
import { alarmName, digest, ID, stackName } from './names.ts';
import { policy } from './policies.ts';

/**
 * The one topic for alerts and alarms, and who gets them as e-mail. It is not encrypted with alias/aws/sns: CloudWatch
 * alarms cannot use that key, and their messages would be lost without an error.
 */
export function topic({ stage, notifications }: Config): Resources {
  const topics = [[ID.topic, 'alerts'] as const, ...alarmTopics(notifications)];
  return {
    ...byLogicalId(
      topics.map(([id, part]): [string, Resource] => [
        id,
        { Type: 'AWS::SNS::Topic', Properties: { TopicName: stackName(stage, part), DisplayName: `Offpeak ${stage}` } },
      ]),
    ),
    ...byLogicalId(
      topics.map(([id]): [string, Resource] => [
        `${id}Policy`,
        { Type: 'AWS::SNS::TopicPolicy', Properties: { Topics: [ref(id)], PolicyDocument: topicPolicy(stage, id) } },
      ]),
    ),
    ...byLogicalId(notifications.emails.flatMap(subscriptions)),
  };
}

/**
 * The topics that an alarm sends its states to. Messages of CloudWatch have no attributes, so that no filter of a subscription passes
 * them: who gets only what is worse gets alarms from topics of their own.
 */
export function topicsOfAlarm({ notifications }: Config, severity: 'warning' | 'critical'): readonly Intrinsic[] {
  const others = alarmTopics(notifications).filter(([, , from]) => severity === 'critical' || from === 'warning');
  return [ref(ID.topic), ...others.map(([id]) => ref(id))];
}

function alarmTopics({ emails }: Notifications) {
  const all = [
    [ID.alarmTopics.warning, 'alarms', 'warning'],
    [ID.alarmTopics.critical, 'alarms-critical', 'critical'],
  ] as const;
  return all.filter(([, , severity]) => emails.some(({ from }) => from === severity));
}

/** The address gets a mail for each subscription, and has to confirm each. */
function subscriptions({ address: Endpoint, from }: MailTarget): readonly (readonly [string, Resource])[] {
  const id = `AlertEmail${digest(Endpoint.toLowerCase())}`;
  const to = (topicId: string, filter = {}): Resource => ({
    Type: 'AWS::SNS::Subscription',
    Properties: { TopicArn: ref(topicId), Protocol: 'email', Endpoint, ...filter },
  });
  if (from === 'info') return [[id, to(ID.topic)]];
  const severity = from === 'warning' ? ['warning', 'critical'] : ['critical'];
  return [
    [id, to(ID.topic, { FilterPolicy: { severity } })],
    [`${id}Alarms`, to(ID.alarmTopics[from])],
  ];
}

/** This policy replaces the default one. The job publishes with its role; the alarms have no role and need this statement. */
function topicPolicy(stage: string, topicId: string) {
  const onlyThisAccount = {
    StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
    ArnLike: { 'aws:SourceArn': arn('cloudwatch', `alarm:${alarmName(stage, '*', '*')}`) },
  };
  return policy([
    {
      Sid: 'AlarmsOfThisAccount',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: ref(topicId),
      Condition: onlyThisAccount,
    },
  ]);
}
