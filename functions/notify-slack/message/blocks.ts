import type {
  ActionsBlock,
  ContextBlock,
  HeaderBlock,
  MrkdwnElement,
  PlainTextElement,
  SectionBlock,
} from '@slack/types';
import type { AlertFact } from '../../../core/domain/alert.ts';
import { escapedText, shortenedText } from '../../../core/format/slack-text.ts';

/**
 * Slack's limits (docs.slack.dev, Block Kit reference). The two for `text` are stricter than Slack, which takes 40,000. Every text is cut
 * to them where its block is made; in tests test/support/slack-rules.ts checks the result.
 */
export const LIMITS = {
  /** A notification; the blocks carry the message. */
  textBesideBlocks: 300,
  /** A message without blocks. Slack advises at most 4,000. */
  textAlone: 3_000,
  headerText: 150,
  sectionText: 3_000,
  fields: 10,
  contextElements: 10,
  buttonText: 75,
  url: 3_000,
} as const;

/** Addresses for the buttons; https only. */
export interface Links {
  readonly dashboard?: string;
  readonly runbook?: string;
}

/** Slack publishes no limit for a message as a whole, and refuses long ones with `msg_blocks_too_long`: these stay far below. */
const VALUE_CHARS = 500;
const LABEL_CHARS = 80;
const ORIGIN_CHARS = 200;

/** What stands where a text is empty: Slack refuses empty ones. */
const NOTHING = '-';

/** The headline, on one line. */
export function header(text: string): HeaderBlock {
  return { type: 'header', text: plainText(text.replace(/\s+/g, ' '), LIMITS.headerText) };
}

/** A paragraph without any markup. */
export function paragraph(text: string, maxChars: number = LIMITS.sectionText): SectionBlock {
  return { type: 'section', text: plainText(text, maxChars) };
}

/** A paragraph behind a bold label; `text` is escaped here. */
export function labelled(label: string, text: string, maxChars: number): SectionBlock {
  return { type: 'section', text: markup(`*${label}* ${escapedText(text, maxChars) || NOTHING}`) };
}

/** Text that already is mrkdwn: what others wrote in it has been escaped. */
export function section(mrkdwn: string): SectionBlock {
  return { type: 'section', text: markup(mrkdwn) };
}

/** Labels and values in two columns; of more than ten, the last says how many are left out. None for none. */
export function table(facts: readonly AlertFact[]): SectionBlock[] {
  if (facts.length === 0) return [];
  const shown = facts.length > LIMITS.fields ? facts.slice(0, LIMITS.fields - 1) : facts;
  const left = facts.length - shown.length;
  const rest = left === 0 ? [] : [{ label: 'More', value: `${left} more facts: see the e-mail or the log of the job` }];
  return [{ type: 'section', fields: [...shown, ...rest].map(field) }];
}

function field({ label, value }: AlertFact): MrkdwnElement {
  const name = escapedText(label.replace(/\s+/g, ' '), LABEL_CHARS) || NOTHING;
  return markup(`*${name}*\n${escapedText(value, VALUE_CHARS) || NOTHING}`);
}

/** Where and when, in small print. Empty parts are left out. */
export function origin(parts: readonly (string | undefined)[]): ContextBlock[] {
  const elements = parts
    .map((part) => shortenedText((part ?? '').replace(/\s+/g, ' '), ORIGIN_CHARS))
    .filter((part) => part !== '')
    .slice(0, LIMITS.contextElements)
    .map((part) => plainText(part, ORIGIN_CHARS));
  return elements.length === 0 ? [] : [{ type: 'context', elements }];
}

/** A button for each address there is; none without any. */
export function buttons({ dashboard, runbook }: Links): ActionsBlock[] {
  const elements = [
    ...(runbook === undefined ? [] : [button('Runbook', 'runbook', runbook)]),
    ...(dashboard === undefined ? [] : [button('Dashboard', 'dashboard', dashboard)]),
  ];
  return elements.length === 0 ? [] : [{ type: 'actions', elements }];
}

function button(label: string, id: string, url: string): ActionsBlock['elements'][number] {
  return { type: 'button', text: plainText(label, LIMITS.buttonText), action_id: id, url };
}

/** The address as a button may carry it, or undefined: only https, and not longer than Slack takes. */
export function httpsLink(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text.trim());
  return url?.protocol === 'https:' && url.href.length <= LIMITS.url ? url.href : undefined;
}

/**
 * A notification's text: escaped, and with an invisible word joiner in `@here` and the like, so that Slack notifies no channel. Blocks
 * say `verbatim` instead; this text has no such switch.
 */
export function notificationText(text: string, maxChars: number): string {
  const unmentioned = text.replace(/@(?=here|channel|everyone)/gi, '@\u2060');
  return escapedText(unmentioned, maxChars) || NOTHING;
}

function plainText(text: string, maxChars: number): PlainTextElement {
  // Not escaped, since nothing is parsed in it; and :tada: stays :tada:.
  return { type: 'plain_text', text: shortenedText(text, maxChars) || NOTHING, emoji: false };
}

function markup(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}
