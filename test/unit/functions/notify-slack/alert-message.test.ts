import { describe, expect, test } from 'vitest';
import type { AlertEvent } from '../../../../core/domain/alert.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { addressesOf, read } from './reading.ts';
import { ALERTS, LINKS, renderRecord } from './samples.ts';
import { alertRecord, aRecord } from './sns-events.ts';

describe("the job's alerts", () => {
  test('every event has a sample', () => {
    const events: Readonly<Record<Exclude<AlertEvent, 'several'>, true>> = {
      purged: true,
      'defrag-started': true,
      'defrag-finished': true,
      'defrag-aborted': true,
      'action-failed': true,
      'action-ineffective': true,
      'foreign-defrag': true,
      'defrag-unsupported': true,
      'lease-lost': true,
      'settings-changed': true,
      'config-rewritten': true,
      'left-on': true,
      'same-server': true,
      'state-unavailable': true,
    };
    expect(new Set(Object.values(ALERTS).map(({ event }) => event))).toEqual(new Set(Object.keys(events)));
  });

  test.each(Object.entries(ALERTS))('%s: within the limits, with all that was to be said', (_, alert) => {
    const { kind, message, faults } = renderRecord(alertRecord(alert));
    expect({ kind, faults, refusal: refusalOf(message) }).toEqual({ kind: 'alert', faults: [], refusal: undefined });
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

  test('before and after are drawn to one scale, with bytes and the stall against what was promised', () => {
    const figures = {
      rssBefore: 1_280_000_000,
      rssAfter: 640_000_000,
      predictedBytes: 656_000_000,
      returnedBytes: 640_000_000,
      stallMs: 96,
      promisedStallMs: 250,
    };
    const text = read(renderRecord(alertRecord(anAlert({ figures }))).message);
    expect(text).toContain(
      '```\nbefore  ████████████████████  1.19 GiB\nafter   ██████████░░░░░░░░░░  610 MiB\n```\n' +
        '*610 MiB* returned of 626 MiB predicted (98 %) · clients waited *96 ms*, 250 ms promised',
    );
    // Told by the picture already.
    expect(text).not.toMatch(/RSS before|RSS after|\*Predicted\*/);
    expect(text).toContain('*Clients waited*\n96 ms, 250 ms were allowed');
  });

  test.each([
    [{ stallMs: 7.25, promisedStallMs: 5 }, 'clients waited *7.3 ms*, longer than the 5 ms promised'],
    [{ stallMs: 0, promisedStallMs: 5 }, 'no stall recorded, 5 ms promised'],
    [{ stallMs: 1_500 }, 'clients waited *1.5 s*'],
    [{ returnedBytes: -12_582_912, predictedBytes: 367_001_600 }, 'RSS grew by *12 MiB*, 350 MiB was predicted back'],
    [{ returnedBytes: 0, predictedBytes: 0 }, '*0 B* returned of 0 B predicted'],
    [{ rssBefore: 1_073_741_823, predictedBytes: 367_001_600 }, 'now       ████████████████████  1 GiB\nexpected'],
    [
      { predictedBytes: 367_001_600, promisedStallMs: 5 },
      '*350 MiB* predicted back · at most *5 ms* for a cycle promised, in 99.9 % of the time',
    ],
    [{ rssBefore: 100, rssAfter: 300 }, 'before  ███████░░░░░░░░░░░░░  100 B\nafter   ████████████████████  300 B'],
  ])('figures %j read: %s', (figures, words) => {
    expect(read(renderRecord(alertRecord(anAlert({ figures, facts: [] }))).message)).toContain(words);
  });

  test('without links there are no buttons, and a runbook with an anchor of its own keeps it', () => {
    const record = alertRecord(anAlert());
    expect(addressesOf(renderRecord(record, {}).message)).toEqual({});
    const runbook = 'https://docs.example/#start';
    expect(addressesOf(renderRecord(record, { runbook }).message)).toEqual({ Runbook: runbook });
  });

  test('of more than ten facts the rest is counted', () => {
    const facts = Array.from({ length: 14 }, (_, n) => ({ label: `Setting ${n}`, value: String(n) }));
    const { message, faults } = renderRecord(alertRecord(anAlert({ facts })));
    expect(faults).toEqual([]);
    expect(read(message)).toContain('*Setting 8*\n8');
    expect(read(message)).toContain('*More*\n5 further facts: see the e-mail or the log');
  });

  test.each([['severity'], ['facts'], ['title'], ['schema']] as const)('without its %s it is shown as text', (key) => {
    const { [key]: _, ...rest } = anAlert();
    const { kind, message } = renderRecord(aRecord({ Message: JSON.stringify(rest) }));
    expect(kind).toBe('other');
    expect(read(message)).toContain('"instance":"sessions"');
  });
});
