import type { Alert, AlertFact } from '../contracts/alert.ts';
import { alertText } from '../contracts/alert-text.ts';
import { chatbotNotification } from '../contracts/chatbot.ts';
import { cleanText } from '../contracts/wrap.ts';

/** A Publish takes 262,144 bytes: the message with all its variants and escapes, and the message's attributes. */
export const MESSAGE_BYTES = 262_144;

/** Texts are cut to these lengths, one after the other, until the message fits; facts are dropped only after that. */
const TEXT_CHARS = [8_000, 2_000, 500] as const;
const SHORTEST_TEXT = 500;
const MARK = '… shortened';

/**
 * What https subscribers get: the alert's JSON, or the schema of Amazon Q Developer in chat applications, which subscribes
 * by https and drops everything else.
 */
export type HttpsVariant = 'alert' | 'amazon-q';

export interface SnsMessageOptions {
  /** For the body, UTF-8; at least 131,072, so that an alert without facts always fits. Default: what SNS takes. */
  readonly maxBytes?: number;
  /** Default: 'alert'. */
  readonly https?: HttpsVariant;
}

export interface SnsMessage {
  /** For `MessageStructure: 'json'`: one text per protocol. */
  readonly body: string;
  readonly shortened: boolean;
}

/**
 * What SNS delivers: prose to people, the alert's JSON to programs. An alert that is too large is shortened, because
 * SNS would refuse it and nobody would be told: long texts are cut, then facts are dropped from the end, and both say so.
 */
export function snsMessage(
  alert: Alert,
  { maxBytes = MESSAGE_BYTES, https = 'alert' }: SnsMessageOptions = {},
): SnsMessage {
  const whole = bodyOf(withTexts(alert, cleanText), https);
  if (Buffer.byteLength(whole) <= maxBytes) return { body: whole, shortened: false };
  for (const chars of TEXT_CHARS) {
    const body = bodyOf(cutTexts(alert, chars), https);
    if (Buffer.byteLength(body) <= maxBytes) return { body, shortened: true };
  }
  return { body: bodyOf(dropFacts(cutTexts(alert, SHORTEST_TEXT), maxBytes, https), https), shortened: true };
}

function bodyOf(alert: Alert, https: HttpsVariant): string {
  const text = alertText(alert);
  const json = JSON.stringify(alert);
  const chat = https === 'amazon-q' ? JSON.stringify(chatbotNotification(alert)) : json;
  return JSON.stringify({ default: text, email: text, lambda: json, sqs: json, http: json, https: chat });
}

/** The alert with as many of its first facts as fit: found by bisection, since each try renders the whole message. */
function dropFacts(alert: Alert, maxBytes: number, https: HttpsVariant): Alert {
  let fitting = 0;
  let tooMany = alert.facts.length;
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (Buffer.byteLength(bodyOf(firstFacts(alert, middle), https)) <= maxBytes) fitting = middle;
    else tooMany = middle;
  }
  return firstFacts(alert, fitting);
}

function firstFacts(alert: Alert, count: number): Alert {
  const left = alert.facts.length - count;
  const mark: AlertFact = { label: 'More', value: `${MARK}: ${left} of ${alert.facts.length} facts left out` };
  return { ...alert, facts: [...alert.facts.slice(0, count), mark] };
}

function cutTexts(alert: Alert, chars: number): Alert {
  return withTexts(alert, (text) => cut(cleanText(text), chars));
}

/** Every text that has no bound of its own; schema, event, severity and figures are as they are. */
function withTexts(alert: Alert, change: (text: string) => string): Alert {
  const { id, at, stage, instance, node, title, why, next } = alert;
  return {
    ...alert,
    id: change(id),
    at: change(at),
    stage: change(stage),
    instance: change(instance),
    node: change(node),
    title: change(title),
    why: change(why),
    next: change(next),
    facts: alert.facts.map(({ label, value }) => ({ label: change(label), value: change(value) })),
  };
}

function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  // The cut may fall inside a surrogate pair: JSON would carry the lone half to subscribers, whose parsers may refuse it.
  const kept = text.slice(0, chars - MARK.length - 1).replace(/[\ud800-\udbff]$/, '');
  return `${kept.trimEnd()} ${MARK}`;
}
