import { ACCEPTED_REFERENCES, parseSecretReference, type SecretReference } from '../../../core/config/address.ts';
import { ENVIRONMENT, EnvironmentError, required } from '../../../core/config/environment.ts';

/** Where Slack's incoming webhooks are; the second serves GovSlack. */
export const SLACK_HOSTS: readonly string[] = ['hooks.slack.com', 'hooks.slack-gov.com'];

/** The stored secret is not an address that messages may be sent to. No error shows its text, since everybody who has it can post. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/** @throws EnvironmentError when the variable is not set, or holds something else than a reference (which is not shown). */
export function webhookReference(env: Readonly<Record<string, string | undefined>>): SecretReference {
  const text = required(env, ENVIRONMENT.slackWebhook, "the reference to the address of Slack's incoming webhook");
  const reference = parseSecretReference(text);
  if (reference) return reference;
  throw new EnvironmentError(
    `${ENVIRONMENT.slackWebhook} does not hold a reference (its text is not shown): accepted is ${ACCEPTED_REFERENCES}`,
  );
}

/**
 * The address that the secret holds: https, at one of `allowedHosts`. Plain http is accepted for 127.0.0.1 only, and only where a test
 * allows that host: the list of the deployed function has Slack's hosts and nothing else.
 *
 * @throws WebhookError saying what is wrong, without the address
 */
export function parseWebhook(secret: string, allowedHosts: readonly string[]): URL {
  const url = URL.parse(secret.trim());
  if (!url) throw refused('not an address', allowedHosts);
  if (!allowedHosts.includes(url.host)) throw refused('the address of another host or port', allowedHosts);
  const isLoopback = url.protocol === 'http:' && url.hostname === '127.0.0.1';
  if (url.protocol !== 'https:' && !isLoopback) throw refused('an address without https', allowedHosts);
  if (url.username !== '' || url.password !== '') throw refused('an address with a user or a password', allowedHosts);
  return url;
}

function refused(what: string, allowedHosts: readonly string[]): WebhookError {
  return new WebhookError(
    `the secret that ${ENVIRONMENT.slackWebhook} refers to is ${what}: accepted is https://<host>/services/…, with the host ${allowedHosts.join(' or ')}`,
  );
}
