import * as z from 'zod/mini';
import { jsonIn } from '../../core/format/json.ts';
import type { Note } from './message/note.ts';

const record = z.object({ eventSource: z.literal('aws:sqs'), messageId: z.string(), body: z.string() });
const event = z.object({ Records: z.tuple([record]) });

const maybeText = z.nullish(z.string());
/** What SNS puts into the body: without raw delivery, which would leave the subject out. */
const envelope = z.object({
  Type: z.literal('Notification'),
  MessageId: z.string(),
  Message: z.string(),
  Subject: maybeText,
  TopicArn: maybeText,
  Timestamp: maybeText,
});

/**
 * The message of SNS in the one record of SQS that Lambda brings. Anything else fails, comes again as often as the queue tries, and ends
 * among the dead letters, where a person finds it.
 *
 * @throws TypeError saying what was brought instead, without its text
 */
export function noteOf(input: unknown): Note {
  const { Records } = event.safeParse(input).data ?? {};
  if (Records === undefined) {
    throw new TypeError(
      `${whatIs(input)}: accepted is one record of SQS, {"Records": [{"eventSource": "aws:sqs", "messageId": …, "body": …}]}`,
    );
  }
  const [{ messageId, body }] = Records;
  const { success, data } = envelope.safeParse(jsonIn(body));
  if (!success) {
    throw new TypeError(
      `the message ${messageId} of the queue is not from SNS: accepted is {"Type": "Notification", "MessageId": …, "Message": …}`,
    );
  }
  return {
    messageId: data.MessageId,
    message: data.Message,
    subject: data.Subject ?? undefined,
    topicArn: data.TopicArn ?? undefined,
    timestamp: data.Timestamp ?? undefined,
  };
}

const several = z.object({ Records: z.array(z.unknown()).check(z.minLength(2)) });

function whatIs(input: unknown): string {
  const { data } = several.safeParse(input);
  return data === undefined
    ? 'the event is not from the queue'
    : `the event has ${data.Records.length} records (BatchSize of the event source has to be 1)`;
}
