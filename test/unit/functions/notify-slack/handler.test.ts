import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../../core/alerts/digest.ts';
import type { ComposeOptions } from '../../../../functions/notify-slack/compose.ts';
import { contextOf } from '../../../support/lambda.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../../../support/slack-endpoint.ts';
import { stormOfKind } from '../../../support/storm.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';
import { alarmNotification, alertNotification, aNotification, anEvent } from './sns-events.ts';

const PATH = '/services/T0FAKE/B0FAKE/not4secret5token6';
const ADDRESS = `https://hooks.slack.com${PATH}`;
const TOKEN = 'not4secret5token6';

/** One of each kind. */
const KINDS = [
  ['alert', alertNotification(anAlert()), /^🟢 sessions: 402 MB returned$/],
  ['alarm', alarmNotification(anAlarm()), /^🔴 ALARM: offpeak-prod\/sessions/],
  ['other', aNotification({ Message: 'A text for people' }), /^A subject: A text for people$/],
] as const;
const EVENT = anEvent(alertNotification(anAlert()));
const TITLE = '🟢 sessions: 402 MB returned';

const titlesOf = (messages: readonly unknown[]) => messages.map((message) => (message as { text: string }).text);

describe('the exported handler on events as Lambda brings them', () => {
  let endpoint: SlackEndpoint;
  let logs: string[];
  beforeAll(async () => {
    endpoint = await startSlackEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    endpoint.clear();
    logs = [];
    vi.resetModules();
    // With POWERTOOLS_DEV the logger writes to the console that can be listened to, not to the process' own streams.
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.stubEnv('SLACK_WEBHOOK', 'env:TEST_SLACK_ADDRESS');
    vi.stubEnv('TEST_SLACK_ADDRESS', ADDRESS);
    vi.stubEnv('DASHBOARD_URL', 'https://dashboard.example/offpeak');
    vi.stubEnv('RUNBOOK_URL', 'https://docs.example/runbook.md');
    for (const level of ['info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void logs.push(String(line)));
    }
    // The deployed handler posts to Slack's hosts alone: their connections are led to the endpoint, over real HTTP.
    const { fetch: realFetch } = globalThis;
    vi.stubGlobal('fetch', (url: URL, init: RequestInit) =>
      realFetch(url.href.replace('https://hooks.slack.com', `http://${endpoint.host}`), init),
    );
  });
  afterEach(() => {
    // In no outcome does a log line hold the address.
    expect(logs.join('\n')).not.toContain(TOKEN);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });

  /** A container of Lambda's: fresh modules. */
  const container = () => import('../../../../functions/notify-slack/handler.ts');
  const invoke = async (event: unknown, context = contextOf(30_000)) => (await container()).handler(event, context);
  const logged = (message: string) => logs.map((line) => JSON.parse(line)).filter((line) => line.message === message);
  const refusal = { kind: 'answer', status: 400, body: 'too_many_attachments' } as const;

  async function failureOf(invocation: Promise<unknown>): Promise<string> {
    const error = await invocation.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error)) throw new Error('a failed invocation expected');
    expect([error.message, error.stack, String(error.cause)].join()).not.toContain(TOKEN);
    return `${error.name}: ${error.message}`;
  }

  test.each(KINDS)('an %s is shown, and logged without its text', async (kind, notification, title) => {
    expect(await invoke(anEvent(notification))).toEqual({ kind, messages: 1 });
    expect(titlesOf(endpoint.shown())).toEqual([expect.stringMatching(title)]);
    expect(logged('delivered to Slack')).toMatchObject([{ kind, messageId: notification.MessageId }]);
    expect(logs.join('\n')).not.toContain('402 MB');
  });

  test("an alert's button leads to its section of the runbook", async () => {
    await invoke(EVENT);
    expect(JSON.stringify(endpoint.shown()[0])).toContain('https://docs.example/runbook.md#purged');
  });

  test('where Slack refuses, the invocation fails, so that the queue brings the message again', async () => {
    endpoint.behave(refusal);
    const { handler } = await container();
    expect(await failureOf(Promise.resolve(handler(EVENT, contextOf())))).toBe(
      'NotDelivered: message e2f6cbd3-7a5c-5d1f-8d0a-95b1f6f0c001 was not delivered to Slack: Slack answered 400 too_many_attachments',
    );
    expect(logged('not delivered to Slack')).toMatchObject([{ why: 'Slack answered 400 too_many_attachments' }]);
    expect(await handler(EVENT, contextOf())).toEqual({ kind: 'alert', messages: 1 });
    expect(titlesOf(endpoint.shown())).toEqual([TITLE]);
  });

  test('blocks that Slack refuses arrive as text, with a warning', async () => {
    endpoint.behave({ kind: 'answer', status: 400, body: 'invalid_blocks' });
    expect(await invoke(EVENT)).toEqual({ kind: 'alert', messages: 1 });
    expect(endpoint.shown()).toEqual([{ mrkdwn: false, text: expect.stringContaining('Next: Nothing to do.') }]);
    expect(logged('Slack refused the blocks: plain text sent instead')).toHaveLength(1);
  });

  test('429 is waited for', async () => {
    endpoint.behave({ kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '1' } });
    expect(await invoke(EVENT)).toEqual({ kind: 'alert', messages: 1 });
  });

  test('429 for longer than the invocation has is a failure', async () => {
    endpoint.behave({ kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '300' } });
    expect(await failureOf(invoke(EVENT))).toContain('429 rate_limited; no time is left to try again');
  });

  describe('F11: many messages', () => {
    test('of one container are posted one a second, whichever invocation brings them', async () => {
      const waits: number[] = [];
      const handler = (await container()).createHandler({ wait: async (duration) => void waits.push(duration) });
      for (const [, notification] of KINDS) await handler(anEvent(notification), contextOf(30_000));
      expect(titlesOf(endpoint.shown())).toEqual(KINDS.map(([, , title]) => expect.stringMatching(title)));
      expect(waits).toHaveLength(2);
      for (const wait of waits) {
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThan(1_500);
      }
    });

    test('of a digest follow each other; one that fails brings the digest again as a whole', async () => {
      const [first, ...more] = stormOfKind(1_000, 'unsupported');
      if (!first) throw new Error('alerts expected');
      const event = anEvent(alertNotification(digestOf([first, ...more], 'prod/digest/1')));
      endpoint.behave({ kind: 'answer', status: 200, body: 'ok' }, refusal);
      const handler = (await container()).createHandler({ wait: async () => {} });
      await failureOf(Promise.resolve(handler(event, contextOf())));
      expect(endpoint.posts).toHaveLength(2);
      endpoint.clear();
      const shown = await handler(event, contextOf());
      expect(shown).toEqual({ kind: 'alert', messages: endpoint.posts.length });
      const texts = titlesOf(endpoint.shown());
      expect(texts.length).toBeGreaterThan(2);
      expect(new Set(texts).size).toBe(texts.length);
    });
  });

  test.each([[{}], [{ Records: [] }], [null], ['text'], [{ detail: {} }], [{ Records: [{ eventSource: 'aws:s3' }] }]])(
    '%j is not from the queue',
    async (event) => {
      expect(await failureOf(invoke(event))).toMatch(/^TypeError: the event is not from the queue: accepted is/);
      expect(endpoint.posts).toEqual([]);
    },
  );

  test.each([
    ['SLACK_WEBHOOK', '', /^EnvironmentError: SLACK_WEBHOOK is not set/],
    ['SLACK_WEBHOOK', ADDRESS, /^EnvironmentError: SLACK_WEBHOOK does not hold a reference/],
    ['TEST_SLACK_ADDRESS', '', /^SecretUnavailable: .*TEST_SLACK_ADDRESS/],
    ['TEST_SLACK_ADDRESS', TOKEN, /^WebhookError: .* is not an address/],
    ['TEST_SLACK_ADDRESS', `https://evil.example/${TOKEN}`, /^WebhookError: .*another host/],
    ['TEST_SLACK_ADDRESS', `http://127.0.0.1${PATH}`, /^WebhookError: .*another host/],
  ])('%s=%s: a clear failure, and the next invocation tries anew', async (name, value, words) => {
    vi.stubEnv(name, value);
    const { handler } = await container();
    expect(await failureOf(Promise.resolve(handler(EVENT, contextOf())))).toMatch(words);
    expect(endpoint.posts).toEqual([]);
    vi.stubEnv('SLACK_WEBHOOK', 'env:TEST_SLACK_ADDRESS');
    vi.stubEnv('TEST_SLACK_ADDRESS', ADDRESS);
    expect(await handler(EVENT, contextOf())).toEqual({ kind: 'alert', messages: 1 });
  });

  test('a link that cannot be used costs its button and a warning, not the message', async () => {
    vi.stubEnv('DASHBOARD_URL', 'http://dashboard.example/');
    vi.stubEnv('RUNBOOK_URL', '');
    await invoke(EVENT);
    expect(JSON.stringify(endpoint.shown())).not.toMatch(/button|dashboard\.example/);
    expect(logged('DASHBOARD_URL is not used: accepted is an https:// address')).toHaveLength(1);
  });

  test('hosts are an option of the composition', async () => {
    vi.stubEnv('TEST_SLACK_ADDRESS', endpoint.url);
    const options: ComposeOptions = { allowedHosts: [endpoint.host] };
    const handler = (await container()).createHandler(options);
    expect(await handler(EVENT, contextOf())).toEqual({ kind: 'alert', messages: 1 });
  });
});
