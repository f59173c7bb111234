import type { SNSEventRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SECOND } from '../../core/config/units.ts';
import { anAlert } from '../support/telemetry-builders.ts';
import { anAlarm } from '../unit/functions/notify-slack/alarms.ts';
import { expectHarmless } from '../unit/functions/notify-slack/harmless.ts';
import { renderRecord } from '../unit/functions/notify-slack/samples.ts';
import { alertRecord, aRecord } from '../unit/functions/notify-slack/sns-events.ts';
import { slipsIn, textsIn } from './numbers.ts';
import { RUNS } from './runs.ts';
import { ALARM_DOCUMENTS, ALERT_DOCUMENTS, recordOf, records } from './sns.ts';

/** Far above what a message takes, far below the time-out of the function. */
const LONGEST = 2 * SECOND;

/** Slack takes it, nothing in it is markup of others, it says nothing that the input does not, and it comes soon. */
function expectMessage(record: unknown): void {
  const startedAt = performance.now();
  const rendered = renderRecord(record as SNSEventRecord);
  expect(performance.now() - startedAt).toBeLessThan(LONGEST);
  expectHarmless(rendered);
  expect(slipsIn(textsIn([rendered.message, rendered.plain]), JSON.stringify(record))).toEqual([]);
}

describe('whatever SNS brings becomes a message that Slack takes', () => {
  test.each([
    ['alerts, mutated', recordOf(ALERT_DOCUMENTS)],
    ['alarms, mutated', recordOf(ALARM_DOCUMENTS)],
    ['records, mutated or arbitrary', records],
  ])('%s', (_, arbitrary) => {
    fc.assert(fc.property(arbitrary, expectMessage), { numRuns: RUNS });
  });
});

describe('what once took 9 s, threw, or was told as infinite', () => {
  const alarm = (over: Readonly<Record<string, unknown>>) => aRecord({ Message: JSON.stringify(anAlarm(over)) });
  const figures = (rssBefore: number, predictedBytes: number, returnedBytes: number) =>
    alertRecord(anAlert({ figures: { rssBefore, predictedBytes, returnedBytes } }));

  test.each([
    // 9 s for 100 KB, 35 s for twice as much: longer than the function has.
    ['an address that ends in 100,000 full stops', alarm({ AlarmDescription: `https://a${'.'.repeat(100_000)}a` })],
    ['figures that differ by more than a number holds', figures(1.7e308, -1.7e308, 1)],
    ['a prediction of less than a byte', figures(0, 5e-324, 1)],
  ])('%s', (_, record) => expectMessage(record));

  test.each([1_000, 3_000, 100_000])('a record of another service, nested %i deep', (depth) => {
    const record = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    const startedAt = performance.now();
    const rendered = renderRecord(record);
    expect(performance.now() - startedAt).toBeLessThan(LONGEST);
    expectHarmless(rendered);
  });
});
