import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import type { Note } from './message.ts';

const maybeText = z.nullish(z.string());

const record = z.object({
  Sns: z.object({
    MessageId: z.string(),
    Message: z.string(),
    Subject: maybeText,
    TopicArn: maybeText,
    Timestamp: maybeText,
  }),
});

/** A record of the queue, and what SNS has put into its body. */
const queued = z.object({ eventSource: z.literal('aws:sqs'), messageId: z.string(), body: z.string() });
const envelope = z.object({ Type: z.literal('Notification'), ...record.shape.Sns.shape });

const event = z.object({ Records: z.array(z.unknown()).check(z.minLength(1)) });

/**
 * The records of what Lambda was invoked with: SNS' messages, from the queue that is subscribed to the topic, or straight from it. A record
 * of another service, or of a shape that SNS does not have, is shown as the JSON that it is.
 *
 * @throws TypeError for something without records: an invocation by hand, or a trigger that was set up by mistake
 */
export function notesOf(input: unknown): readonly Note[] {
  const reading = z.safeParse(event, input);
  if (reading.success) return reading.data.Records.map(noteOf);
  throw new TypeError('not an SNS event: accepted is {"Records": [{"Sns": {"MessageId": …, "Message": …}}]}');
}

function noteOf(raw: unknown): Note {
  const received = z.safeParse(queued, raw);
  if (received.success) return queuedNote(received.data);
  const reading = z.safeParse(record, raw);
  return reading.success ? snsNote(reading.data.Sns) : strangeNote(raw);
}

/** What somebody has sent to the queue without SNS is shown as the text that it is. */
function queuedNote({ messageId, body }: z.output<typeof queued>): Note {
  const reading = z.safeParse(envelope, parsed(body));
  const note = reading.success
    ? snsNote(reading.data)
    : { messageId, message: body, subject: 'A message that is not of SNS' };
  return { ...note, receipt: messageId };
}

function snsNote({ MessageId, Message, Subject, TopicArn, Timestamp }: z.output<typeof record>['Sns']): Note {
  return {
    messageId: MessageId,
    message: Message,
    subject: Subject ?? undefined,
    topicArn: TopicArn ?? undefined,
    timestamp: Timestamp ?? undefined,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function strangeNote(raw: unknown): Note {
  const subject = 'A record that is not of SNS';
  try {
    const message = JSON.stringify(raw, null, 2) ?? String(raw);
    // By its text, so that a retry is recognised and another such record is not taken for it.
    const messageId = `sha256-${createHash('sha256').update(message).digest('hex').slice(0, 32)}`;
    return { messageId, message, subject };
  } catch (error) {
    // JSON.stringify recurses where JSON.parse, which Lambda has read it with, does not.
    if (!(error instanceof RangeError)) throw error;
    return { messageId: randomUUID(), message: 'It is nested too deeply to be shown.', subject };
  }
}
