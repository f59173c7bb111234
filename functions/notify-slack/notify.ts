import type { Milliseconds } from '../shared/config/units.ts';
import type { Links } from './blocks.ts';
import type { Delivered } from './delivered.ts';
import { type Note, render } from './message.ts';
import { type Conditions, deliver, SlackError } from './slack.ts';

/** Where log lines go. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a notifier needs. */
export interface Ports extends Omit<Conditions, 'remaining'> {
  /** The webhook's address, a secret. */
  readonly webhook: () => Promise<URL>;
  /** The webhook is of no use any more: the next `webhook` asks for it anew. */
  readonly forgetWebhook: () => void;
  readonly links: Links;
  readonly delivered: Delivered;
  readonly log: Log;
}

/** What an invocation has done, by SNS messages. */
export interface Summary {
  readonly delivered: number;
  /** Delivered by an earlier try of the same event. */
  readonly skipped: number;
}

/** At least one record could not be delivered; Lambda's retry brings all of them again. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
}

/**
 * Shows each record in Slack, one after the other: Slack allows about one message a second, and people read them in order.
 * One that fails does not keep the others back.
 *
 * @throws NotDelivered after all were tried, when any failed; whatever `webhook` throws, before any is
 */
export async function notify(notes: readonly Note[], remaining: () => Milliseconds, ports: Ports): Promise<Summary> {
  const fresh = notes.filter(({ messageId }) => !ports.delivered.has(messageId));
  const skipped = notes.length - fresh.length;
  if (fresh.length === 0) return { delivered: 0, skipped };
  const webhook = await ports.webhook();
  const failures: string[] = [];
  for (const note of fresh) {
    const failure = await showOne(webhook, note, remaining, ports);
    if (failure !== undefined) failures.push(`${note.messageId}: ${failure}`);
  }
  if (failures.length === 0) return { delivered: fresh.length, skipped };
  throw new NotDelivered(
    `${failures.length} of ${notes.length} messages not delivered to Slack: ${failures.join('; ')}`,
  );
}

/** Why it failed, or undefined. */
async function showOne(
  webhook: URL,
  note: Note,
  remaining: () => Milliseconds,
  { delivered, links, log, pause, random, forgetWebhook }: Ports,
): Promise<string | undefined> {
  const { messageId } = note;
  const rendered = render(note, links);
  const { kind, faults } = rendered;
  if (faults.length > 0) log.warn('blocks beyond the limits: plain text sent instead', { messageId, kind, faults });
  try {
    const form = await deliver(webhook, rendered, { remaining, pause, random });
    delivered.add(messageId);
    if (form === 'plain') log.warn('blocks refused by Slack: plain text sent instead', { messageId, kind });
    log.info('delivered to Slack', { messageId, kind });
    return undefined;
  } catch (error) {
    const why = reasonOf(error, webhook);
    if (error instanceof SlackError && error.isWebhookGone) forgetWebhook();
    log.error('not delivered to Slack', { messageId, kind, why });
    return why;
  }
}

/** A bug must not keep the other records back either; and whatever it says, the address is not in it. */
function reasonOf(error: unknown, webhook: URL): string {
  if (error instanceof SlackError) return error.message;
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `unexpected ${told.replaceAll(webhook.href, '(webhook)').replaceAll(webhook.pathname, '(webhook)')}`;
}
