import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rememberDelivered } from '../../../../functions/notify-slack/delivered.ts';
import { render } from '../../../../functions/notify-slack/message.ts';
import { NotDelivered, notify, type Ports } from '../../../../functions/notify-slack/notify.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../../../support/slack-endpoint.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

const note = (messageId: string) => ({ messageId, message: `message ${messageId}`, subject: 'A subject' });
const minute = () => 60_000;

describe('notes to Slack', () => {
  let endpoint: SlackEndpoint;
  let asked: number;
  let forgotten: number;
  let warnings: string[];
  beforeAll(async () => {
    endpoint = await startSlackEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    endpoint.clear();
    [asked, forgotten, warnings] = [0, 0, []];
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
    delivered: rememberDelivered(),
    log: { info: () => {}, warn: (message) => void warnings.push(message), error: () => {} },
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
  ])('after %i %j the address is asked for anew %d times', async (status, body, times) => {
    endpoint.behave(
      ...Array.from({ length: status >= 500 ? 3 : 1 }, () => ({ kind: 'answer', status, body }) as const),
    );
    await expect(notify([note('a'), note('b')], minute, portsWith())).rejects.toThrow(NotDelivered);
    expect(forgotten).toBe(times);
    expect(endpoint.shown()).toHaveLength(1);
  });

  test('a bug with one note does not keep the others back, and the address stays out of the error', async () => {
    const delivered = rememberDelivered();
    const add = (id: string) => {
      if (id === 'a') throw new RangeError(`bug at ${endpoint.url}`);
      delivered.add(id);
    };
    const notifying = notify([note('a'), note('b')], minute, portsWith({ delivered: { ...delivered, add } }));
    await expect(notifying).rejects.toThrow(
      '1 of 2 messages not delivered to Slack: a: unexpected RangeError: bug at (webhook)',
    );
    expect(delivered.has('b')).toBe(true);
  });

  test('where all are delivered already, the secret is not even read', async () => {
    const ports = portsWith();
    await notify([note('a')], minute, ports);
    expect(await notify([note('a')], minute, ports)).toEqual({ delivered: 0, skipped: 1 });
    expect(asked).toBe(1);
  });

  test('blocks beyond the limits become the plain text before they are sent', async () => {
    const links = { dashboard: 'http://not.https.example/' };
    const alert = { messageId: 'a', message: JSON.stringify(anAlert()) };
    const { message, plain, faults } = render(alert, links);
    expect(faults).toEqual([expect.stringContaining('no https address')]);
    expect(message).toBe(plain);
    expect(await notify([alert], minute, portsWith({ links }))).toEqual({ delivered: 1, skipped: 0 });
    expect(endpoint.shown()).toEqual([{ text: plain.text, mrkdwn: false }]);
    expect(warnings).toEqual(['blocks beyond the limits: plain text sent instead']);
  });
});

describe('what a container remembers', () => {
  test('the oldest go first', () => {
    const delivered = rememberDelivered(2);
    for (const id of ['a', 'b', 'b', 'c']) delivered.add(id);
    expect(['a', 'b', 'c'].map((id) => delivered.has(id))).toEqual([false, true, true]);
  });
});
