import { setTimeout as pause } from 'node:timers/promises';
import { createSecretReader } from '../../core/adapters/aws/secrets.ts';
import { ENVIRONMENT, EnvironmentError } from '../../core/config/environment.ts';
import type { Severity } from '../../core/domain/alert.ts';
import type { Log } from '../../core/ports/log.ts';
import { httpsLink, type Links } from './message/blocks.ts';
import { type Ports, SEVERITIES } from './notify.ts';
import { createPace } from './slack/pace.ts';
import { parseWebhook, SLACK_HOSTS, webhookReference } from './slack/webhook.ts';

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
