import { describe, expect, test } from 'vitest';
import { printAlarmDescription } from '../../../../core/format/alarm-description.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { ALARMS, aCompositeAlarm, aLimitAlarm, aMathAlarm, anAlarm } from './alarms.ts';
import { addressesOf, read } from './reading.ts';
import { LINKS, rendered } from './samples.ts';
import { alarmNotification } from './sns-events.ts';

describe('CloudWatch alarms', () => {
  test.each(Object.entries(ALARMS))('%s: within the limits', (_, alarm) => {
    const { kind, message } = rendered(alarmNotification(alarm));
    expect({ kind, refusal: refusalOf(message) }).toEqual({ kind: 'alarm' });
    expect(read(message)).not.toMatch(/undefined|NaN|\[object|null/);
  });

  const described = (severity: 'warning' | 'critical') =>
    printAlarmDescription({ means: 'It burns.', next: 'Put it out.', severity, runbook: 'https://docs.example/r' });
  const saying = (AlarmDescription: string | null, over = {}) => anAlarm({ AlarmName: 'a', AlarmDescription, ...over });
  test.each([
    ['🔴 ALARM: a', saying(described('critical'))],
    ['🟠 ALARM: a', saying(described('warning'))],
    ['🔴 ALARM: a', saying('of another team, without a severity')],
    ['🔴 ALARM: other-warning', anAlarm({ AlarmName: 'other-warning', AlarmDescription: null })],
    ['🟢 OK: a', saying(described('critical'), { NewStateValue: 'OK' })],
    ['⚪ No data: a', saying(described('critical'), { NewStateValue: 'INSUFFICIENT_DATA' })],
  ])('%s', (title, alarm) => {
    const { message } = rendered(alarmNotification(alarm));
    expect(read(message).split('\n')[0]).toBe(title);
    expect(message.text).toBe(title);
  });

  test('an alarm says what it means and what to do; its end repeats no order and no severity', () => {
    const on = rendered(alarmNotification(saying(described('critical'))));
    for (const text of [read(on.message), on.plain.text]) {
      expect(text).toMatch(/It burns\.[\s\S]*Next:\*? Put it out\./);
      expect(text).toMatch(/Severity\*?[\n:] ?critical/);
    }
    const over = rendered(alarmNotification(saying(described('critical'), { NewStateValue: 'OK' })));
    for (const text of [read(over.message), over.plain.text]) {
      expect(text).toMatch(/The alarm was:\*? It burns\./);
      expect(text).not.toMatch(/Put it out|Severity/);
    }
  });

  test('numbers have units, and times a date and a zone', () => {
    const text = read(rendered(alarmNotification(aLimitAlarm())).message);
    expect(text).toContain(
      'datapoints [5.22 GiB (2026-11-23 02:04:00 UTC)] was greater than or equal to the threshold (5.1 GiB)',
    );
    expect(text).toContain('*Alarm when*\n≥ 5.1 GiB in 1 of 1 periods of 5 min');
    expect(text).not.toMatch(/E9|\d\/\d/);
  });

  test('without an address of a runbook its section is named, and is no button', () => {
    const runbook = 'docs/runbook.md, section "RSS near the limit"';
    const AlarmDescription = printAlarmDescription({ means: 'a', next: 'b', severity: 'warning', runbook });
    const { message } = rendered(alarmNotification(anAlarm({ AlarmDescription })), {});
    expect(addressesOf(message)).toEqual({});
    expect(read(message)).toContain(`*Runbook*\n${runbook}`);
  });

  test('instance, node, metric and threshold come from the trigger', () => {
    const text = read(rendered(alarmNotification(anAlarm())).message);
    expect(text).toContain('*Instance*\nsessions');
    expect(text).toContain('*Node*\n10.0.3.17:6379');
    expect(text).toContain('*State*\nOK → ALARM');
    expect(text).toContain('*Metric*\nOffpeak Reachable');
    expect(text).toContain('*Alarm when*\n&lt; 1 in 2 of 2 periods of 5 min');
    expect(text).toContain('2026-11-23 02:09:12 UTC');
  });

  test('with metric math, from the metrics behind the expression, each once', () => {
    const text = read(rendered(alarmNotification(aMathAlarm())).message);
    expect(text).toContain('*Instance*\nsessions\n');
    expect(text).toContain('*Metric*\nmem_fragmentation_ratio of 10.0.3.17:6379, 0 below the floor');
    expect(text).toContain('*Alarm when*\n&gt; 1.5 in 6 of 6 periods of 5 min');
  });

  test('a composite alarm names what it is made of', () => {
    const text = read(rendered(alarmNotification(aCompositeAlarm())).message);
    expect(text).toContain('*Because of*\noffpeak-prod/sessions/unreachable-critical');
    expect(text).toContain('*Rule*\nALARM("offpeak-prod/sessions/unreachable-critical") AND');
    expect(text).not.toContain('*Instance*');
  });

  test("dimensions in the API's spelling are read as well", () => {
    const Trigger = { MetricName: 'Reachable', Dimensions: [{ Name: 'Instance', Value: 'carts' }] };
    expect(read(rendered(alarmNotification(anAlarm({ Trigger }))).message)).toContain('*Instance*\ncarts');
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
    const { message } = rendered(alarmNotification(anAlarm({ AlarmDescription })));
    expect(refusalOf(message)).toBeUndefined();
    expect(addressesOf(message)).toEqual({ Runbook: address, Dashboard: LINKS.dashboard });
  });

  test.each([
    ['a Trigger of another shape', { Trigger: 'CPU' }],
    ['Metrics of another shape', { Trigger: { Metrics: 'm1', Dimensions: 7 } }],
    ['children of another shape', { TriggeringChildren: [7] }],
    ['nulls', { Trigger: null, OldStateValue: null, NewStateReason: null, StateChangeTime: null, Region: null }],
  ])('%s costs details, not the message', (_, over) => {
    const { kind, message } = rendered(alarmNotification(anAlarm(over)));
    expect({ kind, refusal: refusalOf(message) }).toEqual({ kind: 'alarm' });
    expect(read(message)).toContain('offpeak-prod/sessions/unreachable-critical');
  });
});
