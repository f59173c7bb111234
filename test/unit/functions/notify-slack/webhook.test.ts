import { describe, expect, test } from 'vitest';
import { parseWebhook, SLACK_HOSTS, webhookReference } from '../../../../functions/notify-slack/compose.ts';

const SECRET = 'services/T0000/B0000/keepitsecret';

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
  }
  throw new Error('an error expected');
}

describe("the webhook's address", () => {
  test.each([[`https://hooks.slack.com/${SECRET}`], [`\n https://hooks.slack-gov.com/${SECRET} \n`]])(
    'accepted: %s',
    (secret) => {
      expect(parseWebhook(secret, SLACK_HOSTS).href).toBe(secret.trim());
    },
  );

  test.each([
    ['', 'not an address'],
    ['xoxb-not-an-address-keepitsecret', 'not an address'],
    [`http://hooks.slack.com/${SECRET}`, 'an address without https'],
    [`https://hooks.slack.com.evil.example/${SECRET}`, 'the address of another host or port'],
    [`https://evil.example/${SECRET}`, 'the address of another host or port'],
    [`https://hooks.slack.com:8443/${SECRET}`, 'the address of another host or port'],
    [`http://127.0.0.1/${SECRET}`, 'the address of another host or port'],
    [`https://user:keepitsecret@hooks.slack.com/${SECRET}`, 'an address with a user or a password'],
    [`ftp://hooks.slack.com/${SECRET}`, 'an address without https'],
  ])('refused: %s (%s), and never shown', (secret, what) => {
    const message = messageOf(() => parseWebhook(secret, SLACK_HOSTS));
    expect(message).toBe(
      `WebhookError: the secret that SLACK_WEBHOOK refers to is ${what}: accepted is https://<host>/services/…, with the host hooks.slack.com or hooks.slack-gov.com`,
    );
  });

  test('plain http is for a loopback address that a test has allowed', () => {
    expect(parseWebhook(`http://127.0.0.1:4000/${SECRET}`, ['127.0.0.1:4000']).port).toBe('4000');
    expect(messageOf(() => parseWebhook(`http://10.0.0.1/${SECRET}`, ['10.0.0.1']))).toContain('without https');
  });
});

describe('the reference', () => {
  test.each([
    ['env:SLACK_ADDRESS', { source: 'env', name: 'SLACK_ADDRESS' }],
    ['ssm:/offpeak/slack', { source: 'ssm', name: '/offpeak/slack' }],
    ['secretsmanager:offpeak#slack', { source: 'secretsmanager', id: 'offpeak', key: 'slack' }],
  ])('%s', (text, reference) => {
    expect(webhookReference({ SLACK_WEBHOOK: text })).toEqual(reference);
  });

  test('not set: says what it has to hold', () => {
    expect(messageOf(() => webhookReference({}))).toBe(
      "EnvironmentError: SLACK_WEBHOOK is not set: set it to the reference to the address of Slack's incoming webhook",
    );
  });

  test('the address itself in its place is refused without being shown', () => {
    const message = messageOf(() => webhookReference({ SLACK_WEBHOOK: `https://hooks.slack.com/${SECRET}` }));
    expect(message).toMatch(
      /^EnvironmentError: SLACK_WEBHOOK does not hold a reference \(its text is not shown\): accepted is/,
    );
    expect(message).not.toContain('keepitsecret');
  });
});
