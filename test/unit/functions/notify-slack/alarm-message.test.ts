import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../support/slack-rules.ts';
import { ALARMS, aCompositeAlarm, aMathAlarm, anAlarm } from './alarms.ts';
import { addressesOf, read } from './reading.ts';
import { LINKS, renderRecord } from './samples.ts';
import { alarmRecord } from './sns-events.ts';

describe('CloudWatch alarms', () => {
  test.each(Object.entries(ALARMS))('%s: within the limits', (_, alarm) => {
    const { kind, message, faults } = renderRecord(alarmRecord(alarm));
    expect({ kind, faults, refusal: refusalOf(message) }).toEqual({ kind: 'alarm', faults: [], refusal: undefined });
    expect(read(message)).toContain(String(alarm.NewStateReason));
    expect(read(message)).not.toMatch(/undefined|NaN|\[object|null/);
  });

  const named = (AlarmName: string, over = {}) => anAlarm({ AlarmName, ...over });
  test.each([
    ['🔴 ALARM: a-critical', named('a-critical')],
    ['🟠 ALARM: a-warning', named('a-warning')],
    ['🔴 ALARM: somebody else', named('somebody else')],
    ['🟢 OK: a-critical', named('a-critical', { NewStateValue: 'OK' })],
    ['⚪ No data: a-critical', named('a-critical', { NewStateValue: 'INSUFFICIENT_DATA' })],
  ])('%s', (title, alarm) => {
    const { message } = renderRecord(alarmRecord(alarm));
    expect(read(message).split('\n')[0]).toBe(title);
    expect(message.text).toBe(title);
  });

  test('instance, node, metric and threshold come from the trigger', () => {
    const text = read(renderRecord(alarmRecord(anAlarm())).message);
    expect(text).toContain('*Instance*\nsessions');
    expect(text).toContain('*Node*\n10.0.3.17:6379');
    expect(text).toContain('*State*\nOK → ALARM');
    expect(text).toContain('*Metric*\nOffpeak Reachable');
    expect(text).toContain('*Threshold*\n&lt; 1 in 2 of 2 periods of 300 s');
    expect(text).toContain('2026-11-23 02:09:12 UTC');
  });

  test('with metric math, from the metrics behind the expression, each once', () => {
    const text = read(renderRecord(alarmRecord(aMathAlarm())).message);
    expect(text).toContain('*Instance*\nsessions\n');
    expect(text).toContain('*Metric*\nmem_fragmentation_ratio of 10.0.3.17:6379, 0 below the floor');
    expect(text).toContain('*Threshold*\n&gt; 1.5 in 6 of 6 periods of 300 s');
  });

  test('a composite alarm names what it is made of', () => {
    const text = read(renderRecord(alarmRecord(aCompositeAlarm())).message);
    expect(text).toContain('*Because of*\noffpeak-prod/sessions/unreachable-critical');
    expect(text).toContain('*Rule*\nALARM("offpeak-prod/sessions/unreachable-critical") AND');
    expect(text).not.toContain('*Instance*');
  });

  test("dimensions in the API's spelling are read as well", () => {
    const Trigger = { MetricName: 'Reachable', Dimensions: [{ Name: 'Instance', Value: 'carts' }] };
    expect(read(renderRecord(alarmRecord(anAlarm({ Trigger }))).message)).toContain('*Instance*\ncarts');
  });

  test.each([
    ['Runbook: https://docs.example/r#a.', 'https://docs.example/r#a'],
    ['See https://other.example/ first. Runbook https://docs.example/r', 'https://docs.example/r'],
    ['(https://docs.example/r)', 'https://docs.example/r'],
    ['Runbook: http://docs.example/r', LINKS.runbook],
    ['Runbook: https://', LINKS.runbook],
    [`Runbook: https://docs.example/${'r'.repeat(3_000)}`, LINKS.runbook],
    ['none', LINKS.runbook],
    [null, LINKS.runbook],
  ])('the runbook of description %#', (AlarmDescription, address) => {
    const { message, faults } = renderRecord(alarmRecord(anAlarm({ AlarmDescription })));
    expect(faults).toEqual([]);
    expect(addressesOf(message)).toEqual({ Runbook: address, Dashboard: LINKS.dashboard });
  });

  test.each([
    ['a Trigger of another shape', { Trigger: 'CPU' }],
    ['Metrics of another shape', { Trigger: { Metrics: 'm1', Dimensions: 7 } }],
    ['children of another shape', { TriggeringChildren: [7] }],
    ['nulls', { Trigger: null, OldStateValue: null, NewStateReason: null, StateChangeTime: null, Region: null }],
  ])('%s costs details, not the message', (_, over) => {
    const { kind, message, faults } = renderRecord(alarmRecord(anAlarm(over)));
    expect({ kind, faults, refusal: refusalOf(message) }).toEqual({ kind: 'alarm', faults: [], refusal: undefined });
    expect(read(message)).toContain('offpeak-prod/sessions/unreachable-critical');
  });
});
