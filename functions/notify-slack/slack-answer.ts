import { type Milliseconds, SECOND } from '../../core/config/units.ts';
import type { SlackMessage } from './limits.ts';

/** What came of one try. `why` is for people and holds neither the address nor the message. */
export type Answer =
  | { readonly kind: 'shown' }
  /** Slack cannot read this message; another form of it may do. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** 429: not before `retryAfter`. */
  | { readonly kind: 'limited'; readonly why: string; readonly retryAfter: Milliseconds }
  /** It may pass: 5xx, no connection, no answer in time. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string; readonly isWebhookGone: boolean };

const UNREADABLE = ['invalid_blocks', 'invalid_blocks_format', 'invalid_payload', 'msg_blocks_too_long'];

/** Slack's words for a webhook that will not work again by itself, and what helps (its documentation of webhooks' errors). */
const GONE: Readonly<Record<string, string>> = {
  no_service: 'the webhook was removed or disabled: create another and store its address',
  no_active_hooks: 'the webhook is disabled: create another and store its address',
  no_service_id: 'the address is not whole: store it again',
  invalid_token: 'the address is not a valid one: store it again',
  no_team: 'the workspace is gone, or the address is wrong',
  team_disabled: 'the workspace is disabled',
  user_not_found: 'the user who created the webhook is gone: create another',
  channel_not_found: 'the channel is gone: create a webhook for another',
  channel_is_archived: 'the channel is archived: restore it, or create a webhook for another',
  action_prohibited: 'an administrator of the workspace does not allow it',
  posting_to_general_channel_denied: 'the webhook may not post to this channel',
};

/** Of the address and not of the message, whatever word comes with them: new ones, and pages of a proxy, included. */
const GONE_STATUSES: readonly number[] = [403, 404, 410];
const GONE_ANYHOW = 'the address is of no webhook that works: create one and store its address';

/** Slack says how long; where it does not, it allows about one message a second. */
const DEFAULT_RETRY_AFTER: Milliseconds = SECOND;

/** Posts once. Never throws. */
export async function ask(webhook: URL, message: SlackMessage, timeout: Milliseconds): Promise<Answer> {
  try {
    const response = await fetch(webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(message),
      // Followed, a redirect would carry the message to a host that nobody has allowed.
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

/** What helps where the webhook itself is of no use; undefined where it is not the webhook that was refused. */
function helpFor(status: number, word: string): string | undefined {
  if (Object.hasOwn(GONE, word)) return GONE[word];
  return GONE_STATUSES.includes(status) ? GONE_ANYHOW : undefined;
}

/** Only what looks like one of Slack's words: a proxy's page of its own may quote the address. */
function shown(word: string): string {
  if (word === '') return 'without a word';
  return /^[a-z][a-z_]{1,60}$/.test(word) ? word : `with ${word.length} characters that are none of its words`;
}

/** Whole seconds; at least one, so that a 0 is no loop. */
function waitOf(retryAfter: string | null): Milliseconds {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
  return Math.max(DEFAULT_RETRY_AFTER, seconds * SECOND);
}

/** fetch's own messages may quote the address, and its causes too: only their codes are told. */
function unreached(error: unknown, timeout: Milliseconds): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${timeout} ms`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : 'the connection failed';
}
