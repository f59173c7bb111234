import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { contextOf } from '../support/lambda.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../support/slack-endpoint.ts';
import { RUNS } from './runs.ts';
import { events } from './sns.ts';

const TOKEN = 'not4secret5token6';

describe('whatever Lambda hands to the notifier', () => {
  let endpoint: SlackEndpoint;
  beforeAll(async () => {
    endpoint = await startSlackEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
  });
  const logs: string[] = [];
  beforeEach(() => {
    // With POWERTOOLS_DEV the logger writes to the console that can be listened to, not to the process' own streams.
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.resetModules();
    vi.stubEnv('SLACK_WEBHOOK', 'env:TEST_SLACK_ADDRESS');
    vi.stubEnv('TEST_SLACK_ADDRESS', endpoint.url);
    for (const level of ['info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void logs.push(String(line)));
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test('a message of SNS is shown at the first try, anything else is refused without its text', async () => {
    const { createHandler } = await import('../../functions/notify-slack/handler.ts');
    const handler = createHandler({ allowedHosts: [endpoint.host], wait: async () => {} });
    await fc.assert(
      fc.asyncProperty(events, async (sent) => {
        endpoint.clear();
        logs.length = 0;
        const outcome = await Promise.resolve(handler(sent, contextOf())).catch(String);
        const { length } = endpoint.posts;
        if (length === 0) {
          expect(outcome).toMatch(
            /^TypeError: the (event is not from the queue|event has \d+ records|message [\s\S]* is not from SNS)/,
          );
          expect(isMessageOfSns(sent)).toBe(false);
        } else {
          expect(outcome).toEqual({ kind: expect.stringMatching(/^(alert|alarm|other)$/), messages: length });
        }
        expect(endpoint.posts.map((post) => post.outcome)).toEqual(Array.from({ length }, () => 'ok'));
        // Neither the webhook nor a text that people have written.
        expect(logs).toHaveLength(Math.min(length, 1));
        expect(logs.join('\n')).not.toContain(TOKEN);
        expect(logs.filter((line) => JSON.parse(line).level !== 'INFO')).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

/** As SNS and SQS write it, judged without the function's own schema. */
function isMessageOfSns(sent: unknown): boolean {
  try {
    const { Records } = sent as { Records: readonly { eventSource: unknown; messageId: unknown; body: string }[] };
    const [record] = Records;
    const { Type, MessageId, Message, Subject = '', TopicArn = '', Timestamp = '' } = JSON.parse(record?.body ?? '');
    const texts = [record?.body, record?.messageId, MessageId, Message, Subject ?? '', TopicArn ?? '', Timestamp ?? ''];
    const isWhole = texts.every((text) => typeof text === 'string') && Type === 'Notification';
    return isWhole && Array.isArray(Records) && Records.length === 1 && record?.eventSource === 'aws:sqs';
  } catch {
    return false;
  }
}
