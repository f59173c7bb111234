import type { SNSMessage, SQSEvent } from 'aws-lambda';
import { snsMessage } from '../../../../core/adapters/aws/sns-message.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import { alertSubject } from '../../../../core/format/alert-layout.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts';

/** A message as SNS delivers it. */
export function aNotification(over: Partial<SNSMessage> = {}): SNSMessage {
  return {
    Type: 'Notification',
    MessageId: 'e2f6cbd3-7a5c-5d1f-8d0a-95b1f6f0c001',
    TopicArn: TOPIC,
    Subject: 'A subject',
    Message: 'A text',
    Timestamp: '2026-11-23T02:14:06.001Z',
    SignatureVersion: '1',
    Signature: 'bm90IGNoZWNrZWQgYnkgTGFtYmRh',
    SigningCertUrl: 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem',
    UnsubscribeUrl: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
    MessageAttributes: {},
    ...over,
  };
}

/** What SNS hands to the queue of an alert that the job has published: the text of the `sqs` protocol, or else the default. */
export function alertNotification(alert: Alert, over: Partial<SNSMessage> = {}): SNSMessage {
  const texts: Readonly<Record<string, string>> = JSON.parse(snsMessage(alert).body);
  return aNotification({ Subject: alertSubject(alert), Message: texts.sqs ?? texts.default ?? '', ...over });
}

/** An alarm's change of state. */
export function alarmNotification(alarm: Readonly<Record<string, unknown>>): SNSMessage {
  const subject = `${alarm.NewStateValue}: "${alarm.AlarmName}" in EU (Ireland)`;
  return aNotification({ Subject: subject, Message: JSON.stringify(alarm) });
}

/** What Lambda is invoked with: one record of the queue, whose body is SNS' own envelope. */
export function anEvent({ MessageAttributes, ...rest }: SNSMessage, body = JSON.stringify(rest)): SQSEvent {
  return {
    Records: [
      {
        messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
        receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
        body,
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: '1763863000000',
          SenderId: 'AIDAIT2UOQQY3AUEKVGXU',
          ApproximateFirstReceiveTimestamp: '1763863000001',
        },
        messageAttributes: {},
        md5OfBody: 'not checked',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:offpeak-prod-notify-slack',
        awsRegion: 'eu-west-1',
      },
    ],
  };
}
