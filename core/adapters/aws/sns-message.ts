import type { Alert, AlertFact } from '../../domain/alert.ts';
import { alertSubject, alertText } from '../../format/alert-layout.ts';
import { chatbotNotification } from '../../format/chatbot.ts';
import { countsText } from '../../format/digest-text.ts';
import { cleanText } from '../../format/wrap.ts';

/** A Publish takes 262,144 bytes: the message with all its variants and escapes, and the message's attributes. */
export const MESSAGE_BYTES = 262_144;

/** Texts are cut to these lengths, one length after the other, until the message fits; facts are dropped only after that. */
const TEXT_CHARS = [8_000, 2_000, 500] as const;
const SHORTEST_TEXT = 500;
const MARK = '… shortened';

/**
 * What https subscribers get: the alert's JSON, or the schema of Amazon Q Developer in chat applications, which subscribes
 * by https and drops everything else.
 */
export type HttpsVariant = 'alert' | 'amazon-q';

interface SnsMessageOptions {
  /** For the body, UTF-8; at least 131,072, so that an alert without facts always fits. Default: what SNS takes. */
  readonly maxBytes?: number;
  /** Default: 'alert'. */
  readonly https?: HttpsVariant;
  /** Linked in the mail. */
  readonly runbook?: string;
}

type Variants = Pick<SnsMessageOptions, 'https' | 'runbook'>;

interface SnsMessage {
  /** For `MessageStructure: 'json'`: one text per protocol. */
  readonly body: string;
  readonly shortened: boolean;
}

/**
 * What SNS delivers: text to people, the alert's JSON to programs. An alert that is too large is shortened, because SNS would refuse it: a
 * digest first loses the differences between its nodes, then long texts are cut, then nodes and facts are dropped from the end, and the
 * message says so.
 */
export function snsMessage(
  alert: Alert,
  { maxBytes = MESSAGE_BYTES, ...variants }: SnsMessageOptions = {},
): SnsMessage {
  const fits = (body: string) => Buffer.byteLength(body) <= maxBytes;
  const whole = withTexts(alert, cleanText);
  const isDigest = alert.members !== undefined;
  const copies = bodyOf(whole, variants);
  if (fits(copies)) return { body: copies, shortened: false };
  const bodyFor = (one: Alert) => (isDigest ? sharedBodyOf(one, variants) : bodyOf(one, variants));
  if (isDigest && fits(bodyFor(whole))) return { body: bodyFor(whole), shortened: false };
  for (const shorter of shorterOnes(whole)) {
    const body = bodyFor(shorter());
    if (fits(body)) return { body, shortened: true };
  }
  const shortest = cutTexts(withoutWords(alert), SHORTEST_TEXT);
  const nodes = longest(shortest.members?.length ?? 0, (count) => fits(bodyFor(firstMembers(shortest, count))));
  const listed = shortest.members === undefined ? shortest : firstMembers(shortest, nodes);
  if (fits(bodyFor(listed))) return { body: bodyFor(listed), shortened: true };
  const facts = longest(listed.facts.length, (count) => fits(bodyFor(firstFacts(listed, count))));
  return { body: bodyFor(firstFacts(listed, facts)), shortened: true };
}

function shorterOnes(alert: Alert): readonly (() => Alert)[] {
  const cuts = TEXT_CHARS.map((chars) => () => cutTexts(withoutWords(alert), chars));
  return alert.members === undefined ? cuts : [() => withoutWords(alert), ...cuts];
}

/** A digest with the names of its nodes alone. */
function withoutWords(alert: Alert): Alert {
  const { members } = alert;
  return members === undefined ? alert : { ...alert, members: members.map((member) => ({ ...member, what: '' })) };
}

function bodyOf(alert: Alert, { https, runbook }: Variants): string {
  const text = alertText(alert, runbook);
  const json = JSON.stringify(alert);
  return JSON.stringify({
    default: text,
    email: text,
    lambda: json,
    sqs: json,
    http: json,
    https: chatOr(json, alert, https),
  });
}

/** A digest of many nodes has no room for a copy for each protocol: protocols that are not named get the `default`. */
function sharedBodyOf(alert: Alert, { https, runbook }: Variants): string {
  const json = JSON.stringify(alert);
  const chat = chatOr(json, alert, https);
  const texts = { default: json, email: alertText(alert, runbook), sms: alertSubject(alert) };
  return JSON.stringify(chat === json ? texts : { ...texts, https: chat });
}

function chatOr(json: string, alert: Alert, https: HttpsVariant = 'alert'): string {
  return https === 'amazon-q' ? JSON.stringify(chatbotNotification(alert)) : json;
}

/** The largest count below `all` that fits, found by bisection, since each try renders the whole message; 0 if none does. */
function longest(all: number, fits: (count: number) => boolean): number {
  let fitting = 0;
  let tooMany = all;
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (fits(middle)) fitting = middle;
    else tooMany = middle;
  }
  return fitting;
}

function firstMembers(alert: Alert, count: number): Alert {
  const { members = [] } = alert;
  const left = members.slice(count);
  const mark: AlertFact = { label: 'Not listed', value: `${left.length} of ${members.length}: ${countsText(left)}` };
  return { ...alert, members: members.slice(0, count), facts: [...alert.facts, mark] };
}

function firstFacts(alert: Alert, count: number): Alert {
  const left = alert.facts.length - count;
  const mark: AlertFact = { label: 'More', value: `${MARK}: ${left} of ${alert.facts.length} facts left out` };
  return { ...alert, facts: [...alert.facts.slice(0, count), mark] };
}

function cutTexts(alert: Alert, chars: number): Alert {
  return withTexts(alert, (text) => cut(cleanText(text), chars));
}

/** Codes and not texts: they have bounds of their own. */
const CODES = ['schema', 'event', 'severity'];

function withTexts(alert: Alert, change: (text: string) => string): Alert {
  const changed = (key: string, value: unknown) =>
    typeof value === 'string' && !CODES.includes(key) ? change(value) : value;
  return JSON.parse(JSON.stringify(alert), changed);
}

function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  // The cut may fall inside a surrogate pair: JSON would carry the lone half to subscribers, whose parsers may refuse it.
  const kept = text.slice(0, chars - MARK.length - 1).replace(/[\ud800-\udbff]$/, '');
  return `${kept.trimEnd()} ${MARK}`;
}
