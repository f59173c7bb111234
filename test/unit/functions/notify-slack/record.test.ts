import { describe, expect, test } from 'vitest';
import { noteOf } from '../../../../functions/notify-slack/record.ts';
import { aNotification, anEvent } from './sns-events.ts';

describe('what Lambda brings', () => {
  test('one record of the queue is the message of SNS in it', () => {
    expect(noteOf(anEvent(aNotification()))).toEqual({
      messageId: 'e2f6cbd3-7a5c-5d1f-8d0a-95b1f6f0c001',
      message: 'A text',
      subject: 'A subject',
      topicArn: 'arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts',
      timestamp: '2026-11-23T02:14:06.001Z',
    });
  });

  test('SNS leaves a subject out that there is not', () => {
    const { Subject: _, ...rest } = aNotification();
    expect(noteOf(anEvent(aNotification(), JSON.stringify(rest)))).toMatchObject({ subject: undefined });
  });

  const [record] = anEvent(aNotification()).Records;
  const direct = { Records: [{ EventSource: 'aws:sns', Sns: aNotification() }] };
  const ACCEPTED =
    'accepted is one record of SQS, {"Records": [{"eventSource": "aws:sqs", "messageId": …, "body": …}]}';
  test.each<[name: string, event: unknown, words: string]>([
    ['nothing', undefined, `the event is not from the queue: ${ACCEPTED}`],
    ['no records', { Records: [] }, `the event is not from the queue: ${ACCEPTED}`],
    ['a record of S3', { Records: [{ eventSource: 'aws:s3' }] }, `the event is not from the queue: ${ACCEPTED}`],
    ['SNS without the queue', direct, `the event is not from the queue: ${ACCEPTED}`],
    [
      'several records',
      { Records: [record, record] },
      `the event has 2 records (BatchSize of the event source has to be 1): ${ACCEPTED}`,
    ],
  ])('%s is refused: %s', (_, event, words) => {
    expect(() => noteOf(event)).toThrow(new TypeError(words));
  });

  test.each([
    ['text', 'top secret'],
    ['JSON of another service', '{"detail": "top secret"}'],
    ['a raw delivery', '{"schema": "offpeak/alert@1", "title": "top secret"}'],
    ['another type of SNS', JSON.stringify(aNotification({ Type: 'SubscriptionConfirmation', Message: 'top secret' }))],
  ])('a message that does not come from SNS is refused without its text: %s', (_, body) => {
    expect(() => noteOf(anEvent(aNotification(), body))).toThrow(
      new TypeError(
        'the message 059f36b4-87a3-44ab-83d2-661975830a7d of the queue is not from SNS: accepted is {"Type": "Notification", "MessageId": …, "Message": …}',
      ),
    );
  });
});
