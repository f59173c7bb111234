import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { printAlarmDescription } from '../../../../core/format/alarm-description.ts';
import { NotDelivered, notify, type Ports } from '../../../../functions/notify-slack/notify.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../../../support/slack-endpoint.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';

const NOTE = { messageId: 'a', message: 'message a', subject: 'A subject' };
const minute = () => 60_000;

describe('a note to Slack', () => {
  let endpoint: SlackEndpoint;
  let asked: number;
  let forgotten: number;
  beforeAll(async () => {
    endpoint = await startSlackEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    endpoint.clear();
    [asked, forgotten] = [0, 0];
  });

  const portsWith = (over: Partial<Ports> = {}): Ports => ({
    async webhook() {
      asked += 1;
      return new URL(endpoint.url);
    },
    forgetWebhook() {
      forgotten += 1;
    },
    links: {},
    from: 'info',
    pace: async () => {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
    pause: async () => {},
    random: () => 0.5,
    ...over,
  });

  test.each([
    [404, 'no_service', 1],
    [200, 'channel_is_archived', 1],
    [404, 'no_active_hooks', 1],
    [403, '', 1],
    [404, 'a_word_of_next_year', 1],
    [410, '<html>Gone</html>', 1],
    [400, 'no_text', 0],
    [500, '', 0],
  ])('after %i %j the webhook is forgotten %d times', async (status, body, times) => {
    endpoint.behave(
      ...Array.from({ length: status >= 500 ? 3 : 1 }, () => ({ kind: 'answer', status, body }) as const),
    );
    await expect(notify(NOTE, minute, portsWith())).rejects.toThrow(NotDelivered);
    expect({ asked, forgotten }).toEqual({ asked: 1, forgotten: times });
    expect(endpoint.shown()).toEqual([]);
  });

  describe('below the severity that is posted', () => {
    const posted = async (from: Ports['from'], message: object | string) => {
      const note = { ...NOTE, message: typeof message === 'string' ? message : JSON.stringify(message) };
      const { messages } = await notify(note, minute, portsWith({ from }));
      return messages === 1 && endpoint.shown().length === 1;
    };
    const alarm = (severity: 'warning' | 'critical', NewStateValue: string) => ({
      ...anAlarm({ NewStateValue, OldStateValue: 'ALARM' }),
      AlarmDescription: printAlarmDescription({ means: 'a', next: 'b', severity, runbook: 'c' }),
    });

    test.each([
      ['an info', anAlert(), 'warning', false],
      ['an info', anAlert(), 'info', true],
      ['a warning', anAlert({ severity: 'warning' }), 'warning', true],
      ['a warning', anAlert({ severity: 'warning' }), 'critical', false],
      ['an alarm, a warning', alarm('warning', 'ALARM'), 'critical', false],
      ['its end', alarm('warning', 'OK'), 'critical', false],
      ['a critical alarm', alarm('critical', 'ALARM'), 'critical', true],
      ['its end', alarm('critical', 'OK'), 'critical', true],
      ["another team's alarm", anAlarm({ AlarmDescription: 'Restart it.' }), 'critical', true],
      ['plain text', 'anything', 'critical', true],
    ] as const)('%s %#', async (_what, message, from, isPosted) => {
      expect(await posted(from, message)).toBe(isPosted);
    });
  });

  test('the address stays out of the error of a bug', async () => {
    const pace = async () => {
      throw new RangeError(`bug at ${endpoint.url}`);
    };
    await expect(notify(NOTE, minute, portsWith({ pace }))).rejects.toThrow(
      new NotDelivered('message a was not delivered to Slack: unexpected RangeError: bug at (webhook)'),
    );
  });

  test('a second delivery of the same message is shown again: nothing is remembered', async () => {
    const ports = portsWith();
    expect(await notify(NOTE, minute, ports)).toEqual({ kind: 'other', messages: 1 });
    expect(await notify(NOTE, minute, ports)).toEqual({ kind: 'other', messages: 1 });
    expect(endpoint.shown()).toHaveLength(2);
  });
});
