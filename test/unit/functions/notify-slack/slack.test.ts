import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';
import { type Conditions, deliver, SlackError } from '../../../../functions/notify-slack/slack/client.ts';
import { oddServer } from '../../../support/odd-server.ts';
import { type Behaviour, type SlackEndpoint, startSlackEndpoint } from '../../../support/slack-endpoint.ts';

const MESSAGE: SlackMessage = {
  text: 'sessions: 402 MB returned',
  blocks: [{ type: 'section', text: { type: 'plain_text', text: 'sessions: 402 MB returned' } }],
};
const PLAIN: SlackMessage = { text: 'sessions: 402 MB returned, in plain text', mrkdwn: false };
const MINUTE = 60_000;

const answer = (status: number, body: string, retryAfter?: string): Behaviour => ({
  kind: 'answer',
  status,
  body,
  ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }),
});

describe('posting to an incoming webhook over HTTP', () => {
  let endpoint: SlackEndpoint;
  let pauses: number[];
  beforeAll(async () => {
    endpoint = await startSlackEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    endpoint.clear();
    pauses = [];
  });

  /** Pauses pass at once and take their time off what remains. */
  function conditions(time = MINUTE): Conditions {
    return {
      remaining: () => time - pauses.reduce((sum, pause) => sum + pause, 0),
      pause: async (duration) => pauses.push(duration),
      random: () => 0.5,
    };
  }
  const post = (over: { webhook?: URL; time?: number } = {}) =>
    deliver(over.webhook ?? new URL(endpoint.url), { message: MESSAGE, plain: PLAIN }, conditions(over.time));
  const outcomes = () => endpoint.posts.map(({ outcome }) => outcome);

  async function failureOf(delivery: Promise<unknown>): Promise<SlackError> {
    const error = await delivery.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof SlackError)) throw new Error(`a SlackError expected, not ${String(error)}`);
    // Whatever goes wrong: the address is a secret.
    expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('not4secret5token6');
    return error;
  }

  test('a good message is shown as it was sent', async () => {
    expect(await post()).toBe('message');
    expect(endpoint.shown()).toEqual([MESSAGE]);
  });

  test('F11: 429 is waited for as Retry-After says, and a jitter longer', async () => {
    endpoint.behave(answer(429, 'rate_limited', '30'), answer(429, 'rate_limited', '2'));
    expect(await post()).toBe('message');
    expect(pauses).toEqual([30_500, 2_500]);
    expect(endpoint.shown()).toEqual([MESSAGE]);
  });

  test.each([['0'], ['soon'], ['-1'], ['1.5'], [undefined]])(
    '429 with Retry-After %j: a second',
    async (retryAfter) => {
      endpoint.behave(answer(429, 'rate_limited', retryAfter));
      expect(await post()).toBe('message');
      expect(pauses).toEqual([1_500]);
    },
  );

  test('a Retry-After that does not fit into the invocation is a failure at once', async () => {
    endpoint.behave(answer(429, 'rate_limited', '58'));
    const { message } = await failureOf(post());
    expect(message).toBe('Slack answered 429 rate_limited; no time is left to try again in 59 s');
    expect(pauses).toEqual([]);
  });

  test('without time for one try nothing is sent', async () => {
    expect((await failureOf(post({ time: 2_999 }))).message).toBe('no time is left for a try');
    expect(endpoint.posts).toEqual([]);
  });

  test.each<[name: string, behaviour: Behaviour]>([
    ['5xx', answer(503, 'rollup_error')],
    ['a reset', { kind: 'reset' }],
  ])('%s twice, then shown: with growing, jittered pauses', async (_, behaviour) => {
    endpoint.behave(behaviour, behaviour);
    expect(await post()).toBe('message');
    expect(pauses).toEqual([400, 800]);
    expect(endpoint.shown()).toHaveLength(1);
  });

  test.each<[name: string, behaviour: Behaviour, why: string]>([
    ['5xx', answer(500, 'server_error'), 'Slack answered 500 server_error (tried 3 times)'],
    [
      'a page',
      answer(502, '<html>https://hooks.slack.com/services/T/B/x</html>'),
      'Slack answered 502 with a text of 51 characters, not one of its error words (tried 3 times)',
    ],
    ['resets', { kind: 'reset' }, 'Slack cannot be reached: UND_ERR_SOCKET (tried 3 times)'],
  ])('%s for ever: a failure after three tries', async (_, behaviour, why) => {
    endpoint.behave(behaviour, behaviour, behaviour);
    const error = await failureOf(post());
    expect(error.message.replace('ECONNRESET', 'UND_ERR_SOCKET')).toBe(why);
    expect(error.isWebhookGone).toBe(false);
    expect(endpoint.posts).toHaveLength(3);
  });

  test('an endpoint that never answers is given up after 3 s each try', async () => {
    endpoint.behave({ kind: 'hang' });
    expect((await failureOf(post({ time: 3_100 }))).message).toBe(
      'Slack cannot be reached: no answer within 3000 ms; no time is left to try again in 1 s',
    );
    expect(outcomes()).toEqual(['hang']);
  });

  test('nobody listens', async () => {
    const closed = await oddServer(() => {});
    await closed[Symbol.asyncDispose]();
    const webhook = new URL(`http://127.0.0.1:${closed.port}/services/T/B/not4secret5token6`);
    expect((await failureOf(post({ webhook }))).message).toBe('Slack cannot be reached: ECONNREFUSED (tried 3 times)');
  });

  test.each([
    [400, 'invalid_blocks'],
    [400, 'invalid_payload'],
    [200, 'invalid_payload'],
    [400, 'invalid_blocks_format'],
  ])('%d %s: once more as plain text', async (status, word) => {
    endpoint.behave(answer(status, word));
    expect(await post()).toBe('plain');
    expect(endpoint.shown()).toEqual([PLAIN]);
    expect(outcomes()).toEqual([word, 'ok']);
  });

  test('plain text that is refused as well is a failure, not a loop', async () => {
    endpoint.behave(answer(400, 'invalid_payload'), answer(400, 'invalid_payload'));
    expect((await failureOf(post())).message).toBe('Slack answered 400 invalid_payload');
    expect(endpoint.posts).toHaveLength(2);
  });

  test.each([
    [403, 'action_prohibited', true],
    [403, 'invalid_token', true],
    [404, 'no_service', true],
    [404, 'channel_not_found', true],
    [410, 'channel_is_archived', true],
    [404, 'no_active_hooks', true],
    [400, 'no_active_hooks', true],
    [403, 'a_word_of_next_year', true],
    [404, '<html>Not found</html>', true],
    [410, '', true],
    [403, 'constructor', true],
    [400, 'constructor', false],
    [200, 'no_text', false],
    [200, '', false],
    [400, 'too_many_attachments', false],
    [302, '', false],
    [200, 'OK', false],
  ])('%d %j is a failure, and never tried again', async (status, word, isWebhookGone) => {
    endpoint.behave(answer(status, word));
    const error = await failureOf(post());
    expect(error.message).toContain(`Slack answered ${status}`);
    expect(error.isWebhookGone).toBe(isWebhookGone);
    expect(endpoint.posts).toHaveLength(1);
    expect(pauses).toEqual([]);
  });

  test('a redirect is not followed: nobody has allowed the host behind it', async () => {
    await using elsewhere = await startSlackEndpoint();
    endpoint.behave({ kind: 'answer', status: 307, body: '', headers: { location: elsewhere.url } });
    expect((await failureOf(post())).message).toBe('Slack answered 307 with an empty text');
    expect(elsewhere.posts).toEqual([]);
  });

  test.each([
    [404, 'no_active_hooks', 'no_active_hooks: the webhook is disabled: create another and store its address'],
    [410, '', 'with an empty text: no working webhook has this address: create another and store its address'],
  ])('%d %j says what to do', async (status, word, help) => {
    endpoint.behave(answer(status, word));
    expect((await failureOf(post())).message).toBe(`Slack answered ${status} ${help}`);
  });

  test('an address that Slack does not know says what to do', async () => {
    const webhook = new URL(endpoint.url.replace('B0FAKE', 'B0GONE'));
    expect((await failureOf(post({ webhook }))).message).toBe(
      'Slack answered 404 no_service: the webhook was removed or disabled: create another and store its address',
    );
  });
});
