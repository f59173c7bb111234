import { setTimeout as pause } from 'node:timers/promises';
import { createSecretReader } from '../../core/adapters/aws/secrets.ts';
import { ACCEPTED_REFERENCES, parseSecretReference, type SecretReference } from '../../core/config/address.ts';
import { ENVIRONMENT, EnvironmentError, required } from '../../core/config/environment.ts';
import type { Severity } from '../../core/domain/alert.ts';
import type { Log } from '../../core/ports/log.ts';
import { httpsLink, type Links } from './message/blocks.ts';
import { type Ports, SEVERITIES } from './notify.ts';
import { createPace } from './slack/client.ts';

/** Where Slack's incoming webhooks are; the second serves GovSlack. */
export const SLACK_HOSTS: readonly string[] = ['hooks.slack.com', 'hooks.slack-gov.com'];

type Environment = Readonly<Record<string, string | undefined>>;

export interface ComposeOptions {
  /** `host` or `host:port` that the webhook's address may have. Default: Slack's; only a test has reason for others. */
  readonly allowedHosts?: readonly string[];
  /** How to wait. Default: by the clock. */
  readonly wait?: Ports['pause'];
}

/**
 * Everything that a container needs, made once.
 * @throws EnvironmentError naming what is missing or wrong
 */
export function compose(
  env: Environment,
  log: Log,
  { allowedHosts = SLACK_HOSTS, wait = pause }: ComposeOptions = {},
): Ports {
  const secrets = createSecretReader({ env });
  const reference = webhookReference(env);
  return {
    webhook: async () => parseWebhook(await secrets.read(reference), allowedHosts),
    forgetWebhook: () => secrets.forget(reference),
    links: linksFrom(env, log),
    from: fromOf(env),
    pace: createPace({ now: () => performance.now(), pause: wait, random: Math.random }),
    log,
    pause: wait,
    random: Math.random,
  };
}

/** @throws EnvironmentError for a text that is not a severity: posting less than was asked for would be silent */
function fromOf(env: Environment): Severity {
  const text = env[ENVIRONMENT.slackFrom] || 'info';
  const severity = SEVERITIES.find((one) => one === text);
  if (severity === undefined)
    throw new EnvironmentError(
      `${ENVIRONMENT.slackFrom} is ${JSON.stringify(text)}: set it to ${SEVERITIES.join(', ')}`,
    );
  return severity;
}

/** A link that cannot be used is left out with a warning: an alert without a button is better than none. */
function linksFrom(env: Environment, log: Log): Links {
  const dashboard = linkFrom(env, ENVIRONMENT.dashboardUrl, log);
  const runbook = linkFrom(env, ENVIRONMENT.runbookUrl, log);
  return { ...(dashboard !== undefined && { dashboard }), ...(runbook !== undefined && { runbook }) };
}

function linkFrom(env: Environment, name: string, log: Log): string | undefined {
  const text = env[name];
  if (!text) return undefined;
  const link = httpsLink(text);
  if (link === undefined) log.warn(`${name} is not used: accepted is an https:// address`, { [name]: text });
  return link;
}

/** The stored secret is not an address that messages may be sent to. No error shows its text, since everybody who has it can post. */
class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

/** @throws EnvironmentError when the variable is not set, or holds something else than a reference (which is not shown). */
export function webhookReference(env: Environment): SecretReference {
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
