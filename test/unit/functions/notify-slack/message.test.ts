import type { SNSMessage } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../support/slack-rules.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';
import { read } from './reading.ts';
import { OTHERS, rendered } from './samples.ts';
import { alarmNotification, alertNotification, aNotification } from './sns-events.ts';

describe('anything else', () => {
  test.each(Object.entries(OTHERS))('%s: shown as the text that it is', (_, notification) => {
    const { kind, message } = rendered(notification);
    expect({ kind, refusal: refusalOf(message) }).toEqual({ kind: 'other' });
    expect(read(message)).toContain(notification.Subject);
    expect(read(message)).toContain(notification.Message);
  });

  test.each([
    ['an alarm in a state that there is not', JSON.stringify(anAlarm({ NewStateValue: 'MAYBE' }))],
    ['an alarm without a name', JSON.stringify(anAlarm({ AlarmName: undefined }))],
    ['null', 'null'],
    ['a list', '[1,2]'],
    ['half of a JSON', '{"schema":"offpeak/alert@1",'],
    ['a newer schema', JSON.stringify({ ...anAlert(), schema: 'offpeak/alert@2' })],
    ['nothing', ''],
    ['a figure that is no number', JSON.stringify({ ...anAlert(), figures: { stallMs: '96' } })],
    ['256 KB', 'x'.repeat(262_144)],
  ])('%s: never dropped, never faulty', (_, Message) => {
    const { kind, message, plain } = rendered(aNotification({ Message }));
    expect(kind).toBe('other');
    expect(refusalOf(message)).toBeUndefined();
    expect(refusalOf(plain)).toBeUndefined();
    expect(read(message)).toContain(Message.slice(0, 2_000));
  });

  test('without a subject it has a title all the same', () => {
    const { Subject: _, ...rest } = aNotification();
    expect(read(rendered(rest as SNSMessage).message)).toMatch(/^Notification\nA text/);
  });
});

describe('the plain text, for when Slack refuses the blocks', () => {
  test.each([
    ['an alert', alertNotification(anAlert()), /sessions: 402 MB returned[\s\S]*Next: Nothing to do/],
    [
      'an alarm',
      alarmNotification(anAlarm()),
      /ALARM: offpeak-prod\/sessions[\s\S]*Instance: sessions[\s\S]*Runbook: https/,
    ],
    ['a text', aNotification(), /^A subject\n\nA text$/],
  ])('%s keeps its facts', (_, record, words) => {
    const { plain } = rendered(record);
    expect(plain.blocks).toBeUndefined();
    expect(plain.text).toMatch(words);
    expect(refusalOf(plain)).toBeUndefined();
  });
});
