import type { KnownBlock } from '@slack/types';
import { UNESCAPED } from '../../core/format/slack-text.ts';

/** What an incoming webhook takes. With blocks, `text` is what a phone's notification shows. */
export interface SlackMessage {
  readonly text: string;
  /** false: `*` and `_` in `text` stay what they are. */
  readonly mrkdwn?: false;
  readonly blocks?: readonly KnownBlock[];
}

/** Slack's limits (docs.slack.dev, Block Kit reference), save the two for `text`, which are ours: it takes 40,000. */
export const LIMITS = {
  /** A notification; the blocks carry the message. */
  textBesideBlocks: 300,
  /** A message without blocks. Slack advises at most 4,000. */
  textAlone: 3_000,
  blocks: 50,
  headerText: 150,
  sectionText: 3_000,
  fields: 10,
  fieldText: 2_000,
  contextElements: 10,
  contextText: 3_000,
  actionElements: 25,
  buttonText: 75,
  url: 3_000,
  id: 255,
} as const;

/** A mention that Slack would make of plain text where it parses `text` by itself. */
const MENTION = /@(?:here|channel|everyone)\b/i;

/**
 * Everything for which Slack would refuse the message (`invalid_blocks` and nobody is told), or show something else than
 * what was meant: markup or a mention out of text that was not escaped. Empty for a good message; else one line a fault,
 * with its place. Nothing of the message's text is in it.
 */
export function blockKitFaults({ text, blocks }: SlackMessage): string[] {
  const faults = [
    ...length('text', text, blocks ? LIMITS.textBesideBlocks : LIMITS.textAlone),
    ...(UNESCAPED.test(text) ? ['text: & < > not escaped'] : []),
    ...(MENTION.test(text) ? ['text: mentions a channel'] : []),
  ];
  if (!blocks) return faults;
  return [
    ...faults,
    ...count('blocks', blocks, LIMITS.blocks),
    ...blocks.flatMap((block, index) => blockFaults(`blocks[${index}]`, block)),
  ];
}

function blockFaults(place: string, block: KnownBlock): string[] {
  switch (block.type) {
    case 'header':
      return [
        ...(block.text.type === 'plain_text' ? [] : [`${place}.text: not plain_text`]),
        ...textFaults(`${place}.text`, block.text, LIMITS.headerText),
      ];
    case 'section':
      return sectionFaults(place, block);
    case 'context':
      return [
        ...count(`${place}.elements`, block.elements, LIMITS.contextElements),
        ...block.elements.flatMap((element, index) =>
          textFaults(`${place}.elements[${index}]`, element, LIMITS.contextText),
        ),
      ];
    case 'actions':
      return actionFaults(place, block);
    default:
      return [`${place}: a block of type ${block.type} is none of ours`];
  }
}

function sectionFaults(place: string, { text, fields }: Extract<KnownBlock, { type: 'section' }>): string[] {
  if (!text && !fields) return [`${place}: neither text nor fields`];
  return [
    ...(text ? textFaults(`${place}.text`, text, LIMITS.sectionText) : []),
    ...(fields ? count(`${place}.fields`, fields, LIMITS.fields) : []),
    ...(fields ?? []).flatMap((field, index) => textFaults(`${place}.fields[${index}]`, field, LIMITS.fieldText)),
  ];
}

function actionFaults(place: string, { elements }: Extract<KnownBlock, { type: 'actions' }>): string[] {
  const ids = elements.map((element) => ('action_id' in element ? element.action_id : undefined));
  return [
    ...count(`${place}.elements`, elements, LIMITS.actionElements),
    ...(new Set(ids).size < ids.length ? [`${place}.elements: an action_id twice`] : []),
    ...elements.flatMap((element, index) => buttonFaults(`${place}.elements[${index}]`, element)),
  ];
}

function buttonFaults(place: string, element: Extract<KnownBlock, { type: 'actions' }>['elements'][number]): string[] {
  if (element.type !== 'button') return [`${place}: a ${element.type} is none of ours`];
  const { url, text, action_id: id = '' } = element;
  return [
    ...textFaults(`${place}.text`, text, LIMITS.buttonText),
    ...length(`${place}.action_id`, id, LIMITS.id),
    ...(url !== undefined && URL.parse(url)?.protocol === 'https:' ? [] : [`${place}.url: no https address`]),
    ...length(`${place}.url`, url ?? '', LIMITS.url),
  ];
}

function textFaults(place: string, element: { readonly type: string }, maxChars: number): string[] {
  if (!isText(element)) return [`${place}: a ${element.type} is no text`];
  const marked = element.type === 'mrkdwn';
  return [
    ...length(place, element.text, maxChars),
    ...(marked && UNESCAPED.test(element.text) ? [`${place}: & < > not escaped`] : []),
    // Without it Slack parses @here, #channel and addresses out of plain text by itself.
    ...(marked && element.verbatim !== true ? [`${place}: not verbatim`] : []),
  ];
}

interface TextElement {
  readonly type: 'plain_text' | 'mrkdwn';
  readonly text: string;
  readonly verbatim?: boolean;
}

function isText(element: { readonly type: string }): element is TextElement {
  return ['plain_text', 'mrkdwn'].includes(element.type) && 'text' in element && typeof element.text === 'string';
}

function length(place: string, text: string, maxChars: number): string[] {
  if (text.length === 0) return [`${place}: empty`];
  return text.length > maxChars ? [`${place}: ${text.length} characters, ${maxChars} are accepted`] : [];
}

function count(place: string, items: readonly unknown[], most: number): string[] {
  if (items.length === 0) return [`${place}: empty`];
  return items.length > most ? [`${place}: ${items.length}, ${most} are accepted`] : [];
}
