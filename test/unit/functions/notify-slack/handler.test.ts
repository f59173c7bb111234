import type { SNSEvent } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../../core/alerts/digest.ts';
import type { ComposeOptions } from '../../../../functions/notify-slack/compose.ts';
import { contextOf } from '../../../support/lambda.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../../../support/slack-endpoint.ts';
import { stormOfKind } from '../../../support/storm.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { anAlarm } from './alarms.ts';
import { alarmRecord, alertRecord, anEvent, aRecord, queued } from './sns-events.ts';

const PATH = '/services/T0FAKE/B0FAKE/not4secret5token6';
const ADDRESS = `https://hooks.slack.com${PATH}`;
const TOKEN = 'not4secret5token6';

/** Three records of the three kinds. */
const EVENT = anEvent(alertRecord(anAlert()), alarmRecord(anAlarm()), aRecord({ Message: 'A text for people' }));
const TITLES = ['🟢 sessions: 402 MB returned', /^🔴 ALARM: offpeak-prod\/sessions/, 'A subject: A text for people'];

const titlesOf = (messages: readonly unknown[]) => messages.map((message) => (message as { text: string }).text);

describe('the exported handler on real-shaped SNS events', () => {
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

  test('every record is shown, in order, and logged without its text', async () => {
    expect(await invoke(EVENT)).toEqual({ delivered: 3, skipped: 0 });
    expect(titlesOf(endpoint.shown())).toEqual([TITLES[0], expect.stringMatching(TITLES[1] ?? ''), TITLES[2]]);
    expect(logged('delivered to Slack')).toMatchObject([{ kind: 'alert' }, { kind: 'alarm' }, { kind: 'other' }]);
    expect(JSON.stringify(endpoint.shown()[0])).toContain('https://docs.example/runbook.md#purged');
  });

  test('one that fails does not keep the others back, and a retry of the event brings only that one again', async () => {
    endpoint.behave({ kind: 'answer', status: 200, body: 'ok' }, refusal);
    const { handler } = await container();
    expect(await failureOf(Promise.resolve(handler(EVENT, contextOf())))).toBe(
      `NotDelivered: 1 of 3 messages not delivered to Slack: ${EVENT.Records[1]?.Sns.MessageId}: Slack answered 400 too_many_attachments`,
    );
    expect(endpoint.posts).toHaveLength(3);
    expect(logged('not delivered to Slack')).toMatchObject([{ why: 'Slack answered 400 too_many_attachments' }]);

    endpoint.clear();
    expect(await handler(EVENT, contextOf())).toEqual({ delivered: 1, skipped: 2 });
    expect(titlesOf(endpoint.shown())).toEqual([expect.stringMatching(TITLES[1] ?? '')]);
    expect(await handler(EVENT, contextOf())).toEqual({ delivered: 0, skipped: 3 });
  });

  test('another container knows nothing of it and shows all of them again', async () => {
    await invoke(EVENT);
    vi.resetModules();
    expect(await invoke(EVENT)).toEqual({ delivered: 3, skipped: 0 });
    expect(endpoint.shown()).toHaveLength(6);
  });

  test('blocks that Slack refuses arrive as text, with a warning', async () => {
    endpoint.behave({ kind: 'answer', status: 400, body: 'invalid_blocks' });
    expect(await invoke(anEvent(alertRecord(anAlert())))).toEqual({ delivered: 1, skipped: 0 });
    expect(endpoint.shown()).toEqual([{ mrkdwn: false, text: expect.stringContaining('Next: Nothing to do.') }]);
    expect(logged('blocks refused by Slack: plain text sent instead')).toHaveLength(1);
  });

  test('429 is waited for', async () => {
    endpoint.behave({ kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '1' } });
    expect(await invoke(anEvent(aRecord()))).toEqual({ delivered: 1, skipped: 0 });
  });

  test('429 for longer than the invocation has is a failure', async () => {
    endpoint.behave({ kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '300' } });
    expect(await failureOf(invoke(anEvent(aRecord())))).toContain('429 rate_limited; no time is left to try again');
  });

  describe('F11: from the queue', () => {
    const event = { Records: EVENT.Records.map((record, n) => queued(record, `receipt-${n}`)) };

    test('every message is shown, in order, one a second', async () => {
      const waits: number[] = [];
      const handler = (await container()).createHandler({ wait: async (duration) => void waits.push(duration) });
      expect(await handler(event, contextOf(30_000))).toEqual({ delivered: 3, skipped: 0 });
      expect(titlesOf(endpoint.shown())).toEqual([TITLES[0], expect.stringMatching(TITLES[1] ?? ''), TITLES[2]]);
      expect(waits).toHaveLength(2);
      for (const wait of waits) {
        expect(wait).toBeGreaterThanOrEqual(1_000);
        expect(wait).toBeLessThan(1_500);
      }
    });

    test('only those that were not shown come again, also when they fail again', async () => {
      endpoint.behave({ kind: 'answer', status: 200, body: 'ok' }, refusal);
      const handler = (await container()).createHandler({ wait: async () => {} });
      const again = [{ itemIdentifier: 'receipt-1' }];
      expect(await handler(event, contextOf())).toEqual({ delivered: 2, skipped: 0, batchItemFailures: again });
      endpoint.behave(refusal);
      expect(await handler(event, contextOf())).toEqual({ delivered: 0, skipped: 2, batchItemFailures: again });
      expect(await handler(event, contextOf())).toEqual({ delivered: 1, skipped: 2 });
    });

    test('where none was shown the invocation fails, so that all come again and its alarm sees it', async () => {
      endpoint.behave(refusal, refusal, refusal);
      const handler = (await container()).createHandler({ wait: async () => {} });
      expect(await failureOf(Promise.resolve(handler(event, contextOf())))).toMatch(/^NotDelivered: 3 of 3 messages/);
    });

    test('after a 429 for longer than there is time nothing more is sent to Slack', async () => {
      const limited = { kind: 'answer', status: 429, body: 'rate_limited', headers: { 'retry-after': '300' } } as const;
      endpoint.behave({ kind: 'answer', status: 200, body: 'ok' }, limited);
      const handler = (await container()).createHandler({ wait: async () => {} });
      expect(await handler(event, contextOf())).toEqual({
        delivered: 1,
        skipped: 0,
        batchItemFailures: [{ itemIdentifier: 'receipt-1' }, { itemIdentifier: 'receipt-2' }],
      });
      expect(endpoint.posts).toHaveLength(2);
    });

    test('of a digest in several messages, those that were shown are not shown again', async () => {
      const [first, ...more] = stormOfKind(1_000, 'unsupported');
      if (!first) throw new Error('alerts expected');
      const record = queued(alertRecord(digestOf([first, ...more], 'prod/digest/1')));
      endpoint.behave({ kind: 'answer', status: 200, body: 'ok' }, refusal);
      const handler = (await container()).createHandler({ wait: async () => {} });
      await failureOf(Promise.resolve(handler({ Records: [record] }, contextOf())));
      expect(await handler({ Records: [record] }, contextOf())).toEqual({ delivered: 1, skipped: 0 });
      const texts = titlesOf(endpoint.shown());
      expect(texts.length).toBeGreaterThan(2);
      expect(new Set(texts).size).toBe(texts.length);
    });

    test('what somebody has put there without SNS is shown as the text that it is', async () => {
      const handler = (await container()).createHandler({ wait: async () => {} });
      const odd = { ...queued(aRecord()), body: 'by hand' };
      expect(await handler({ Records: [odd] }, contextOf())).toEqual({ delivered: 1, skipped: 0 });
      expect(titlesOf(endpoint.shown())).toEqual(['A message that is not of SNS: by hand']);
    });
  });

  test('a record of another service is shown, and another one like it is not taken for the same', async () => {
    const s3 = (key: string) => ({ eventSource: 'aws:s3', s3: { object: { key } } });
    const { handler } = await container();
    expect(await handler({ Records: [s3('a.txt')] }, contextOf())).toEqual({ delivered: 1, skipped: 0 });
    expect(await handler({ Records: [s3('b.txt')] }, contextOf())).toEqual({ delivered: 1, skipped: 0 });
    expect(JSON.stringify(endpoint.shown())).toMatch(/A record that is not of SNS.*a\.txt.*b\.txt/);
  });

  test.each([[{}], [{ Records: [] }], [null], ['text'], [{ detail: {} }]])('%j is no SNS event', async (event) => {
    expect(await failureOf(invoke(event))).toBe(
      'TypeError: not an SNS event: accepted is {"Records": [{"Sns": {"MessageId": …, "Message": …}}]}',
    );
    expect(endpoint.posts).toEqual([]);
  });

  test.each([
    ['SLACK_WEBHOOK', '', /^EnvironmentError: SLACK_WEBHOOK is not set/],
    ['SLACK_WEBHOOK', ADDRESS, /^EnvironmentError: SLACK_WEBHOOK holds no reference/],
    ['TEST_SLACK_ADDRESS', '', /^SecretUnavailable: .*TEST_SLACK_ADDRESS/],
    ['TEST_SLACK_ADDRESS', TOKEN, /^WebhookError: .* is no address/],
    ['TEST_SLACK_ADDRESS', `https://evil.example/${TOKEN}`, /^WebhookError: .*another host/],
    ['TEST_SLACK_ADDRESS', `http://127.0.0.1${PATH}`, /^WebhookError: .*another host/],
  ])('%s=%s: a clear failure, and the next invocation tries anew', async (name, value, words) => {
    vi.stubEnv(name, value);
    const { handler } = await container();
    expect(await failureOf(Promise.resolve(handler(EVENT, contextOf())))).toMatch(words);
    expect(endpoint.posts).toEqual([]);
    vi.stubEnv('SLACK_WEBHOOK', 'env:TEST_SLACK_ADDRESS');
    vi.stubEnv('TEST_SLACK_ADDRESS', ADDRESS);
    expect(await handler(EVENT, contextOf())).toEqual({ delivered: 3, skipped: 0 });
  });

  test('a link that cannot be used costs its button and a warning, not the message', async () => {
    vi.stubEnv('DASHBOARD_URL', 'http://dashboard.example/');
    vi.stubEnv('RUNBOOK_URL', '');
    await invoke(anEvent(alertRecord(anAlert())));
    expect(JSON.stringify(endpoint.shown())).not.toMatch(/button|dashboard\.example/);
    expect(logged('DASHBOARD_URL is not used: accepted is an https:// address')).toHaveLength(1);
  });

  test('hosts are an option of the composition', async () => {
    vi.stubEnv('TEST_SLACK_ADDRESS', endpoint.url);
    const options: ComposeOptions = { allowedHosts: [endpoint.host] };
    const event: SNSEvent = anEvent(aRecord());
    const handler = (await container()).createHandler(options);
    expect(await handler(event, contextOf())).toEqual({ delivered: 1, skipped: 0 });
  });
});
