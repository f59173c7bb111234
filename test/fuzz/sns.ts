import type { SNSMessage } from 'aws-lambda';
import fc from 'fast-check';
import { ALARMS } from '../unit/functions/notify-slack/alarms.ts';
import { ALERTS, OTHERS } from '../unit/functions/notify-slack/samples.ts';
import { aNotification, anEvent } from '../unit/functions/notify-slack/sns-events.ts';
import { hostileText, mutatedJson, mutatedText } from './json.ts';

export const ALERT_DOCUMENTS: readonly unknown[] = Object.values(ALERTS);
export const ALARM_DOCUMENTS: readonly unknown[] = Object.values(ALARMS);

/** A notification whose message is one of the documents after some accidents. */
export function notificationOf(documents: readonly unknown[]): fc.Arbitrary<SNSMessage> {
  return mutatedText(documents).map((Message) => aNotification({ Message }));
}

/** Whatever may be published to the topic. */
export const notifications: fc.Arbitrary<SNSMessage> = fc.oneof(
  notificationOf([...ALERT_DOCUMENTS, ...ALARM_DOCUMENTS, ...Object.values(OTHERS)]),
  hostileText.map((Message) => aNotification({ Message, Subject: Message })),
  fc.jsonValue({ maxDepth: 4 }).map((json) => aNotification({ Message: JSON.stringify(json) })),
);

/** What the queue may bring: a notification, or one after some accidents, of which many come from no SNS. */
export const events: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: notifications.map((one) => anEvent(one)) },
  { weight: 2, arbitrary: mutatedText([aNotification()]).map((body) => anEvent(aNotification(), body)) },
  mutatedJson([anEvent(aNotification())]),
  hostileText.map((body) => anEvent(aNotification(), body)),
  hostileText.map((Records) => ({ Records })),
  fc.jsonValue(),
  fc.constantFrom(undefined, null),
);
