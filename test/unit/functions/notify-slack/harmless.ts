import { expect } from 'vitest';
import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';
import type { Rendered } from '../../../../functions/notify-slack/message/render.ts';
import { refusalOf } from '../../../support/slack-rules.ts';

/** Slack advises at most 4,000 characters for a text without blocks. */
const TEXT_ALONE = 3_000;

interface MarkupText {
  readonly text: string;
  readonly verbatim?: boolean;
}

/** Every text of the blocks in which Slack reads markup. */
function markupOf({ blocks = [] }: SlackMessage): readonly MarkupText[] {
  const found: MarkupText[] = [];
  JSON.stringify(blocks, (_, value) => {
    if (value?.type === 'mrkdwn') found.push(value);
    return value;
  });
  return found;
}

/** `&`, `<` or `>` that is not an entity: markup, where only text belongs. */
const UNESCAPED = /[<>]|&(?!(?:amp|lt|gt);)/;

/** What Slack would show, but not as it is meant: markup or a mention out of text of others. */
export function harmIn(message: SlackMessage): readonly string[] {
  const markup = markupOf(message);
  const texts = [message.text, ...markup.map(({ text }) => text)];
  return [
    ...(message.blocks === undefined && message.text.length > TEXT_ALONE ? ['a long text'] : []),
    ...(texts.some((text) => UNESCAPED.test(text)) ? ['not escaped'] : []),
    ...(texts.every((text) => text.isWellFormed()) ? [] : ['half of a character']),
    // In `text` Slack finds @here by itself; in blocks only where they do not say `verbatim`.
    ...(/@(?:here|channel|everyone)\b/i.test(message.text) ? ['a mention'] : []),
    ...(markup.every(({ verbatim }) => verbatim) ? [] : ['not verbatim']),
  ];
}

/** Slack takes both forms of each message, and finds neither a mention nor a link in what others have written. */
export function expectHarmless({ posts }: Pick<Rendered, 'posts'>): void {
  const forms = posts.flatMap(({ message, plain }) => [message, plain]);
  for (const form of forms) expect({ refusal: refusalOf(form), harm: harmIn(form) }).toEqual({ harm: [] });
}
