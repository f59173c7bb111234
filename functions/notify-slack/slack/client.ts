import { type Milliseconds, SECOND } from '../../../core/config/units.ts';
import type { Post } from '../message/post.ts';
import { type Answer, ask } from './answer.ts';

/** A try without an answer in this time is given up. Slack may have shown the message all the same. */
export const TRY_TIMEOUT: Milliseconds = 3 * SECOND;

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
