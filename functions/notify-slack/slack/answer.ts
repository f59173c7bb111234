import { type Milliseconds, SECOND } from '../../../core/config/units.ts';
import type { SlackMessage } from '../message/post.ts';

/** The result of one try. `why` is for people and holds neither the address nor the message. */
export type Answer =
  | { readonly kind: 'shown' }
  /** Slack cannot read this message; it may accept another form of it. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** 429: not before `retryAfter`. */
  | { readonly kind: 'limited'; readonly why: string; readonly retryAfter: Milliseconds }
  /** It may pass: 5xx, no connection, no answer in time. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string; readonly isWebhookGone: boolean };

const UNREADABLE = ['invalid_blocks', 'invalid_blocks_format', 'invalid_payload', 'msg_blocks_too_long'];

/** Slack's words for a webhook that will not work again by itself, and what helps (Slack's documentation of errors of webhooks). */
const GONE: Readonly<Record<string, string>> = {
  no_service: 'the webhook was removed or disabled: create another and store its address',
  no_active_hooks: 'the webhook is disabled: create another and store its address',
  no_service_id: 'the address is incomplete: store it again',
  invalid_token: 'the address is not valid: store it again',
  no_team: 'the workspace is gone, or the address is wrong: create another webhook and store its address',
  team_disabled: 'the workspace is disabled: create a webhook in another',
  user_not_found: 'the user who created the webhook is gone: create another',
  channel_not_found: 'the channel is gone: create a webhook for another',
  channel_is_archived: 'the channel is archived: restore it, or create a webhook for another',
  action_prohibited: 'an administrator of the workspace does not allow posts: ask for permission',
  posting_to_general_channel_denied: 'the webhook may not post to this channel: create a webhook for another',
};

/** They refuse the address and not the message, with any word: words that are new, and pages of a proxy, included. */
const GONE_STATUSES: readonly number[] = [403, 404, 410];
const GONE_ANYHOW = 'no working webhook has this address: create another and store its address';

/** Slack says how long; where it does not: it allows about one message a second. */
const DEFAULT_RETRY_AFTER: Milliseconds = SECOND;

/** Posts once. Never throws. */
export async function ask(webhook: URL, message: SlackMessage, timeout: Milliseconds): Promise<Answer> {
  try {
    const response = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(message),
      // A redirect would carry the message to a host that is not allowed.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    return judge(response.status, await response.text(), response.headers.get('retry-after'));
  } catch (error) {
    return { kind: 'failed', why: `Slack cannot be reached: ${unreached(error, timeout)}` };
  }
}

/** Incoming webhooks answer `ok`, or a word that says what is wrong, with any status. */
function judge(status: number, body: string, retryAfter: string | null): Answer {
  const word = body.trim();
  if (status === 200 && word === 'ok') return { kind: 'shown' };
  const why = `Slack answered ${status} ${shown(word)}`;
  if (status === 429) return { kind: 'limited', why, retryAfter: waitOf(retryAfter) };
  if (UNREADABLE.includes(word)) return { kind: 'unreadable', why };
  if (status >= 500) return { kind: 'failed', why };
  const help = helpFor(status, word);
  return { kind: 'refused', why: help ? `${why}: ${help}` : why, isWebhookGone: help !== undefined };
}

/** What helps where the webhook itself does not work; undefined where Slack refused something else. */
function helpFor(status: number, word: string): string | undefined {
  if (Object.hasOwn(GONE, word)) return GONE[word];
  return GONE_STATUSES.includes(status) ? GONE_ANYHOW : undefined;
}

/** Only what looks like one of Slack's words: the page of a proxy may quote the address. */
function shown(word: string): string {
  if (word === '') return 'with an empty text';
  return /^[a-z][a-z_]{1,60}$/.test(word)
    ? word
    : `with a text of ${word.length} characters, not one of its error words`;
}

/** Whole seconds; at least one, so that a 0 does not loop. */
function waitOf(retryAfter: string | null): Milliseconds {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
  return Math.max(DEFAULT_RETRY_AFTER, seconds * SECOND);
}

/** The messages of fetch may quote the address, and so may its causes: only their codes are shown. */
function unreached(error: unknown, timeout: Milliseconds): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${timeout} ms`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : 'the connection failed';
}
