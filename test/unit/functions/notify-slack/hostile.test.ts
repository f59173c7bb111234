import fc from 'fast-check';
import { describe, test } from 'vitest';
import { runs } from '../../../fuzz/runs.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';
import { expectHarmless } from './harmless.ts';
import { rendered } from './samples.ts';
import { alarmNotification, alertNotification, aNotification } from './sns-events.ts';

const HOSTILE = [
  '<!channel>',
  '<!here|@here>',
  '@here @channel @everyone',
  '<https://bank.example|your bank>',
  '<@U012AB3CD>',
  '&lt;!channel&gt;',
  '&',
  '```',
  '*_~`',
  '\u202egnp.exe',
  '\u0000',
  '\ud83c',
  '🎉',
  '\n\n\n',
  'https://docs.example/?a=1&b=<2>',
];
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom(...HOSTILE), { maxLength: 6 }).map((parts) => parts.join(' ')),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.integer({ min: 1, max: 1_500 })).map(([part, times]) => part.repeat(times)),
);
const figure = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined });

const alerts = fc
  .record({
    over: fc.record({
      id: text,
      at: text,
      stage: text,
      instance: text,
      node: text,
      title: text,
      why: text,
      next: text,
    }),
    facts: fc.array(fc.record({ label: text, value: text }), { maxLength: 14 }),
    figures: fc.record({ rssBefore: figure, rssAfter: figure, predictedBytes: figure, returnedBytes: figure }),
  })
  .map(({ over, facts, figures }) =>
    alertNotification(anAlert({ ...over, facts, figures: JSON.parse(JSON.stringify(figures)) })),
  );
const alarms = fc
  .record({
    AlarmName: text.filter((name) => name !== ''),
    NewStateReason: text,
    AlarmDescription: text,
    AlarmArn: text,
    AlarmRule: text,
  })
  .map((over) => alarmNotification(anAlarm(over)));
const others = fc.tuple(text, text).map(([Message, Subject]) => aNotification({ Message, Subject }));

describe('hostile texts are shown as text: never faulty, never markup', () => {
  test.each([
    ['alerts', alerts],
    ['alarms', alarms],
    ['other messages', others],
  ])('%s', (_, records) => {
    fc.assert(
      fc.property(records, (record) => {
        expectHarmless(rendered(record));
      }),
      { numRuns: runs(0.2) },
    );
  });
});
