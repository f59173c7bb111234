import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { contextOf } from '../support/lambda.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../support/slack-endpoint.ts';
import { hostileText, mutatedJson } from './json.ts';
import { RUNS } from './runs.ts';
import { ALARM_DOCUMENTS, ALERT_DOCUMENTS, recordOf, records } from './sns.ts';

const TOKEN = 'not4secret5token6';

const list = fc.array(records, { minLength: 1, maxLength: 3 });
const whole = list.map((Records) => ({ Records }));
const event: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: whole },
  { weight: 2, arbitrary: recordOf([...ALERT_DOCUMENTS, ...ALARM_DOCUMENTS]).map((record) => ({ Records: [record] })) },
  whole.chain((one) => mutatedJson([one])),
  hostileText.map((Records) => ({ Records })),
  fc.jsonValue(),
  fc.constantFrom(undefined, null),
);

/** Whatever lists something brings as many messages; anything else is refused by name. */
function expectedOf(sent: unknown): number {
  const listed = (sent as { Records?: unknown } | null | undefined)?.Records;
  return Array.isArray(listed) ? listed.length : 0;
}

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

  test('each record is shown at the first try, or the event is refused by name', async () => {
    const { createHandler } = await import('../../functions/notify-slack/handler.ts');
    await fc.assert(
      fc.asyncProperty(event, async (sent) => {
        endpoint.clear();
        logs.length = 0;
        const count = expectedOf(sent);
        // A container of its own for each: one that has shown a message skips it the next time.
        const handler = createHandler({ allowedHosts: [endpoint.host], wait: async () => {} });
        const outcome = await Promise.resolve(handler(sent, contextOf())).catch(String);
        expect(outcome).toEqual(
          count > 0
            ? { delivered: count, skipped: 0 }
            : expect.stringMatching(/^TypeError: not an SNS event: accepted/),
        );
        expect(endpoint.posts.map((post) => post.outcome)).toEqual(Array.from({ length: count }, () => 'ok'));
        // Neither the webhook nor a message of people's.
        expect(logs).toHaveLength(count);
        expect(logs.join('\n')).not.toContain(TOKEN);
        expect(logs.filter((line) => JSON.parse(line).level !== 'INFO')).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
