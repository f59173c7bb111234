import fc from 'fast-check';
import { ALARMS } from '../unit/functions/notify-slack/alarms.ts';
import { ALERTS, OTHERS } from '../unit/functions/notify-slack/samples.ts';
import { aRecord } from '../unit/functions/notify-slack/sns-events.ts';
import { hostileText, mutatedJson, mutatedText } from './json.ts';

export const ALERT_DOCUMENTS: readonly unknown[] = Object.values(ALERTS);
export const ALARM_DOCUMENTS: readonly unknown[] = Object.values(ALARMS);

/** A whole record, whose message is one of the documents after some accidents. */
export function recordOf(documents: readonly unknown[]): fc.Arbitrary<unknown> {
  return mutatedText(documents).map((Message) => aRecord({ Message }));
}

/** What may stand in `Records`. */
export const records: fc.Arbitrary<unknown> = fc.oneof(
  recordOf([...ALERT_DOCUMENTS, ...ALARM_DOCUMENTS]),
  mutatedJson([aRecord(), ...Object.values(OTHERS)]),
  hostileText.map((Message) => aRecord({ Message, Subject: Message })),
  fc.jsonValue({ maxDepth: 4 }),
);
