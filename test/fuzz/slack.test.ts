import type { SNSMessage } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SECOND } from '../../core/config/units.ts';
import { cpuTime } from '../support/processes.ts';
import { anAlert } from '../support/telemetry-builders.ts';
import { anAlarm } from '../unit/functions/notify-slack/alarms.ts';
import { expectHarmless } from '../unit/functions/notify-slack/harmless.ts';
import { rendered } from '../unit/functions/notify-slack/samples.ts';
import { alertNotification, aNotification } from '../unit/functions/notify-slack/sns-events.ts';
import { slipsIn, textsIn } from './numbers.ts';
import { RUNS } from './runs.ts';
import { ALARM_DOCUMENTS, ALERT_DOCUMENTS, notificationOf, notifications } from './sns.ts';

/** Far above what a message takes, far below the time-out of the function. */
const LONGEST = 2 * SECOND;

/** Slack takes it, nothing in it is markup of others, it says nothing that the input does not, and it comes soon. */
function expectMessage(notification: SNSMessage): void {
  const startedAt = cpuTime();
  const { posts } = rendered(notification);
  expect(cpuTime() - startedAt).toBeLessThan(LONGEST);
  expectHarmless({ posts });
  expect(slipsIn(textsIn(posts), JSON.stringify(notification))).toEqual([]);
}

describe('whatever SNS brings becomes a message that Slack takes', () => {
  test.each([
    ['alerts, mutated', notificationOf(ALERT_DOCUMENTS)],
    ['alarms, mutated', notificationOf(ALARM_DOCUMENTS)],
    ['anything', notifications],
  ])('%s', (_, arbitrary) => {
    fc.assert(fc.property(arbitrary, expectMessage), { numRuns: RUNS });
  });
});

describe('what once took 9 s, threw, or was told as infinite', () => {
  const alarm = (over: Readonly<Record<string, unknown>>) => aNotification({ Message: JSON.stringify(anAlarm(over)) });
  const figures = (rssBefore: number, predictedBytes: number, returnedBytes: number) =>
    alertNotification(anAlert({ figures: { rssBefore, predictedBytes, returnedBytes } }));

  test.each([
    // 9 s for 100 KB, 35 s for twice as much: longer than the function has.
    ['an address that ends in 100,000 full stops', alarm({ AlarmDescription: `https://a${'.'.repeat(100_000)}a` })],
    ['figures that differ by more than a number holds', figures(1.7e308, -1.7e308, 1)],
    ['a prediction of less than a byte', figures(0, 5e-324, 1)],
  ])('%s', (_, notification) => expectMessage(notification));
});
