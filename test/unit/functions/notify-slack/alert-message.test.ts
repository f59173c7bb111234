import { describe, expect, test } from 'vitest';
import { ALERT_EVENTS } from '../../../support/alert-events.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { addressesOf, read } from './reading.ts';
import { ALERTS, LINKS, rendered } from './samples.ts';
import { alertNotification, aNotification } from './sns-events.ts';

describe("the job's alerts", () => {
  test('every event has a sample', () => {
    expect(new Set(Object.values(ALERTS).map(({ event }) => event))).toEqual(new Set(ALERT_EVENTS));
  });

  test.each(Object.entries(ALERTS))('%s: within the limits, with all that was to be said', (_, alert) => {
    const { kind, message } = rendered(alertNotification(alert));
    expect({ kind, refusal: refusalOf(message) }).toEqual({ kind: 'alert' });
    const text = read(message);
    for (const part of [alert.title, alert.why, alert.stage, alert.instance, alert.node, alert.id, alert.event]) {
      expect(text).toContain(part);
    }
    expect(text).toContain(`*Next:* ${alert.next}`);
    expect(text).not.toMatch(/undefined|NaN|Infinity|\[object/);
    expect(addressesOf(message)).toEqual({
      Dashboard: LINKS.dashboard,
      Runbook: `${LINKS.runbook}#${alert.event}`,
    });
  });

  test('before and after are drawn to one scale, with bytes; how long clients waited stays in its own words', () => {
    const figures = {
      rssBefore: 1_280_000_000,
      rssAfter: 640_000_000,
      predictedBytes: 656_000_000,
      returnedBytes: 640_000_000,
      stallMs: 96,
      promisedStallMs: 250,
    };
    const text = read(rendered(alertNotification(anAlert({ figures }))).message);
    expect(text).toContain(
      '```\nRSS before  ████████████████████  1.19 GiB\nRSS after   ██████████░░░░░░░░░░  610 MiB\n```\n' +
        'Returned: *610 MiB* of 626 MiB predicted (98 %)',
    );
    // The picture shows these facts.
    expect(text).not.toMatch(/\*RSS before\*|\*RSS after\*|\*Predicted\*/);
    expect(text).toContain('*Clients waited*\n96 ms, 250 ms were allowed');
  });

  test.each([
    [{ returnedBytes: -12_582_912, predictedBytes: 367_001_600 }, 'RSS grew by *12 MiB*; predicted to return: 350 MiB'],
    [{ returnedBytes: -12_582_912 }, 'RSS grew by *12 MiB*'],
    [{ returnedBytes: 12_582_912 }, 'Returned: *12 MiB*'],
    [{ returnedBytes: 0, predictedBytes: 0 }, 'Returned: *0 B* of 0 B predicted'],
    [
      { rssBefore: 1_073_741_823, predictedBytes: 367_001_600 },
      'RSS now       ████████████████████  1 GiB\nRSS expected',
    ],
    [{ predictedBytes: 367_001_600, promisedStallMs: 5 }, 'Predicted to return: *350 MiB*'],
    [
      { rssBefore: 100, rssAfter: 300 },
      'RSS before  ███████░░░░░░░░░░░░░  100 B\nRSS after   ████████████████████  300 B',
    ],
  ])('figures %j read: %s', (figures, words) => {
    expect(read(rendered(alertNotification(anAlert({ figures, facts: [] }))).message)).toContain(words);
  });

  test('a fact is left out for the figure that it names, whatever its label', () => {
    const facts = [
      { label: 'Speicher davor', value: '1.19 GiB', figure: 'rssBefore' },
      { label: 'RSS before', value: 'of another server' },
      { label: 'Limit', value: '6 GiB', figure: 'memoryLimit' },
      { label: 'RSS after', value: 'not measured', figure: 'rssAfter' },
      { label: 'New', value: 'of a newer job', figure: 'swapped' as 'rssAfter' },
    ] as const;
    const text = read(
      rendered(alertNotification(anAlert({ facts, figures: { rssBefore: 1, memoryLimit: 9 } }))).message,
    );
    expect(facts.filter(({ value }) => text.includes(value)).map(({ label }) => label)).toEqual([
      'RSS before',
      'Limit',
      'RSS after',
      'New',
    ]);
  });

  test('without links there are no buttons, and a runbook with an anchor of its own keeps it', () => {
    const record = alertNotification(anAlert());
    expect(addressesOf(rendered(record, {}).message)).toEqual({});
    const runbook = 'https://docs.example/#start';
    expect(addressesOf(rendered(record, { runbook }).message)).toEqual({ Runbook: runbook });
  });

  test('of more than ten facts the rest is counted', () => {
    const facts = Array.from({ length: 14 }, (_, n) => ({ label: `Setting ${n}`, value: String(n) }));
    const { message } = rendered(alertNotification(anAlert({ facts })));
    expect(refusalOf(message)).toBeUndefined();
    expect(read(message)).toContain('*Setting 8*\n8');
    expect(read(message)).toContain('*More*\n5 more facts: see the e-mail or the log of the job');
  });

  test.each([['severity'], ['facts'], ['title'], ['schema']] as const)('without its %s it is shown as text', (key) => {
    const { [key]: _, ...rest } = anAlert();
    const { kind, message } = rendered(aNotification({ Message: JSON.stringify(rest) }));
    expect(kind).toBe('other');
    expect(read(message)).toContain('"instance":"sessions"');
  });
});
