import { type Milliseconds, SECOND } from '../../core/config/units.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Links } from './blocks.ts';
import type { Delivered } from './delivered.ts';
import { type Note, type Rendered, render } from './message.ts';
import { type Conditions, deliver, SlackError } from './slack.ts';

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

/** At least one record could not be delivered, and has to be brought again. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
  /** Those that were not delivered, by what the queue knows them; messages that came straight from SNS have no such name. */
  readonly receipts: readonly string[];
  readonly summary: Summary;

  constructor(message: string, receipts: readonly string[], summary: Summary) {
    super(message);
    this.receipts = receipts;
    this.summary = summary;
  }
}

/**
 * Between two messages of the queue: Slack takes about one a second. With up to half as much again, so that two that began together do not go
 * on together.
 */
const PACE: Milliseconds = SECOND;

/**
 * Shows each record in Slack, one after the other: Slack allows about one message a second, and people read them in order.
 * One that fails does not keep the others back, unless Slack has asked to wait for longer than there is time.
 *
 * @throws NotDelivered after all were tried, when any failed; whatever `webhook` throws, before any is
 */
export async function notify(notes: readonly Note[], remaining: () => Milliseconds, ports: Ports): Promise<Summary> {
  const { delivered } = ports;
  const fresh = notes.filter(({ messageId }) => !delivered.has(messageId));
  const skipped = notes.length - fresh.length;
  if (fresh.length === 0) return { delivered: 0, skipped };
  const run: Run = { ...ports, webhook: await ports.webhook(), remaining, pace: paceOf(ports), wait: undefined };
  const failures: { readonly note: Note; readonly why: string }[] = [];
  for (const note of fresh) {
    const why = run.wait ?? (await showOne(run, note));
    if (why !== undefined) failures.push({ note, why });
  }
  const summary = { delivered: fresh.length - failures.length, skipped };
  if (failures.length === 0) return summary;
  const told = failures.map(({ note, why }) => `${note.messageId}: ${why}`).join('; ');
  const receipts = failures.flatMap(({ note }) => (note.receipt === undefined ? [] : [note.receipt]));
  const message = `${failures.length} of ${notes.length} messages not delivered to Slack: ${told}`;
  throw new NotDelivered(message, receipts, summary);
}

interface Run extends Omit<Ports, 'webhook'> {
  readonly webhook: URL;
  readonly remaining: () => Milliseconds;
  /** Waits where a message went before. */
  readonly pace: () => Promise<void>;
  /** Slack's word for why nothing more is sent now. */
  wait: string | undefined;
}

function paceOf({ pause, random }: Pick<Ports, 'pause' | 'random'>): () => Promise<void> {
  let isFirst = true;
  return async () => {
    if (!isFirst) await pause(PACE * (1 + random() / 2));
    isFirst = false;
  };
}

/** Why it failed, or undefined. */
async function showOne(run: Run, note: Note): Promise<string | undefined> {
  const { webhook, delivered, links, log, forgetWebhook } = run;
  const { messageId } = note;
  const rendered = render(note, links);
  const { kind, faults } = rendered;
  if (faults.length > 0) log.warn('blocks beyond the limits: plain text sent instead', { messageId, kind, faults });
  try {
    const forms = await postAll(run, note, rendered);
    delivered.add(messageId);
    if (forms.includes('plain')) log.warn('blocks refused by Slack: plain text sent instead', { messageId, kind });
    log.info('delivered to Slack', { messageId, kind });
    return undefined;
  } catch (error) {
    const why = reasonOf(error, webhook);
    if (error instanceof SlackError && error.isWebhookGone) forgetWebhook();
    if (error instanceof SlackError && error.isLimited) run.wait = `not tried: ${why}`;
    log.error('not delivered to Slack', { messageId, kind, why });
    return why;
  }
}

/** A digest of many nodes in several messages: when one of them fails, those before it are not shown again. */
async function postAll(
  run: Run,
  { messageId, receipt }: Note,
  { message, plain, more }: Rendered,
): Promise<readonly string[]> {
  // SNS itself brings one message at a time.
  const isQueued = receipt !== undefined;
  const forms: string[] = [];
  for (const [index, page] of [{ message, plain }, ...more].entries()) {
    const id = `${messageId}/${index}`;
    if (run.delivered.has(id)) continue;
    if (isQueued) await run.pace();
    forms.push(await deliver(run.webhook, page, run));
    if (more.length > 0) run.delivered.add(id);
  }
  return forms;
}

/** A bug must not keep the other records back either; and whatever it says, the address is not in it. */
function reasonOf(error: unknown, webhook: URL): string {
  if (error instanceof SlackError) return error.message;
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `unexpected ${told.replaceAll(webhook.href, '(webhook)').replaceAll(webhook.pathname, '(webhook)')}`;
}
