import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SecretUnavailable } from '../../core/adapters/aws/secret-failure.ts';
import { createWebhookSink } from '../../core/adapters/webhook.ts';
import { reportOf } from '../unit/core/actions/defrag/steps.ts';
import { ROWS } from '../unit/core/reporting/alert-rows.ts';

const [, outcomes] = ROWS[0] ?? [];
const { alerts } = reportOf(outcomes ?? []);

type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'reset';

describe('a webhook', () => {
  let server: Server;
  let answers: Answer[] = [];
  let posts: { readonly type: string | undefined; readonly body: unknown }[] = [];

  beforeEach(async () => {
    [answers, posts] = [[], []];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        posts.push({ type: request.headers['content-type'], body: JSON.parse(Buffer.concat(chunks).toString()) });
        const answer = answers.shift() ?? { status: 200 };
        if (answer === 'reset') request.socket.resetAndDestroy();
        else response.writeHead(answer.status, answer.headers).end('token-in-the-answer');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-token`;
  const sink = () => createWebhookSink(async () => address());

  test('gets the alert as subscribers have it, with a text for chats', async () => {
    expect(await sink().send(alerts)).toEqual({ sent: 1, rejected: [] });
    expect(posts).toMatchObject([{ type: 'application/json', body: { ...alerts[0] } }]);
    expect(posts).toMatchObject([{ body: { text: expect.stringContaining(alerts[0]?.title ?? '') } }]);
  });

  test.each([
    ['a failure that passes', [{ status: 503 }, 'reset']],
    ['a limit, for as long as it asks', [{ status: 429, headers: { 'retry-after': '1' } }]],
  ] as const)('%s is waited for', async (_, first) => {
    answers = [...first];
    expect(await sink().send(alerts)).toEqual({ sent: 1, rejected: [] });
    expect(posts).toHaveLength(first.length + 1);
  });

  test.each([
    ['a refusal is not repeated', [{ status: 410 }], /^the webhook answered 410$/],
    [
      'a redirect is not followed',
      [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
      /^the webhook answered 302$/,
    ],
    [
      'what does not pass is given up',
      [{ status: 500 }, { status: 500 }, { status: 500 }],
      /answered 500 \(tried 3 times\)$/,
    ],
  ] as const)('%s, and is reported without the address', async (_, given, why) => {
    answers = [...given];
    const { sent, rejected } = await sink().send(alerts);
    expect({ sent, posts: posts.length }).toEqual({ sent: 0, posts: given.length });
    expect(rejected).toMatchObject([{ why: expect.stringMatching(why) }]);
    expect(JSON.stringify(rejected)).not.toMatch(/secret-token|token-in-the-answer|127\.0\.0\.1/);
  });

  test.each([
    [
      'an address that is none',
      async () => 'hooks.example/secret-token',
      'the webhook is not an address: accepted is https://…',
    ],
    [
      'a secret that cannot be read',
      async () => Promise.reject(new SecretUnavailable('env:WEBHOOK is not set')),
      'the address of the webhook: env:WEBHOOK is not set',
    ],
  ])('%s is reported', async (_, read, why) => {
    expect(await createWebhookSink(read).send(alerts)).toMatchObject({ sent: 0, rejected: [{ why }] });
    expect(await createWebhookSink(read).send([])).toEqual({ sent: 0, rejected: [] });
  });

  test('one that accepts nothing costs its time once for all alerts, and one of them says why', async () => {
    answers = Array.from({ length: 100 }, () => ({ status: 503, headers: { 'retry-after': '5' } }) as const);
    const one = sink();
    // As the outbox sends them: each by itself, side by side.
    const reports = await Promise.all(Array.from({ length: 3 }, () => one.send([...alerts, ...alerts, ...alerts])));
    const whys = reports.flatMap(({ rejected }) => rejected.map(({ why }) => why));
    expect(whys).toHaveLength(9);
    expect(whys.filter((why) => why === 'the webhook answered 503 (tried 2 times)')).toHaveLength(1);
    expect(new Set(whys)).toContain('the webhook does not accept messages now: another one says why');
    expect(new Set(whys).size).toBe(2);
    // A second try of each, and no third.
    expect(posts.length).toBeLessThanOrEqual(18);
    answers = [];
    expect(await one.send(alerts)).toEqual({ sent: 1, rejected: [] });
  });

  test('a server that is not there is reported by the code of the failure', async () => {
    const url = address();
    await new Promise((resolve) => server.close(resolve));
    const { rejected } = await createWebhookSink(async () => url).send(alerts);
    expect(rejected).toMatchObject([{ why: 'the webhook cannot be reached: ECONNREFUSED (tried 3 times)' }]);
    server.listen(0);
  });
});
