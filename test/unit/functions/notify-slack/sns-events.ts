import type { SNSEvent, SNSEventRecord, SQSRecord } from 'aws-lambda';
import { snsMessage } from '../../../../core/adapters/aws/sns-message.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import { alertSubject } from '../../../../core/format/alert-text.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts';

/** A record as Lambda gets it from SNS. */
export function aRecord(over: Partial<SNSEventRecord['Sns']> = {}): SNSEventRecord {
  return {
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    EventSubscriptionArn: `${TOPIC}:6f4e1f2a-0b1c-4d6e-9a55-2f1e0c3b7d10`,
    Sns: {
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
    },
  };
}

/** What SNS hands to Lambda of an alert that the job has published: the text of the `lambda` protocol, or else the default. */
export function alertRecord(alert: Alert, over: Partial<SNSEventRecord['Sns']> = {}): SNSEventRecord {
  const texts: Readonly<Record<string, string>> = JSON.parse(snsMessage(alert).body);
  return aRecord({ Subject: alertSubject(alert), Message: texts.lambda ?? texts.default ?? '', ...over });
}

/** The same message as the queue hands it to Lambda: SNS' own envelope is its body. */
export function queued({ Sns }: SNSEventRecord, receipt = Sns.MessageId): SQSRecord {
  const { MessageAttributes, ...rest } = Sns;
  return {
    messageId: receipt,
    receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
    body: JSON.stringify(rest),
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
  };
}

/** An alarm's change of state. */
export function alarmRecord(alarm: Readonly<Record<string, unknown>>): SNSEventRecord {
  const subject = `${alarm.NewStateValue}: "${alarm.AlarmName}" in EU (Ireland)`;
  return aRecord({ Subject: subject, Message: JSON.stringify(alarm) });
}

/** Records with message ids of their own. */
export function anEvent(...records: readonly SNSEventRecord[]): SNSEvent {
  return {
    Records: records.map((record, index) => ({
      ...record,
      Sns: { ...record.Sns, MessageId: `${record.Sns.MessageId.slice(0, -3)}${String(index).padStart(3, '0')}` },
    })),
  };
}
