import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../support/slack-rules.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';
import { read } from './reading.ts';
import { OTHERS, renderRecord } from './samples.ts';
import { alarmRecord, alertRecord, aRecord } from './sns-events.ts';

describe('anything else', () => {
  test.each(Object.entries(OTHERS))('%s: shown as the text that it is', (_, record) => {
    const { kind, message, faults } = renderRecord(record);
    expect({ kind, faults, refusal: refusalOf(message) }).toEqual({ kind: 'other', faults: [], refusal: undefined });
    expect(read(message)).toContain(record.Sns.Subject);
    expect(read(message)).toContain(record.Sns.Message);
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
    const { kind, message, plain, faults } = renderRecord(aRecord({ Message }));
    expect({ kind, faults }).toEqual({ kind: 'other', faults: [] });
    expect(refusalOf(message)).toBeUndefined();
    expect(refusalOf(plain)).toBeUndefined();
    expect(read(message)).toContain(Message.slice(0, 2_000));
  });

  test('without a subject it has a title all the same', () => {
    const { Subject: _, ...Sns } = aRecord().Sns;
    expect(read(renderRecord({ ...aRecord(), Sns }).message)).toMatch(/^Notification\nA text/);
  });
});

describe('the plain text, for when Slack refuses the blocks', () => {
  test.each([
    ['an alert', alertRecord(anAlert()), /sessions: 402 MB returned[\s\S]*Next: Nothing to do/],
    ['an alarm', alarmRecord(anAlarm()), /ALARM: offpeak-prod\/sessions[\s\S]*Instance: sessions[\s\S]*Runbook: https/],
    ['a text', aRecord(), /^A subject\n\nA text$/],
  ])('%s keeps its facts', (_, record, words) => {
    const { plain } = renderRecord(record);
    expect(plain.blocks).toBeUndefined();
    expect(plain.text).toMatch(words);
    expect(refusalOf(plain)).toBeUndefined();
  });
});
