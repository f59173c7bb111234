import type { Milliseconds } from '../../core/config/units.ts';
import type { Severity } from '../../core/domain/alert.ts';
import { errorText } from '../../core/format/error-text.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Links } from './message/blocks.ts';
import type { Note } from './message/note.ts';
import { type Rendered, render } from './message/render.ts';
import { type Conditions, deliver, SlackError } from './slack/client.ts';

/** What a notifier needs. */
export interface Ports extends Omit<Conditions, 'remaining'> {
  /** The webhook's address, a secret. */
  readonly webhook: () => Promise<URL>;
  /** The webhook does not work any more: the next `webhook` reads the secret again. */
  readonly forgetWebhook: () => void;
  readonly links: Links;
  /** The lowest severity that is posted. */
  readonly from: Severity;
  /** Waits until Slack takes another message. */
  readonly pace: () => Promise<void>;
  readonly log: Log;
}

/** From the mildest. */
export const SEVERITIES: readonly Severity[] = ['info', 'warning', 'critical'];

/** What Slack shows now. */
export interface Shown {
  readonly kind: Rendered['kind'];
  /** In how many messages. */
  readonly messages: number;
}

/** Slack did not take the message: the queue brings it again. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
}

/**
 * Shows a note in Slack. Nothing remembers what was shown: SQS may bring a message twice, and a digest whose third message fails comes
 * again as a whole. A message that is shown twice is a nuisance; one that is lost may be an outage.
 *
 * @throws NotDelivered when Slack did not take all of it; whatever `webhook` throws
 */
export async function notify(note: Note, remaining: () => Milliseconds, ports: Ports): Promise<Shown> {
  const { log, links, forgetWebhook } = ports;
  const { messageId } = note;
  const { kind, severity, posts } = render(note, links);
  if (severity !== undefined && SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(ports.from)) {
    log.info('not posted to Slack: below the severity of notifications.slack.from', { messageId, kind, severity });
    return { kind, messages: 0 };
  }
  const webhook = await ports.webhook();
  try {
    for (const post of posts) {
      await ports.pace();
      const form = await deliver(webhook, post, { ...ports, remaining });
      if (form === 'plain') log.warn('Slack refused the blocks: plain text sent instead', { messageId, kind });
    }
  } catch (error) {
    const why = reasonOf(error, webhook);
    if (error instanceof SlackError && error.isWebhookGone) forgetWebhook();
    log.error('not delivered to Slack', { messageId, kind, why });
    throw new NotDelivered(`message ${messageId} was not delivered to Slack: ${why}`);
  }
  log.info('delivered to Slack', { messageId, kind, messages: posts.length });
  return { kind, messages: posts.length };
}

/** Whatever a bug says, the address is not in it. */
function reasonOf(error: unknown, webhook: URL): string {
  if (error instanceof SlackError) return error.message;
  return `unexpected ${errorText(error).replaceAll(webhook.href, '(webhook)').replaceAll(webhook.pathname, '(webhook)')}`;
}
