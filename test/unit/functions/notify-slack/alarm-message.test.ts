import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printAlarmDescription } from '../../../../core/format/alarm-description.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import {
  ALARMS,
  aCacheAlarm,
  aCacheMathAlarm,
  aCompositeAlarm,
  aLimitAlarm,
  aMathAlarm,
  anAlarm,
  anAnomalyAlarm,
} from './alarms.ts';
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
    ['🟢 Over: a', saying(described('critical'), { NewStateValue: 'OK', OldStateValue: 'ALARM' })],
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
    const over = rendered(
      alarmNotification(saying(described('critical'), { NewStateValue: 'OK', OldStateValue: 'ALARM' })),
    );
    for (const text of [read(over.message), over.plain.text]) {
      expect(text).toContain('It is over. Nothing to do.');
      expect(text).toMatch(/The alarm was:\*? It burns\./);
      expect(text).not.toMatch(/Put it out|Severity/);
    }
  });

  test("the end of another team's alarm repeats no order either", () => {
    const over = rendered(alarmNotification(saying('Restart it.', { NewStateValue: 'OK', OldStateValue: 'ALARM' })));
    for (const text of [read(over.message), over.plain.text]) {
      expect(text).toContain('It is over. Nothing to do.');
      expect(text).not.toContain('Restart');
    }
  });

  test.each([
    ['ALARM', 'CloudWatch has too few values: whether it is over is unknown.'],
    ['OK', 'CloudWatch has too few values: whether the condition of this alarm holds is unknown.'],
    [null, 'CloudWatch has too few values: whether the condition of this alarm holds is unknown.'],
  ])('without data, after %s: says what is unknown, and orders nothing', (OldStateValue, sentence) => {
    const over = { NewStateValue: 'INSUFFICIENT_DATA', OldStateValue };
    const text = read(rendered(alarmNotification(saying(described('critical'), over))).message);
    expect(text).toContain(sentence);
    expect(text).not.toMatch(/Put it out|Severity/);
  });

  describe("another team's alarms", () => {
    const textOf = (alarm: Readonly<Record<string, unknown>>) => read(rendered(alarmNotification(alarm)).message);

    test('keep their dimensions, which name the cluster', () => {
      for (const alarm of [aCacheAlarm('r'), anAnomalyAlarm(), aCacheMathAlarm('m1 - m2', 1, '2.0')])
        expect(textOf(alarm)).toContain('*CacheClusterId*\nshop-cache-0001-001');
      const Dimensions = ['A', 'B', 'C', 'D', 'E'].map((name) => ({ name, value: name.toLowerCase() }));
      expect(textOf(aCacheAlarm('r', { Dimensions }))).toContain('*C*\nc\n*Dimensions*\nD d, E e');
    });

    test('a unit that the metric of the expression states wins', () => {
      const MetricStat = { Metric: { MetricName: 'heap', Namespace: 'Shop' }, Period: 60, Unit: 'Bytes' };
      const Metrics = [{ Id: 'm1', MetricStat, ReturnData: true }];
      const alarm = aCacheAlarm('[2.147483648E9]', { MetricName: undefined, Metrics, Threshold: 1_073_741_824 });
      expect(textOf(alarm)).toContain('[2 GiB]');
      expect(textOf(alarm)).toContain('&gt; 1 GiB');
    });

    test('an anomaly: the metric, its unit, and the band as the threshold', () => {
      const text = textOf(anAnomalyAlarm());
      expect(text).toContain('[5.44 GiB (2026-11-23 02:04:00 UTC)] was greater than the upper thresholds [4.5 GiB]');
      expect(text).toContain('*Metric*\nAWS/ElastiCache BytesUsedForCache');
      expect(text).toContain(
        '*Alarm when*\nabove the expected range, ANOMALY_DETECTION_BAND(m1, 2) in 1 of 1 periods of 1 min',
      );
    });

    test.each([
      ['m1 + m2', 6_442_450_944, '6.5E9', undefined, '&gt; 6 GiB', '6.05 GiB'],
      ['100 * m1 / (m1 + m2)', 85, '90.3456', undefined, '&gt; 85 %', '90 %'],
      ['m1 / 64', 85, '90.3456', 'used, percent', '&gt; 85 %', '90 %'],
      ['m1 / m2', 1.5, '2.58', undefined, '&gt; 1.5', '2.58'],
      ['RATE(m1)', 1_000, '2000.5', undefined, '&gt; 1,000', '2,000.5'],
      ['m1 * 8', 6_442_450_944, '6.5E9', undefined, '&gt; 6,442,450,944', '6,500,000,000'],
    ])('%s > %d', (expression, threshold, datum, label, compared, measured) => {
      const text = textOf(aCacheMathAlarm(expression, threshold, datum, label));
      expect(text).toContain(`*Alarm when*\n${compared} in`);
      expect(text).toContain(`[${measured} (2026-11-23 02:04:00 UTC)]`);
    });

    test.each([
      ['BytesUsedForCache', '5.1 GiB'],
      ['FreeableMemory', '5.1 GiB'],
      ['SwapUsage', '5.1 GiB'],
      ['redis_memory_used_rss_bytes', '5.1 GiB'],
      ['pod_memory_working_set', '5.1 GiB'],
      ['procstat_memory_rss', '5.1 GiB'],
      ['mem_used', '5.1 GiB'],
      ['FreeStorageSpace', '5.1 GiB'],
      ['DatabaseMemoryUsagePercentage', '5,476,083,302 %'],
      ['CPUUtilization', '5,476,083,302 %'],
      ['pod_memory_utilization', '5,476,083,302 %'],
      ['MemoryFragmentationRatio', '5,476,083,302'],
      ['MemoryUtilized', '5,476,083,302'],
      ['CurrItems', '5,476,083,302'],
    ])('%s has the unit that its name says, and no bare exponent', (MetricName, compared) => {
      const text = textOf(aCacheAlarm('datapoints [5.476083302E9] and 5476083302', { MetricName }));
      expect(text).toContain(`&gt; ${compared} in 2 of 3 periods`);
      expect(text).toContain(`datapoints [${compared}] and ${compared}`);
      expect(text).not.toMatch(/E9|5476083302/);
    });
  });

  test('numbers have units, and times a date and a zone', () => {
    const text = read(rendered(alarmNotification(aLimitAlarm())).message);
    expect(text).toContain(
      'datapoints [87 % (2026-11-23 02:04:00 UTC)] was greater than or equal to the threshold (85 %)',
    );
    expect(text).toContain("*Metric*\nRSS of 10.0.3.17:6379, with a fork's pages, in percent of its limit of 6 GiB");
    expect(text).toContain('*Alarm when*\n≥ 85 % in 1 of 1 periods of 5 min');
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

test('an alarm of version 0.1 (sentinel-aws-monitor#25, notification-terraform#410): bytes with units', () => {
  const file = new URL('../../../fixtures/reports/alarm-rss.json', import.meta.url);
  const { Message } = JSON.parse(readFileSync(file, 'utf8'));
  const on = rendered(alarmNotification(Message));
  const over = rendered(alarmNotification({ ...Message, NewStateValue: 'OK', OldStateValue: 'ALARM' }));
  for (const text of [on, over].flatMap(({ message, plain }) => [read(message), plain.text])) {
    expect(text).toContain('5.44 GiB');
    expect(text).toMatch(/(>|&gt;) 5.1 GiB/);
    expect(text).not.toMatch(/E9|5476083302/);
  }
  for (const text of [read(over.message), over.plain.text]) {
    expect(text).toContain('It is over. Nothing to do.');
    expect(text).not.toMatch(/Purge|Severity/);
  }
  expect(addressesOf(on.message).Runbook).toBe('https://docs.example/runbook.md#rss-near-the-limit');
});
