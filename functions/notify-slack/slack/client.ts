import { type Milliseconds, SECOND } from '../../../core/config/units.ts';
import type { Post } from '../message/post.ts';

/** A try without an answer in this time is given up. Slack may have shown the message all the same. */
const TRY_TIMEOUT: Milliseconds = 3 * SECOND;

/** After a failure that may pass: 5xx, no connection, no answer. */
const RETRIES = 2;
const FIRST_PAUSE: Milliseconds = 400;

/** What a delivery needs from outside. */
export interface Conditions {
  /** How long the invocation still has for deliveries. */
  readonly remaining: () => Milliseconds;
  readonly pause: (duration: Milliseconds) => Promise<unknown>;
  /** 0..1, for the jitter. */
  readonly random: () => number;
}

/** Slack did not take a message. The text names Slack's reason and never the webhook's address. */
export class SlackError extends Error {
  override readonly name = 'SlackError';
  /** Whether the webhook itself does not work: removed, disabled, or its channel gone. */
  readonly isWebhookGone: boolean;

  constructor(message: string, { isWebhookGone = false } = {}) {
    super(message);
    this.isWebhookGone = isWebhookGone;
  }
}

/**
 * Posts one message. Blocks that Slack refuses are posted once more as plain text. After a 429 the wait is as long as Retry-After says, and
 * up to a second more. A failure that may pass is tried again twice. A try without an answer may have arrived: a message can be shown twice.
 *
 * @returns which of the two was shown
 * @throws SlackError when Slack refuses, or when the time is not enough for another try
 */
export async function deliver(
  webhook: URL,
  { message, plain }: Post,
  conditions: Conditions,
): Promise<'message' | 'plain'> {
  const answer = await persist(webhook, message, conditions);
  if (answer.kind === 'shown') return 'message';
  if (answer.kind !== 'unreadable') throw failureOf(answer);
  const second = await persist(webhook, plain, conditions);
  if (second.kind === 'shown') return 'plain';
  throw failureOf(second);
}

/** Tries until there is an answer that waiting does not change. */
async function persist(webhook: URL, message: Post['message'], conditions: Conditions): Promise<Answer> {
  const { remaining, pause, random } = conditions;
  if (remaining() < TRY_TIMEOUT) throw new SlackError('no time is left for a try');
  for (let failures = 0; ; ) {
    const answer = await ask(webhook, message, TRY_TIMEOUT);
    if (answer.kind === 'failed') failures += 1;
    else if (answer.kind !== 'limited') return answer;
    if (failures > RETRIES) return answer;
    const wait = answer.kind === 'limited' ? answer.retryAfter + random() * SECOND : backOff(failures, random());
    if (wait + TRY_TIMEOUT > remaining()) {
      throw new SlackError(`${answer.why}; no time is left to try again in ${Math.ceil(wait / SECOND)} s`);
    }
    await pause(wait);
  }
}

/** 0.2–0.6 s, then 0.4–1.2 s. */
function backOff(failures: number, random: number): Milliseconds {
  return FIRST_PAUSE * 2 ** (failures - 1) * (0.5 + random);
}

function failureOf(answer: Exclude<Answer, { kind: 'shown' }>): SlackError {
  const tried = answer.kind === 'failed' ? ` (tried ${RETRIES + 1} times)` : '';
  return new SlackError(`${answer.why}${tried}`, { isWebhookGone: answer.kind === 'refused' && answer.isWebhookGone });
}

interface PaceConditions extends Omit<Conditions, 'remaining'> {
  /** A clock that is never set. */
  readonly now: () => Milliseconds;
}

/** Slack takes about one message a second. */
const PACE: Milliseconds = SECOND;

/**
 * A wait before each message of a container, so that a second passes after the one before, which may have been another invocation's.
 * Up to half as much again, so that two containers that began together do not go on together.
 */
export function createPace({ now, pause, random }: PaceConditions): () => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async () => {
    const wait = next - now();
    if (wait > 0) await pause(wait);
    next = now() + PACE * (1 + random() / 2);
  };
}

/** The result of one try. `why` is for people and holds neither the address nor the message. */
type Answer =
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
async function ask(webhook: URL, message: Post['message'], timeout: Milliseconds): Promise<Answer> {
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
